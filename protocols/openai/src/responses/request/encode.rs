//! A request, written.

use canon::{Encoded, Kind, Losses, Role, Target, ToolChoice, Turn, names};
use serde_json::{Map, Value, json};

use super::{choice, hint, settings, tools};
use crate::responses::{
    OWN,
    item::{Items, Purpose},
};

/// The longest id of a user that providers take.
const USER_LIMIT: usize = 64;

/// The fewest tokens that can be asked for.
const LEAST_TOKENS: u64 = 16;

/// Writes a request for `target`.
#[must_use]
pub fn encode(turn: &Turn, target: &Target<'_>) -> Encoded {
    let native = target.source == OWN;
    let mut losses = Losses::default();
    let mut body = Map::new();
    body.insert("model".to_owned(), target.model.into());
    add_instructions(turn, &mut body, &mut losses);
    add_input(turn, target, &mut body, &mut losses);
    add_tools(turn, native, &mut body, &mut losses);
    let mut put = |name: &str, value: Option<Value>| {
        body.extend(value.map(|value| (name.to_owned(), value)));
    };
    put("max_output_tokens", max_tokens(turn, target, &mut losses).map(Value::from));
    put("temperature", turn.sampling.temperature.clone().map(Value::Number));
    put("top_p", turn.sampling.top_p.clone().map(Value::Number));
    put("reasoning", settings::write_reasoning(turn, target, &mut losses));
    put("text", settings::write_text(turn, native));
    let user = turn.rest.hinted(OWN, hint::USER).and_then(Value::as_str).unwrap_or("user");
    put(user, user_id(turn, native, &mut losses).map(Value::from));
    let stream = turn.stream.then_some(true);
    put("stream", stream.map(Value::from).or_else(|| turn.rest.hinted(OWN, hint::STREAM).cloned()));
    if !native {
        // Nothing is to stay at the provider that the client did not ask to be kept there.
        put("store", Some(false.into()));
        put("include", settings::reasons(turn).then(|| json!(["reasoning.encrypted_content"])));
    }
    lose(turn, &mut losses);
    settings::write_rest(turn, &mut body, &mut losses);
    Encoded { body: Value::Object(body).to_string().into_bytes(), losses }
}

fn add_instructions(turn: &Turn, body: &mut Map<String, Value>, losses: &mut Losses) {
    let mut texts = Vec::with_capacity(turn.instructions.len());
    for block in &turn.instructions {
        match &block.kind {
            Kind::Text { text, .. } => texts.push(text.as_str()),
            Kind::Opaque { value, .. } => {
                losses.dropped(&format!("content.{}", names::kind_of(value)));
            }
            _ => losses.dropped("content.system"),
        }
        if block.cache.is_some() {
            losses.dropped("cache_control");
        }
        block.rest.lost(losses);
    }
    let empty = turn.rest.hinted(OWN, hint::INSTRUCTIONS).is_some();
    if !texts.is_empty() || empty {
        body.insert("instructions".to_owned(), texts.join("\n\n").into());
    }
}

fn add_input(turn: &Turn, target: &Target<'_>, body: &mut Map<String, Value>, losses: &mut Losses) {
    let hinted = turn.rest.hinted(OWN, hint::INPUT).and_then(Value::as_str);
    let input = match (hinted, turn.messages.as_slice()) {
        (Some("absent"), []) => return,
        (Some("string"), []) => Value::from(""),
        (Some("string"), [only]) if is_one_text(only) => {
            only.blocks.first().and_then(|block| block.as_text()).unwrap_or_default().into()
        }
        _ => {
            let (items, lost) = items(turn, target);
            losses.extend(lost);
            Value::Array(items)
        }
    };
    body.insert("input".to_owned(), input);
}

fn is_one_text(message: &canon::Message) -> bool {
    message.role == Role::User && matches!(message.blocks.as_slice(), [block] if block.as_text().is_some())
}

fn items(turn: &Turn, target: &Target<'_>) -> (Vec<Value>, Losses) {
    let purpose = Purpose::Request { maker: target.maker, strip: target.quirks.strip_reasoning };
    let mut items = Items::new(purpose, target.source == OWN);
    let placed = turn.rest.hinted(OWN, hint::PLACED).and_then(Value::as_array).into_iter().flatten();
    items.place(placed.filter_map(|entry| {
        let at = usize::try_from(entry.get("at")?.as_u64()?).ok()?;
        Some((at, entry.get("item")?.clone()))
    }));
    for message in &turn.messages {
        let word = word(message.role, target);
        if matches!((message.role, word), (Role::System | Role::Developer, "user")) {
            items.losses.changed("role");
        }
        items.message(message, word);
    }
    items.finish()
}

fn word(role: Role, target: &Target<'_>) -> &'static str {
    match role {
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Developer if !target.quirks.developer_to_system && !target.quirks.system_to_user => "developer",
        Role::System | Role::Developer if !target.quirks.system_to_user => "system",
        Role::System | Role::Developer => "user",
    }
}

fn add_tools(turn: &Turn, native: bool, body: &mut Map<String, Value>, losses: &mut Losses) {
    let mut list = tools::write(&turn.tools, native, losses);
    if !native && turn.tool_choice == Some(ToolChoice::WebSearch) {
        tools::force_search(&mut list);
    }
    let none = list.is_empty();
    if !none || turn.rest.hinted(OWN, hint::TOOLS).is_some() {
        body.insert("tools".to_owned(), Value::Array(list));
    }
    if none && !native {
        // To leave the choice to a model that has none says nothing.
        if matches!(&turn.tool_choice, Some(choice) if !matches!(choice, ToolChoice::Auto | ToolChoice::None))
        {
            losses.dropped("tool_choice");
        }
        return;
    }
    if let Some(choice) = choice::write(turn, native, losses) {
        body.insert("tool_choice".to_owned(), choice);
    }
    if let Some(parallel) = turn.parallel_tool_calls {
        body.insert("parallel_tool_calls".to_owned(), parallel.into());
    }
}

fn max_tokens(turn: &Turn, target: &Target<'_>, losses: &mut Losses) -> Option<u64> {
    let wanted = turn.max_tokens?;
    let least = if target.source == OWN { 0 } else { LEAST_TOKENS };
    let most = target.max_output.unwrap_or(u64::MAX);
    let given = wanted.max(least).min(most);
    if given != wanted {
        losses.changed("max_tokens");
    }
    Some(given)
}

fn user_id(turn: &Turn, native: bool, losses: &mut Losses) -> Option<String> {
    let user = turn.user.as_deref()?;
    if native || user.len() <= USER_LIMIT {
        return Some(user.to_owned());
    }
    losses.changed("user");
    Some(names::fitted(user, USER_LIMIT).into_owned())
}

/// Declares what the dialect has no field for.
fn lose(turn: &Turn, losses: &mut Losses) {
    let sampling = &turn.sampling;
    let unsaid = [
        ("top_k", sampling.top_k.is_some()),
        ("frequency_penalty", sampling.frequency_penalty.is_some()),
        ("presence_penalty", sampling.presence_penalty.is_some()),
        ("seed", sampling.seed.is_some()),
        ("stop", !turn.stop.is_empty()),
    ];
    for (name, _) in unsaid.into_iter().filter(|(_, said)| *said) {
        losses.dropped(name);
    }
}

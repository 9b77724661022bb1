//! Prompts: tasks with the facts that the caller may see, and the tools to call, in their order.

use http::{HeaderMap, request::Parts};
use rmcp::{
    ErrorData,
    model::{
        ContentBlock, GetPromptRequestParams, GetPromptResult, JsonObject, Prompt, PromptArgument,
        PromptMessage, Resource, ResourceContents, Role,
    },
};
use serde_json::{Value, json};

use super::{
    address::written,
    guides,
    metadata::Place,
    resources::{JSON, Resources, is_open},
    visitor::{Asking, Visitor},
};

/// The largest text that is put into a prompt, in bytes; others are linked.
const EMBEDDED: usize = 16 * 1024;

/// The longest argument, in bytes.
const LONGEST: usize = 512;

/// Times that costs are reported over.
pub(super) const PERIODS: [&str; 4] = ["session", "day", "week", "month"];

/// A tool to call, and what for.
type Step = (&'static str, &'static str);

const DIAGNOSE: &[Step] = &[
    ("simulate_route", "where a request would go now, and who is left out for which reason"),
    ("get_health", "which connections and hosts are locked, until when, and the provider's words"),
    ("list_quotas", "whether a quota is used up, and when it is whole again"),
    ("list_recent_errors", "what failed lately, by its cause"),
    ("list_traces", "the latest requests for the model (`model`), to find one that went wrong"),
    ("explain_route", "why that one was routed so (`request_id`)"),
    ("test_connection", "whether a suspected connection works, step by step"),
    ("reset_health", "only once the cause is gone: lifts what is held against a connection"),
];

const CUT_COSTS: &[Step] = &[
    ("cost_report", "what was spent, by provider and model"),
    ("get_usage", "who and what spends most (`group_by`)"),
    ("cache_stats", "whether repeated requests are answered from the cache"),
    ("list_quotas", "what is left of what was paid for already: use that first"),
    ("list_combos", "how requests are spread now"),
    ("best_combo_for_task", "what would do the same work for less"),
    ("simulate_route", "what a change would lead to, before it is made"),
    ("set_routing_strategy", "changes how a combo chooses (`cost-optimized`); ask the user first"),
    ("set_budget_guard", "puts a limit to what is spent; ask the user first"),
];

const SET_UP: &[Step] = &[
    ("list_models", "which models the client can name"),
    ("create_key", "makes a key for this client alone; ask the user first, and show the secret once"),
    ("preview_policy", "whether that key may use the model"),
    ("list_traces", "whether the client's first request came, and how it ended"),
];

fn argument(name: &str, text: &str, required: bool) -> PromptArgument {
    PromptArgument::new(name).with_description(text).with_required(required)
}

/// All prompts, in an order that stays.
pub(super) fn all() -> Vec<Prompt> {
    let diagnose = vec![
        argument("model", "The model or combo that does not answer as it should.", true),
        argument("connection", "The connection that is suspected, if any.", false),
    ];
    let costs =
        vec![argument("period", "Over which time: session, day, week or month; a week if not said.", false)];
    let client = vec![argument("client", "The program that is to use the hub, such as claude-code.", true)];
    [
        (
            "diagnose_model",
            "Diagnose a model",
            "Finds out why a model fails, is slow, or is served by another.",
            diagnose,
        ),
        ("cut_costs", "Cut costs", "Finds out what costs most, and what would do the same for less.", costs),
        ("set_up_client", "Set up a client", "Sets up a program to use the hub.", client),
    ]
    .into_iter()
    .map(|(name, title, text, arguments)| Prompt::new(name, Some(text), Some(arguments)).with_title(title))
    .collect()
}

/// Fills in a prompt.
pub(super) async fn filled(
    resources: &Resources,
    place: &Place,
    params: GetPromptRequestParams,
    asking: &Asking,
) -> Result<GetPromptResult, ErrorData> {
    let known = all().into_iter().find(|prompt| prompt.name == params.name);
    let prompt = known.ok_or_else(|| invalid(format!("there is no prompt `{}`", short(&params.name))))?;
    let args = Arguments::read(&prompt, params.arguments.unwrap_or_default())?;
    let desk = Desk { resources, visitor: &asking.visitor };
    let messages = match prompt.name.as_str() {
        "diagnose_model" => desk.diagnose(&args).await,
        "cut_costs" => desk.cut_costs(&args).await?,
        _ => desk.set_up(&args, &base(place, asking)).await?,
    };
    Ok(GetPromptResult::new(messages).with_description(prompt.description.unwrap_or_default()))
}

/// The hub's address as this client knows it.
fn base(place: &Place, asking: &Asking) -> String {
    let parts = asking.context.extensions.get::<Parts>();
    place.base(parts.map_or(&HeaderMap::new(), |parts| &parts.headers))
}

/// What a client filled in.
struct Arguments(JsonObject);

impl Arguments {
    fn read(prompt: &Prompt, given: JsonObject) -> Result<Self, ErrorData> {
        let known = prompt.arguments.as_deref().unwrap_or_default();
        for (name, value) in &given {
            if !known.iter().any(|argument| argument.name == *name) {
                return Err(invalid(format!("`{}` has no argument `{}`", prompt.name, short(name))));
            }
            if value.as_str().is_none_or(|text| text.len() > LONGEST) {
                return Err(invalid(format!("`{name}` has to be a text of at most {LONGEST} bytes")));
            }
        }
        let args = Self(given);
        match known.iter().find(|one| one.required == Some(true) && args.get(&one.name).is_none()) {
            Some(missing) => Err(invalid(format!("`{}` needs the argument `{}`", prompt.name, missing.name))),
            None => Ok(args),
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        let text = self.0.get(name)?.as_str()?.trim();
        Some(text).filter(|text| !text.is_empty())
    }
}

/// Where a prompt is put together for a visitor.
struct Desk<'a> {
    resources: &'a Resources,
    visitor: &'a Visitor,
}

impl Desk<'_> {
    async fn diagnose(&self, args: &Arguments) -> Vec<PromptMessage> {
        let model = args.get("model").unwrap_or_default();
        let mut task = format!(
            "Find out why requests for `{model}` at the Trivium hub fail, are slow, or are answered by another model than \
             expected. Say what is the cause, with the evidence, and what to do. Change nothing without asking."
        );
        if let Some(connection) = args.get("connection") {
            task.push_str(&format!(" The connection `{connection}` is suspected."));
        }
        let mut messages = vec![self.task(&task, DIAGNOSE)];
        messages.extend(
            self.fact("simulate_route", json!({ "model": model }), "Where a request would go now").await,
        );
        messages.extend(self.resource("health").await);
        messages.extend(self.resource("quotas").await);
        messages
    }

    async fn cut_costs(&self, args: &Arguments) -> Result<Vec<PromptMessage>, ErrorData> {
        let period = args.get("period").unwrap_or("week");
        if !PERIODS.contains(&period) {
            return Err(invalid(format!("`period` is one of {}", PERIODS.join(", "))));
        }
        let task = format!(
            "Find out what costs most at the Trivium hub over the last {period}, and what would do the same work for less. \
             Propose changes, the largest saving first, each with what it saves and what it risks. Change nothing without asking."
        );
        let mut messages = vec![self.task(&task, CUT_COSTS)];
        messages.extend(self.fact("cost_report", json!({ "period": period }), "What was spent").await);
        messages.extend(self.resource("quotas").await);
        messages.extend(self.resource("combos").await);
        Ok(messages)
    }

    async fn set_up(&self, args: &Arguments, base: &str) -> Result<Vec<PromptMessage>, ErrorData> {
        let client = args.get("client").unwrap_or_default();
        let guide = guides::guide(client, base).ok_or_else(|| {
            invalid(format!(
                "there is no guide for `{}`; there is for {}",
                short(client),
                guides::names().join(", ")
            ))
        })?;
        let task = format!(
            "Set up `{client}` to use the Trivium hub at {base}. Follow the guide below; where it says `tvm_…`, a key of the hub \
             belongs. Never write a key into a file that is shared. Then have the client ask for something small, and check that \
             the request arrived.\n\n{guide}"
        );
        let mut messages = vec![self.task(&task, SET_UP)];
        messages.extend(self.resource("models").await);
        Ok(messages)
    }

    /// What is to be done, and by which tools among those that the visitor may call.
    fn task(&self, task: &str, steps: &[Step]) -> PromptMessage {
        let settings = self.resources.settings();
        let open = steps.iter().filter(|(name, _)| is_open(&settings, self.visitor, name));
        let steps: Vec<String> =
            open.zip(1..).map(|((name, why), nth)| format!("{nth}. `{name}`: {why}")).collect();
        let steps = if steps.is_empty() {
            "Your key allows none of the tools for this; say so, and which rights are missing.".to_owned()
        } else {
            format!("Call these tools, in this order, as far as it takes:\n{}", steps.join("\n"))
        };
        PromptMessage::new_text(Role::User, format!("{task}\n\n{steps}"))
    }

    /// What an operation answers, if the visitor may ask it and it does.
    async fn fact(&self, name: &str, args: Value, title: &str) -> Option<PromptMessage> {
        if !is_open(&self.resources.settings(), self.visitor, name) {
            return None;
        }
        let text = self.resources.call(self.visitor, name, args).await.ok()?.to_string();
        let fits = text.len() <= EMBEDDED;
        fits.then(|| PromptMessage::new_text(Role::User, format!("{title} (`{name}`):\n{text}")))
    }

    /// A resource, embedded if it is small and linked if not. Nothing, if the visitor may not read it.
    async fn resource(&self, noun: &str) -> Option<PromptMessage> {
        let uri = written(noun, None);
        let listed = self.resources.listed(self.visitor);
        let resource = listed.into_iter().find(|resource| resource.uri == uri)?;
        let text = match self.resources.text(self.visitor, &uri).await {
            Ok(text) if text.len() <= EMBEDDED => text,
            _ => return Some(linked(resource)),
        };
        let contents = ResourceContents::text(text, uri).with_mime_type(JSON);
        Some(PromptMessage::new(Role::User, ContentBlock::resource(contents)))
    }
}

fn linked(resource: Resource) -> PromptMessage {
    PromptMessage::new(Role::User, ContentBlock::resource_link(resource))
}

fn invalid(text: String) -> ErrorData {
    ErrorData::invalid_params(text, None)
}

fn short(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use operations::Definition;

    use super::*;

    #[test]
    fn prompts_name_tools_that_there_are() {
        for (name, _) in DIAGNOSE.iter().chain(CUT_COSTS).chain(SET_UP) {
            assert!(Definition::named(name).is_some(), "{name}");
        }
    }
}

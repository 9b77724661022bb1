//! FreeRouter: keys in its `.env`, and the ranked catalogue of models in `data/model_catalog.json`. Each provider of the
//! catalogue becomes a connection, or several where there are several keys, with its models, their ranks and tags.

use serde_json::{Value as JsonValue, json};

use super::{
    Input,
    account::{Account, Model, literal, reference},
    draft::{Draft, Meant},
    environment::given,
    note_empty,
    part::Part,
    trees,
    variables::{self, Found},
};
use crate::{
    config::{Origin, mask::shown},
    engine::settings::Provider,
};

/// Ranks that our file takes.
const MOST_RANK: u64 = 1_000_000;

/// Variables of its own, and what they are here.
const VARIABLES: [(&str, &str); 6] = [
    ("GATEWAY_HOST", "`server.host`, or HOST"),
    ("GATEWAY_PORT", "`server.port`, or PORT"),
    ("MAX_CONCURRENT_REQUESTS", "see the section `server`, or `pace` of a connection"),
    ("REQUEST_QUEUE_TIMEOUT_SECONDS", "see the section `server`, or `pace` of a connection"),
    ("REQUEST_TIMEOUT_SECONDS", "see the section `timeouts`"),
    ("GATEWAY_MODEL_NAME", "the virtual model is `auto`; make an alias for another name"),
];

/// What tags say of a model.
const ABILITIES: [(&str, &str); 3] =
    [("vision", "vision"), ("tool-use", "tools"), ("reasoning", "reasoning")];

struct Served<'a> {
    row: &'a Provider,
    place: Origin,
    models: Vec<Model>,
    free: bool,
}

pub(super) fn read(inputs: &[Input], draft: &mut Draft<'_>) {
    note_empty(inputs, draft);
    let mut served: Vec<Served<'_>> = Vec::new();
    let mut off = 0;
    let mut first = None;
    for root in trees(inputs) {
        for route in root.get("data").unwrap_or(root).items() {
            first.get_or_insert(route.place());
            if route.truth_at("enabled") == Some(false) {
                off += 1;
                continue;
            }
            read_route(route, &mut served, draft);
        }
    }
    let given = given(inputs, draft);
    for one in &given {
        let known = VARIABLES.iter().find(|(name, _)| *name == one.name);
        if let Some((name, remedy)) = known.filter(|_| !one.value.trim().is_empty()) {
            draft.note(one.place, format!("{name} is not carried over"), *remedy);
        }
    }
    let Some(first) = first else {
        variables::accounts(&given, draft);
        return;
    };
    if off > 0 {
        let message = format!("{off} models that are switched off are left out");
        draft.note(first, message, "switch them on, and import again");
    }
    let mut keys = variables::keys(&given, draft);
    for one in served {
        let own = keys.extract_if(.., |key| key.row.id == one.row.id).collect();
        accounts(&one, own, draft);
    }
    for Found { row, key, place } in keys {
        let account = Account { provider: row.id.clone(), key: Some(key), ..Account::default() };
        let id = draft.numbered(&row.id);
        draft.account(&id, account, &place);
    }
    draft.setting("auto.strategy", "ranked", first);
}

fn read_route<'a>(route: Part<'_>, served: &mut Vec<Served<'a>>, draft: &mut Draft<'a>) {
    let place = route.place();
    let (Some(provider), Some(model)) = (route.text_at("provider_name"), route.text_at("model_id")) else {
        draft.note(place, "a route names no provider or no model", "write `provider_name` and `model_id`");
        return;
    };
    let row = match draft.meant(provider) {
        Meant::Provider(row) => row,
        Meant::Refused { message, remedy } => {
            draft.note(place, format!("{} is left out: {message}", shown(model)), remedy);
            return;
        }
        Meant::Nothing => {
            let message = format!("{} is left out: nothing is known of {}", shown(model), shown(provider));
            draft.note(place, message, "make an `openai-compatible` connection with its URL");
            return;
        }
    };
    let index = served.iter().position(|one| one.row.id == row.id).unwrap_or_else(|| {
        served.push(Served { row, place: place.clone(), models: Vec::new(), free: true });
        served.len() - 1
    });
    let Some(one) = served.get_mut(index) else { return };
    one.free &= route.text_at("cost").is_none_or(|cost| cost.starts_with("free"));
    if one.models.iter().all(|known| known.id != model) {
        one.models.push(described(route, model));
    }
}

fn described(route: Part<'_>, id: &str) -> Model {
    let mut model = Model::new(id);
    let rank = route.count_at("rank").filter(|rank| *rank <= MOST_RANK);
    model.about.extend(rank.map(|rank| ("rank".to_owned(), rank.into())));
    let window = route.count_at("context_window").filter(|window| *window <= 1_000_000_000);
    model.about.extend(window.map(|window| ("context".to_owned(), window.into())));
    let tags: Vec<&str> = route.get("tags").map(Part::texts).unwrap_or_default();
    for (tag, ability) in ABILITIES {
        if tags.contains(&tag) {
            model.about.insert(ability.to_owned(), true.into());
        }
    }
    if !tags.is_empty() {
        let tags: Vec<JsonValue> = tags.into_iter().map(|tag| literal(tag).into()).collect();
        model.about.insert("tags".to_owned(), json!(tags));
    }
    model
}

/// A connection for each key; without any the one whose key the usual variable will hold.
fn accounts(one: &Served<'_>, keys: Vec<Found<'_>>, draft: &mut Draft<'_>) {
    let keys: Vec<Option<String>> = if keys.is_empty() {
        vec![one.row.env.first().and_then(|name| reference(name))]
    } else {
        keys.into_iter().map(|found| Some(found.key)).collect()
    };
    for key in keys {
        let account = Account {
            provider: one.row.id.clone(),
            key,
            models: one.models.clone(),
            tier: one.free.then_some("free"),
            ..Account::default()
        };
        let id = draft.numbered(&one.row.id);
        draft.account(&id, account, &one.place);
    }
}

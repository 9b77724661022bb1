//! Combos and aliases of 9router and OmniRoute. Their steps are `prefix/model`; a prefix that leads to several accounts
//! of one's own node becomes a step for each.

use std::collections::HashSet;

use serde_json::{Value as JsonValue, json};

use super::{
    super::{
        account::literal,
        draft::{Draft, Meant},
        part::Part,
    },
    Accounts,
};
use crate::config::mask::shown;

/// Their strategies of combos, and ours.
const STRATEGIES: [(&str, &str); 13] = [
    ("fallback", "priority"),
    ("priority", "priority"),
    ("fill-first", "exhaust"),
    ("round-robin", "round-robin"),
    ("weighted", "weighted"),
    ("random", "random"),
    ("strict-random", "strict-random"),
    ("least-used", "least-used"),
    ("cost-optimized", "cost-optimized"),
    ("p2c", "p2c"),
    ("lkgp", "lkgp"),
    ("auto", "auto"),
    ("context-optimized", "context-optimized"),
];

pub(super) fn read(root: Part<'_>, accounts: &Accounts, draft: &mut Draft<'_>) {
    let combos: Vec<Part<'_>> = root.get("combos").into_iter().flat_map(Part::items).collect();
    let names: HashSet<&str> = combos.iter().filter_map(|combo| combo.text_at("name")).collect();
    for combo in combos {
        read_one(combo, root, &names, accounts, draft);
    }
    for (key, target) in root.get("modelAliases").into_iter().flat_map(Part::entries) {
        let Some(written) = target.text() else { continue };
        let found = found(written, &names, accounts, draft);
        match found {
            Ok(targets) => {
                let name = draft.name(&key.name, &key.origin);
                draft.alias(&name, &targets, None, &key.origin);
            }
            Err((why, remedy)) => {
                draft.note(&key.origin, format!("the alias {} is left out: {why}", shown(&key.name)), remedy);
            }
        }
    }
}

fn read_one(
    combo: Part<'_>,
    root: Part<'_>,
    names: &HashSet<&str>,
    accounts: &Accounts,
    draft: &mut Draft<'_>,
) {
    let place = combo.place();
    let Some(name) = combo.text_at("name") else {
        draft.note(place, "a combo has no `name`", "give it one, and export again");
        return;
    };
    if combo.truth_at("isActive") == Some(false) {
        draft.note(
            place,
            format!("the combo {} is switched off and left out", shown(name)),
            "switch it on, and import again",
        );
        return;
    }
    let strategy = strategy(combo, name, root, draft);
    let mut steps = Vec::new();
    for item in combo.get("models").into_iter().flat_map(Part::items) {
        match step(item, strategy == "weighted", names, accounts, draft) {
            Ok(found) => steps.extend(found),
            Err((why, remedy)) => {
                draft.note(
                    item.place(),
                    format!("a step of the combo {} is left out: {why}", shown(name)),
                    remedy,
                );
            }
        }
    }
    if steps.is_empty() {
        let message = format!("the combo {} is left out: none of its steps leads anywhere", shown(name));
        draft.note(place, message, "import its accounts first, or make it anew");
        return;
    }
    let name = draft.name(name, place);
    draft.combo(&name, strategy, steps, place);
}

fn strategy(combo: Part<'_>, name: &str, root: Part<'_>, draft: &mut Draft<'_>) -> &'static str {
    let settings = root.get("settings");
    let own = settings.and_then(|settings| {
        settings.get("comboStrategies")?.get(name)?.first(&["fallbackStrategy", "strategy"])
    });
    let word = combo.get("strategy").or(own).or_else(|| settings?.get("comboStrategy"));
    let Some(word) = word else { return "priority" };
    let ours = word.text().and_then(|text| STRATEGIES.iter().find(|(theirs, _)| *theirs == text));
    if ours.is_none() {
        let message =
            format!("the strategy of the combo {} is none of the hub's: it goes in order", shown(name));
        draft.note(word.place(), message, "docs/routing.md lists the strategies");
    }
    ours.map_or("priority", |(_, ours)| ours)
}

type Found<T> = Result<Vec<T>, (String, String)>;

/// The steps that one of theirs becomes.
fn step(
    item: Part<'_>,
    weighted: bool,
    names: &HashSet<&str>,
    accounts: &Accounts,
    draft: &Draft<'_>,
) -> Found<JsonValue> {
    let other = item.text_at("comboName").filter(|_| item.text_at("kind") == Some("combo-ref"));
    let model = item.text().or_else(|| item.text_at("model"));
    let provider = item.first(&["providerId", "provider"]).and_then(Part::text);
    let written = match (other, model, provider) {
        (Some(other), ..) => format!("combo/{other}"),
        (None, Some(model), Some(provider)) if !model.contains('/') => format!("{provider}/{model}"),
        (None, Some(model), _) => model.to_owned(),
        (None, None, _) => {
            return Err(("it names no model".to_owned(), "write one, and export again".to_owned()));
        }
    };
    let pinned = item.text_at("connectionId").and_then(|id| accounts.by_id.get(id));
    let targets = match (pinned, written.split_once('/')) {
        (Some(id), Some((_, model))) => vec![format!("{id}/{model}")],
        _ => found(&written, names, accounts, draft)?,
    };
    let weight = item.count_at("weight").filter(|_| weighted);
    let steps = targets.into_iter().map(|target| {
        let target = literal(&target);
        weight.map_or_else(
            || JsonValue::from(target.as_str()),
            |weight| json!({"model": target, "weight": weight}),
        )
    });
    Ok(steps.collect())
}

/// What a name of theirs is here.
fn found(written: &str, names: &HashSet<&str>, accounts: &Accounts, draft: &Draft<'_>) -> Found<String> {
    if let Some(name) = written.strip_prefix("combo/").or(Some(written)).filter(|name| names.contains(name)) {
        return Ok(vec![format!("combo/{name}")]);
    }
    let lacking = |why: String| (why, "import that account first, or leave it out".to_owned());
    let Some((prefix, model)) = written.split_once('/') else {
        return Err(lacking(format!("{} says no provider", shown(written))));
    };
    let ids = accounts.by_prefix.get(prefix);
    let row = match draft.meant(prefix) {
        Meant::Provider(row) => Some(row),
        Meant::Refused { message, remedy } if ids.is_none() => return Err((message, remedy)),
        _ => None,
    };
    match (ids.map(Vec::as_slice), row) {
        // All accounts of a provider are reached by its id.
        (Some([_, _, ..]), Some(row)) => Ok(vec![format!("{}/{model}", row.id)]),
        (Some(ids), _) if !ids.is_empty() => Ok(ids.iter().map(|id| format!("{id}/{model}")).collect()),
        _ => Err(lacking(format!("no account of {} was taken over", shown(prefix)))),
    }
}

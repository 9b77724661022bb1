//! The skills that look: each asks one or two operations, says in a sentence or two what they answered, and gives the whole
//! along as data.

use operations::{
    Operation, health, models, providers, quotas,
    reports::{self, CostReport, RecentErrors},
    spending,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    ALL,
    answer::{Answer, report},
    ask::Ask,
    operations_for,
};
use crate::ops::OpError;

/// Most rows of a list in a report. The data says where the next ones begin.
const ROWS: u64 = 100;

/// Most names in a sentence.
const NAMES: usize = 5;

/// What is left of quotas and budgets.
///
/// # Errors
/// [`OpError`].
pub(super) async fn quotas(ask: &Ask) -> Result<Answer, OpError> {
    let mut args = ask.given(&["connection", "provider"]);
    args.insert("limit".to_owned(), ROWS.into());
    let found = ask.call(quotas::List::NAME, args.into()).await?;
    let spent = ask.call_if_allowed(spending::Status::NAME, json!({"limit": ROWS})).await?;
    let page: quotas::QuotaPage = read(&found)?;
    let full: Vec<String> = page
        .windows
        .iter()
        .filter(|window| window.limit.is_some_and(|limit| window.used + window.reserved >= limit))
        .map(|window| format!("{} ({})", window.connection, window.window))
        .collect();
    let mut text = match page.windows.len() {
        0 => "No window of a quota is known: no limit is configured, and no provider has told of one yet."
            .to_owned(),
        1 => "1 window of a quota is known".to_owned(),
        many => format!("{many} windows of quotas are known"),
    };
    if !page.windows.is_empty() {
        text.push_str(&if full.is_empty() {
            "; none is used up.".to_owned()
        } else {
            format!("; used up: {}.", list(&full))
        });
    }
    let budgets = spent.as_ref().and_then(|spent| spent["budgets"].as_array()).map_or(0, Vec::len);
    if budgets > 0 {
        let more = if budgets == 1 { "1 budget is".to_owned() } else { format!("{budgets} budgets are") };
        text.push_str(&format!(" {more} being counted."));
    }
    Ok(report(text, json!({"quotas": found, "budgets": spent})))
}

/// Who is there and what they serve.
///
/// # Errors
/// [`OpError`].
pub(super) async fn providers(ask: &Ask) -> Result<Answer, OpError> {
    let mut args = ask.given(&["search", "provider", "capability"]);
    args.insert("limit".to_owned(), ROWS.into());
    let served = ask.call(models::List::NAME, args.into()).await?;
    let listed = json!({"configured": true, "limit": ROWS});
    let there = ask.call_if_allowed(providers::List::NAME, listed).await?;
    let page: models::ModelPage = read(&served)?;
    let names: Vec<String> = page.models.iter().map(|model| model.id.clone()).collect();
    let more = if page.next_cursor.is_some() { " or more" } else { "" };
    let mut text = match names.len() {
        0 => "No model is served that fits.".to_owned(),
        1 => format!("1 model is served: {}.", list(&names)),
        many => format!("{many}{more} models are served: {}.", list(&names)),
    };
    if let Some(there) = &there {
        let page: providers::ProviderPage = read(there)?;
        let names: Vec<String> = page.providers.iter().map(|provider| provider.id.clone()).collect();
        text.push_str(&match names.len() {
            0 => " No provider is configured.".to_owned(),
            _ => format!(" Providers: {}.", list(&names)),
        });
    }
    Ok(report(text, json!({"models": served, "providers": there})))
}

/// What was spent.
///
/// # Errors
/// [`OpError`].
pub(super) async fn cost(ask: &Ask) -> Result<Answer, OpError> {
    let mut args = ask.given(&["period", "key"]);
    if !args.contains_key("period")
        && let Some(period) = period_in(&ask.text())
    {
        args.insert("period".to_owned(), period.into());
    }
    let found = ask.call(reports::Cost::NAME, args.into()).await?;
    let CostReport { totals, by_model, .. } = read(&found)?;
    let cost = match totals.cost_usd {
        Some(cost) => format!("${cost:.4}"),
        None if totals.requests == 0 => "nothing".to_owned(),
        None => "an unknown amount".to_owned(),
    };
    let period = found["period"].as_str().unwrap_or("day");
    let mut text = format!(
        "In this {period}, {} {} took {} and {} tokens and cost {cost}.",
        totals.requests,
        if totals.requests == 1 { "request" } else { "requests" },
        totals.input_tokens,
        totals.output_tokens,
    );
    if totals.cost_unknown > 0 {
        text.push_str(&format!(" The cost of {} answers is not known.", totals.cost_unknown));
    }
    if let Some(most) = by_model.first() {
        text.push_str(&format!(" Most of it went to {}.", most.name));
    }
    Ok(report(text, found))
}

/// How everybody stands.
///
/// # Errors
/// [`OpError`].
pub(super) async fn health(ask: &Ask) -> Result<Answer, OpError> {
    let found = ask.call(health::Get::NAME, json!({"limit": ROWS})).await?;
    let lately = ask.call_if_allowed(reports::Errors::NAME, json!({"limit": 10})).await?;
    let told: health::HealthReport = read(&found)?;
    let ill: Vec<String> = told
        .connections
        .iter()
        .filter(|connection| connection.standing != "fit")
        .map(|connection| format!("{} ({})", connection.id, connection.standing))
        .collect();
    let all = told.connections.len();
    let mut text = match (all, ill.len()) {
        (0, _) => "No connection is configured.".to_owned(),
        (1, 0) => "The one connection is fit.".to_owned(),
        (_, 0) => format!("All {all} connections are fit."),
        _ => format!("{} of {all} connections are fit; not so: {}.", all - ill.len(), list(&ill)),
    };
    if !told.breakers.is_empty() {
        text.push_str(&format!(" Breakers are known of {} hosts.", told.breakers.len()));
    }
    if let Some(lately) = &lately {
        let RecentErrors { errors, .. } = read(lately)?;
        let count: u64 = errors.iter().map(|group| group.count).sum();
        text.push_str(&match errors.first() {
            None => " Nothing went wrong in the last day.".to_owned(),
            Some(most) => format!(" {count} requests failed in the last day, most often with {}.", most.code),
        });
    }
    Ok(report(text, json!({"health": found, "errors": lately})))
}

/// What can be asked for.
///
/// # Errors
/// Never.
pub(super) async fn capabilities(ask: &Ask) -> Result<Answer, OpError> {
    let skills: Vec<Value> = ALL
        .iter()
        .map(|skill| json!({"id": skill.id, "name": skill.name, "description": skill.about, "examples": skill.examples}))
        .collect();
    let operations: Vec<Value> = operations_for(&ask.asked.caller)
        .map(|one| json!({"id": one.name, "name": one.title, "description": one.summary, "scope": one.scope.as_str()}))
        .collect();
    let models = ask.call_if_allowed(models::List::NAME, json!({"limit": 1})).await?;
    let serving = models.and_then(|page| Some(!page["models"].as_array()?.is_empty()));
    let names: Vec<&str> = ALL.iter().map(|skill| skill.id).collect();
    let text = format!(
        "The skills are {}; you may also have {} operations done by their names.{}",
        names.join(", "),
        operations.len(),
        if serving == Some(false) { " No model is served yet." } else { "" }
    );
    Ok(report(text, json!({"skills": skills, "operations": operations})))
}

/// A result of an operation in its own type.
fn read<T: DeserializeOwned>(result: &Value) -> Result<T, OpError> {
    T::deserialize(result).map_err(|error| OpError::Store(Box::new(error)))
}

/// Some names, and how many more there are.
fn list(names: &[String]) -> String {
    let shown = names.iter().take(NAMES).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The period that a text speaks of.
fn period_in(text: &str) -> Option<&'static str> {
    const WORDS: [(&str, &str); 9] = [
        ("month", "month"),
        ("monthly", "month"),
        ("week", "week"),
        ("weekly", "week"),
        ("day", "day"),
        ("daily", "day"),
        ("today", "day"),
        ("session", "session"),
        ("start", "session"),
    ];
    let words: Vec<String> =
        text.split(|it: char| !it.is_alphanumeric()).map(str::to_ascii_lowercase).collect();
    WORDS.iter().find(|(word, _)| words.iter().any(|one| one == word)).map(|(_, period)| *period)
}

#[test]
fn a_text_may_name_the_period() {
    assert_eq!(period_in("What did we spend this Week?"), Some("week"));
    assert_eq!(period_in("Monthly cost, please"), Some("month"));
    assert_eq!(period_in("how much"), None);
}

//! An operation as a skill. Its arguments come as a part of data, or as the `arguments` of the metadata; what cannot be had back
//! is done when it is confirmed.

use operations::Definition;
use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, report},
    ask::Ask,
    conversation,
};
use crate::ops::OpError;

const ARGUMENTS: &str = "arguments";
const CONFIRM: &str = "confirm";

/// Has an operation done.
///
/// # Errors
/// [`OpError`]; arguments that cannot be read are asked for again.
pub(super) async fn perform(ask: &Ask, definition: &'static Definition) -> Result<Answer, OpError> {
    // Before anything is asked back.
    if !ask.asked.caller.may(definition.scope) {
        return Err(OpError::Forbidden { scope: definition.scope });
    }
    let said = arguments(ask);
    let answered = conversation::of(ask).answered;
    let agreed = answered.is_some_and(|(what, text)| what == CONFIRM && is_yes(&text));
    // What is confirmed was said before the question.
    let mut args = match said {
        Some(args) => args,
        None if agreed => before(ask),
        None => Map::new(),
    };
    let confirmed = args.remove(CONFIRM) == Some(Value::Bool(true)) || agreed;
    if definition.hints.destructive && !confirmed {
        let text = format!(
            "`{}` with {} cannot be taken back. Answer `yes` to have it done.",
            definition.name,
            Value::Object(args.clone())
        );
        return Ok(Answer::Question { text, asks: CONFIRM, data: json!({"arguments": args}) });
    }
    let named = definition.name;
    match ask.call(named, args.into()).await {
        Ok(result) => Ok(report(format!("`{named}` is done."), result)),
        Err(error @ (OpError::Malformed(_) | OpError::Invalid(_))) => {
            let text = format!("`{named}` needs other arguments: {error}. Send them as a part of data.");
            Ok(Answer::Question { text, asks: ARGUMENTS, data: json!({"schema": definition.args_schema()}) })
        }
        Err(error) => Err(error),
    }
}

fn arguments(ask: &Ask) -> Option<Map<String, Value>> {
    if let Some(data) = ask.data() {
        return Some(data.clone());
    }
    match ask.given(&[ARGUMENTS]).remove(ARGUMENTS) {
        Some(Value::Object(args)) => Some(args),
        _ => None,
    }
}

/// The arguments of the message before the question.
fn before(ask: &Ask) -> Map<String, Value> {
    let mut earlier = ask.before.iter().rev().flat_map(|message| &message.parts);
    let found = earlier.find_map(|part| match &part.content {
        a2a::model::Content::Data(Value::Object(data)) if !data.contains_key("schema") => {
            Some(data.get(ARGUMENTS).and_then(Value::as_object).unwrap_or(data).clone())
        }
        _ => None,
    });
    found.unwrap_or_default()
}

fn is_yes(text: &str) -> bool {
    let word = text.trim().trim_end_matches(['.', '!']).to_ascii_lowercase();
    matches!(word.as_str(), "yes" | "y" | "ok" | "confirm" | "confirmed" | "do it")
}

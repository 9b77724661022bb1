//! Signatures of thoughts: made with the first call of each step, and wanted back with it.

use serde_json::Value;

use super::super::problem::Problem;
use super::super::seal;

/// What may stand for a signature that was never made, as it is and in Base64.
const STAND_INS: [&str; 4] = [
    "skip_thought_signature_validator",
    "context_engineering_is_the_way_to_go",
    "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=",
    "Y29udGV4dF9lbmdpbmVlcmluZ19pc190aGVfd2F5X3RvX2dv",
];

/// What a part's signature is for: a call's belongs to its function.
fn purpose(part: &Value) -> String {
    part["functionCall"]["name"].as_str().map_or_else(|| "thought".to_owned(), |name| format!("call {name}"))
}

/// A signature for a part.
pub(super) fn sign(maker: &str, part: &Value, nonce: u64) -> String {
    seal::token(maker, &purpose(part), nonce)
}

/// Checks the signature of a part, if it has one.
pub(super) fn check(maker: &str, part: &Value) -> Result<(), Problem> {
    match part.get("thoughtSignature").and_then(Value::as_str) {
        None => Ok(()),
        Some(known) if STAND_INS.contains(&known) || seal::is_own(known, maker, &purpose(part)) => Ok(()),
        Some(_) => Err(Problem::invalid("Corrupted thought signature.")),
    }
}

/// Refuses steps of the current turn whose first call came without a signature. The current turn begins with what the
/// user said last.
pub(super) fn required(turns: &[super::history::Turn<'_>]) -> Result<(), Problem> {
    let begin = turns.iter().rposition(super::history::Turn::is_spoken_by_user).unwrap_or(0);
    for turn in turns.iter().skip(begin).filter(|turn| turn.model) {
        let mut calls = turn.parts.iter().enumerate().filter(|(_, part)| part.get("functionCall").is_some());
        let Some((at, first)) = calls.next() else { continue };
        if first.get("thoughtSignature").and_then(Value::as_str).is_none_or(str::is_empty) {
            let name = first["functionCall"]["name"].as_str().unwrap_or("");
            return Err(Problem::invalid(format!(
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to \
                 work correctly, and missing thought_signature may lead to degraded model performance. Additional \
                 data, function call `default_api:{name}`, position {}.",
                at + 1
            )));
        }
    }
    Ok(())
}

//! What became of a skill's work, and telling it: a short text and the data behind it, a question, or why there is nothing.

use a2a::model::{Part, TaskState};
use serde_json::{Map, Value, json};

use super::{choose::Chosen, voice::Voice};
use crate::{engine::code::Code, ops::OpError};

/// The artifact that reports are told in.
const RESULT: &str = "result";

/// How a skill's work went.
pub(super) enum Answer {
    /// Done.
    Done {
        /// In a few words; empty where the words were told while they came.
        text: String,
        /// The name of the data's artifact, and the data.
        data: (&'static str, Value),
        /// What the extension tells.
        told: Map<String, Value>,
    },
    /// Something must be chosen first.
    Question {
        /// In words.
        text: String,
        /// What is asked for: a word for the next step.
        asks: &'static str,
        /// What can be chosen, or what is expected.
        data: Value,
    },
}

/// A report.
pub(super) fn report(text: String, data: Value) -> Answer {
    Answer::Done { text, data: (RESULT, data), told: Map::new() }
}

/// Tells how it went, and ends the task or lets it wait.
pub(super) async fn tell(voice: &Voice, chosen: &Chosen, done: Result<Answer, OpError>) {
    match done {
        Ok(Answer::Done { text, data: (name, data), mut told }) => {
            let (skill, by) = chosen.told();
            told.entry("routing_explanation").or_insert_with(|| {
                format!("the skill `{skill}` answered (chosen by {by}); no model was asked").into()
            });
            told.entry("policy_verdict").or_insert_with(|| json!({"allowed": true}));
            told.insert("skillId".to_owned(), skill.into());
            let parts = if text.is_empty() {
                vec![Part::data(data)]
            } else {
                vec![Part::text(text), Part::data(data)]
            };
            voice.artifact(name, parts, Some(told.clone())).await;
            voice.completed(told).await;
        }
        Ok(Answer::Question { text, asks, data }) => voice.question(&text, asks, data).await,
        Err(error) => failed(voice, chosen, &error).await,
    }
}

/// Tells why there is nothing. What the caller's rights and limits forbid is a refusal of the task, anything else its failure.
async fn failed(voice: &Voice, chosen: &Chosen, error: &OpError) {
    let (code, remedy) = match error {
        OpError::Denied(refusal) => (refusal.code.as_str(), refusal.code.remedy()),
        OpError::Forbidden { .. } => (Code::InsufficientScope.as_str(), Code::InsufficientScope.remedy()),
        other => (other.code(), ""),
    };
    let text = error.to_string();
    let first: String = text.chars().take(1).flat_map(char::to_uppercase).collect();
    let rest: String = text.chars().skip(1).collect();
    let text = format!("{first}{}. {remedy}", rest.trim_end_matches('.'));
    let forbidden = is_forbidden(error);
    let state = if forbidden { TaskState::Rejected } else { TaskState::Failed };
    let mut told = Map::new();
    told.insert("skillId".to_owned(), chosen.told().0.into());
    told.insert("policy_verdict".to_owned(), json!({"allowed": !forbidden, "code": code}));
    voice.ended(state, text.trim_end(), told).await;
}

fn is_forbidden(error: &OpError) -> bool {
    match error {
        OpError::Forbidden { .. } => true,
        OpError::Denied(refusal) => matches!(
            refusal.code,
            Code::InsufficientScope
                | Code::KeyDisabled
                | Code::AddressNotAllowed
                | Code::OutsideSchedule
                | Code::ModelNotAllowed
                | Code::BudgetExceeded
                | Code::PriceUnknown
        ),
        _ => false,
    }
}

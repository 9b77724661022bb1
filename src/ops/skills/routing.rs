//! Smart routing: a conversation goes the way of every request, its answer is told piece by piece, and how it came about
//! behind it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use operations::{Operation, completions::RouteRequest};
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use super::{
    answer::Answer,
    ask::Ask,
    conversation::{self, Conversation},
    voice::Voice,
};
use crate::{
    engine::code::Code,
    ops::{OpError, ports::Progress},
};

/// What is asked for where nobody names a model: the best target for the request.
const MODEL: &str = "auto";

/// What a caller may say of how to answer, as `route_request` calls it.
const GIVEN: &[&str] = &["model", "combo", "budget", "role", "max_tokens"];

/// The artifact that the answer is told in, and the one that says how it came about.
const TEXT: &str = "answer";
const ROUTING: &str = "routing";

/// What is asked for when a model's name means several.
const ASKS_MODEL: &str = "model";

/// Answers a chat.
///
/// # Errors
/// What the model API would refuse it with.
pub(super) async fn route(ask: &Ask, voice: &Voice) -> Result<Answer, OpError> {
    let Conversation { messages, answered } = conversation::of(ask);
    let mut args = ask.given(GIVEN);
    if let Some((_, model)) = answered.filter(|(what, _)| what == ASKS_MODEL) {
        args.insert("model".to_owned(), model.into());
    }
    if !args.contains_key("model") && !args.contains_key("combo") {
        args.insert("model".to_owned(), MODEL.into());
    }
    args.insert("messages".to_owned(), messages.into());
    args.insert("stream".to_owned(), true.into());
    let heard = Arc::new(Heard::default());
    let listener: Arc<dyn Progress> = Arc::<Heard>::clone(&heard);
    let mut calling = std::pin::pin!(ask.call_with(RouteRequest::NAME, args.into(), Some(listener)));
    let done = loop {
        tokio::select! {
            done = &mut calling => break done,
            () = heard.news.notified() => voice.piece(TEXT, heard.take(), false).await,
        }
    };
    let routed = match done {
        Ok(routed) => routed,
        Err(OpError::Denied(refusal)) if refusal.code == Code::ModelAmbiguous => {
            let text = format!("{} Which one is meant?", refusal.message);
            return Ok(Answer::Question { text, asks: ASKS_MODEL, data: json!({"field": "model"}) });
        }
        Err(error) => return Err(error),
    };
    finish(voice, &heard, &routed).await;
    Ok(Answer::Done { text: String::new(), data: (ROUTING, summary(&routed)), told: told(&routed) })
}

/// The last piece. What came from a cache was reported to nobody.
async fn finish(voice: &Voice, heard: &Heard, routed: &Value) {
    let whole = routed["response"]["content"].as_str().unwrap_or_default();
    let rest = heard.take();
    let rest = if heard.any() { rest } else { whole.to_owned() };
    voice.piece(TEXT, rest, true).await;
}

/// How it came about, as data.
fn summary(routed: &Value) -> Value {
    json!({
        "request_id": routed["request_id"],
        "model": routed["response"]["model"],
        "finish_reason": routed["response"]["finish_reason"],
        "tokens": routed["response"]["tokens"],
        "provider": routed["routing"]["provider"],
        "connection": routed["routing"]["connection"],
        "combo": routed["routing"]["combo"],
        "latency_ms": routed["routing"]["latency_ms"],
    })
}

/// What the extension tells.
fn told(routed: &Value) -> Map<String, Value> {
    let routing = &routed["routing"];
    let told = [
        ("routing_explanation", routing["explanation"].clone()),
        (
            "cost_envelope",
            json!({
                "currency": "USD",
                "actual": routing["cost_usd"],
                "is_estimate": routing["cost_estimated"],
                "tokens": routed["response"]["tokens"],
                "reused": routing["reused"],
            }),
        ),
        (
            "resilience_trace",
            json!({"attempts": routing["attempts"], "fallbacks_triggered": routing["fallbacks_triggered"]}),
        ),
        ("policy_verdict", json!({"allowed": true})),
        ("request_id", routed["request_id"].clone()),
    ];
    told.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What was heard of an answer and not yet told. It holds the answer at most, whose size the engine bounds.
#[derive(Default)]
struct Heard {
    text: Mutex<(String, bool)>,
    news: Notify,
}

impl Heard {
    fn text(&self) -> MutexGuard<'_, (String, bool)> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> String {
        std::mem::take(&mut self.text().0)
    }

    fn any(&self) -> bool {
        self.text().1
    }
}

impl Progress for Heard {
    fn report(&self, _done: f64, _total: Option<f64>, message: String) {
        let mut text = self.text();
        text.0.push_str(&message);
        text.1 = true;
        drop(text);
        self.news.notify_one();
    }
}

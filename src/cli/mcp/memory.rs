//! What a relay has to know of a conversation so that it goes on at another hub: how it was opened, what the client wants
//! to be told of, and what it waits for. Messages are read no further than that.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

/// Requests that a client may wait for at a time.
const AT_ONCE: usize = 1_024;

/// Things that a client may want to be told of.
const WISHES: usize = 1_024;

/// The longest request that is kept to be sent again.
const KEPT: usize = 64 * 1024;

/// How the ids of requests begin that the relay itself sends.
const OWN: &str = "trivium-again-";

/// Requests that only look, and are sent again when the hub that had them is gone. `tools/call` is none: it is done once
/// or its client hears that nobody knows.
const LOOKING: [&str; 11] = [
    "initialize",
    "server/discover",
    "ping",
    "tools/list",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "prompts/list",
    "prompts/get",
    "completion/complete",
    "subscriptions/listen",
];

/// Wishes that a hub has to be told of anew: those of the revisions before 2026-07-28.
const SUBSCRIBE: &str = "resources/subscribe";
const UNSUBSCRIBE: &str = "resources/unsubscribe";
const LEVEL: &str = "logging/setLevel";

const PARSE_ERROR: i32 = -32_700;
const INVALID_REQUEST: i32 = -32_600;
const INTERNAL_ERROR: i32 = -32_603;

/// As much of a message as is read.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

/// A request without an answer.
struct Open {
    id: Value,
    /// The line, if it may be sent again.
    again: Option<Bytes>,
    /// Whether it has no end of its own.
    is_endless: bool,
}

/// What a client wants to be told of.
struct Wish {
    /// What it is about.
    about: String,
    line: Bytes,
}

/// What is to be done with a line of the client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// It goes to the hub.
    Pass,
    /// It does not; the client is answered this.
    Answer(Bytes),
}

/// What is remembered.
#[derive(Default)]
pub(super) struct Memory {
    /// The request that opened the conversation, and whether it was answered.
    opening: Option<(Bytes, bool)>,
    /// What the client said when it was ready.
    ready: Option<Bytes>,
    wishes: Vec<Wish>,
    open: Vec<Open>,
    /// Answers that name no request. Some of those that are open were meant.
    nameless: usize,
    /// Requests that the relay itself sent.
    own: u64,
}

impl Memory {
    /// Notes what a line of the client is.
    pub(super) fn sent(&mut self, line: &Bytes) -> Sent {
        if line.trim_ascii_start().starts_with(b"[") {
            // Revisions of 2025 know no batches, and the hub says so.
            return Sent::Pass;
        }
        let Ok(head) = serde_json::from_slice::<Head<'_>>(line) else {
            return Sent::Answer(error(&Value::Null, PARSE_ERROR, "the line is no JSON object", None));
        };
        let Some(method) = head.method.as_deref() else { return Sent::Pass };
        match head.id.and_then(|id| serde_json::from_str::<Value>(id.get()).ok()) {
            Some(id) if id.is_string() || id.is_i64() => self.asked(id, method, head.params, line),
            _ => {
                self.noted(method, head.params, line);
                Sent::Pass
            }
        }
    }

    fn asked(&mut self, id: Value, method: &str, params: Option<&RawValue>, line: &Bytes) -> Sent {
        if self.open.len() >= AT_ONCE {
            let text = format!("{AT_ONCE} requests wait for answers; wait for some of them");
            return Sent::Answer(error(&id, INTERNAL_ERROR, &text, Some("too_many_requests")));
        }
        match method {
            "initialize" => (self.opening, self.ready) = (Some((line.clone(), false)), None),
            SUBSCRIBE | LEVEL => self.wish(about(method, params), line),
            UNSUBSCRIBE => {
                let about = about(SUBSCRIBE, params);
                self.wishes.retain(|wish| wish.about != about);
            }
            _ => {}
        }
        let again = (LOOKING.contains(&method) && line.len() <= KEPT).then(|| line.clone());
        self.open.push(Open { id, again, is_endless: method == "subscriptions/listen" });
        Sent::Pass
    }

    fn wish(&mut self, about: String, line: &Bytes) {
        self.wishes.retain(|wish| wish.about != about);
        if self.wishes.len() < WISHES && line.len() <= KEPT {
            self.wishes.push(Wish { about, line: line.clone() });
        }
    }

    fn noted(&mut self, method: &str, params: Option<&RawValue>, line: &Bytes) {
        match method {
            "notifications/initialized" => self.ready = Some(line.clone()),
            // What the client does not wait for any more may stay without an answer.
            "notifications/cancelled" => {
                let params = params.and_then(|params| serde_json::from_str::<Value>(params.get()).ok());
                if let Some(id) = params.as_ref().and_then(|params| params.get("requestId")) {
                    self.open.retain(|open| open.id != *id);
                }
            }
            _ => {}
        }
    }

    /// Notes what a line of the hub answers. False: it is for the relay itself.
    pub(super) fn heard(&mut self, line: &Bytes) -> bool {
        let Ok(head) = serde_json::from_slice::<Head<'_>>(line) else { return true };
        if head.method.is_some() {
            return true;
        }
        let id = head.id.and_then(|id| serde_json::from_str::<Value>(id.get()).ok()).unwrap_or_default();
        if id.as_str().is_some_and(|id| id.starts_with(OWN)) {
            return false;
        }
        if let Some((opening, answered)) = &mut self.opening {
            *answered |= id_of(opening) == id;
        }
        let Some(at) = self.open.iter().position(|open| open.id == id) else {
            self.nameless += usize::from(id.is_null());
            return true;
        };
        drop(self.open.remove(at));
        true
    }

    /// Whether the client waits for nothing that will come.
    pub(super) fn is_idle(&self) -> bool {
        self.open.iter().filter(|open| !open.is_endless).count() <= self.nameless
    }

    /// The hub is gone: the answers to what cannot be sent again.
    pub(super) fn lost(&mut self) -> Vec<Bytes> {
        self.nameless = 0;
        let (again, lost) = std::mem::take(&mut self.open).into_iter().partition(|open| open.again.is_some());
        self.open = again;
        let text = "the hub that had this request is gone, and how far it came is not known; \
                    look before you ask again, if it changes something";
        Vec::from_iter(lost)
            .iter()
            .map(|one| error(&one.id, INTERNAL_ERROR, text, Some("hub_gone")))
            .collect()
    }

    /// There is no hub any more: the answers to all that is open.
    pub(super) fn abandoned(&mut self) -> Vec<Bytes> {
        let open = std::mem::take(&mut self.open);
        let answer = |open: &Open| error(&open.id, INTERNAL_ERROR, "there is no hub", Some("no_hub"));
        open.iter().filter(|open| !open.is_endless).map(answer).collect()
    }

    /// What another hub has to hear before the conversation goes on with it.
    pub(super) fn again(&mut self) -> Vec<Bytes> {
        let mut lines = Vec::new();
        let opening = self.opening.as_ref().filter(|(_, answered)| *answered).map(|(line, _)| line.clone());
        if let Some(opening) = &opening {
            lines.extend(self.as_own(opening));
        } else {
            // It is open itself, if there is any.
            lines.extend(
                self.open.iter().filter(|open| self.is_opening(open)).filter_map(|open| open.again.clone()),
            );
        }
        lines.extend(self.ready.clone());
        for at in 0..self.wishes.len() {
            let line = self.wishes.get(at).map(|wish| wish.line.clone()).unwrap_or_default();
            lines.extend(self.as_own(&line));
        }
        lines.extend(
            self.open.iter().filter(|open| !self.is_opening(open)).filter_map(|open| open.again.clone()),
        );
        lines
    }

    fn is_opening(&self, open: &Open) -> bool {
        self.opening.as_ref().is_some_and(|(line, answered)| !answered && id_of(line) == open.id)
    }

    /// The request with an id of the relay's own.
    fn as_own(&mut self, line: &Bytes) -> Option<Bytes> {
        let mut request: Value = serde_json::from_slice(line).ok()?;
        self.own += 1;
        request.as_object_mut()?.insert("id".to_owned(), format!("{OWN}{}", self.own).into());
        Some(line_of(&request))
    }
}

/// The answer to a line that is too long to be read.
pub(super) fn too_long() -> Bytes {
    error(&Value::Null, INVALID_REQUEST, "the message is longer than 16 MiB", None)
}

fn about(method: &str, params: Option<&RawValue>) -> String {
    let uri = params.and_then(|params| serde_json::from_str::<Value>(params.get()).ok());
    let uri = uri.as_ref().and_then(|params| params.get("uri")).and_then(Value::as_str).unwrap_or_default();
    format!("{method} {}", if method == LEVEL { "" } else { uri })
}

fn id_of(line: &Bytes) -> Value {
    let head = serde_json::from_slice::<Head<'_>>(line).ok();
    head.and_then(|head| serde_json::from_str(head.id?.get()).ok()).unwrap_or_default()
}

fn error(id: &Value, code: i32, message: &str, reason: Option<&str>) -> Bytes {
    let mut error = json!({"code": code, "message": message});
    if let (Some(reason), Some(error)) = (reason, error.as_object_mut()) {
        error.insert("data".to_owned(), json!({"reason": reason}));
    }
    line_of(&json!({"jsonrpc": "2.0", "id": id, "error": error}))
}

fn line_of(message: &Value) -> Bytes {
    format!("{message}\n").into()
}

//! Reading a call of either version, and the body that OmniRoute's clients send in the name of 0.3:
//! `{"skill": "…", "messages": [{"role": "user", "content": "…"}]}`. It is taken for `message/send` and `message/stream`
//! alone, and only where `message` is missing and `messages` is a list with something in it.

use serde_json::{Map, Value};

use crate::model::{Message, Params, Part, Request, Role, SendMessage};
use crate::operation::Operation;
use crate::shape::{Fields, Invalid, Problem};
use crate::version::Version;
use crate::{v1, v03};

/// Reads the parameters of a call. `fresh` makes an id for each message that comes without one, which only OmniRoute's
/// do.
///
/// # Errors
///
/// The field that is not as it must be.
pub fn decode(
    operation: Operation,
    version: Version,
    params: Option<Value>,
    fresh: impl FnMut() -> String,
) -> Result<Request, Invalid> {
    match (version, params) {
        (Version::V1, params) => v1::request(operation, params),
        (Version::V03, Some(params)) if is_omniroute(operation, &params) => {
            let send = read(params, fresh)?;
            let params =
                if operation == Operation::Stream { Params::Stream(send) } else { Params::Send(send) };
            Ok(Request { tenant: None, params })
        }
        (Version::V03, params) => v03::request(operation, params),
    }
}

fn is_omniroute(operation: Operation, params: &Value) -> bool {
    let has = |name| params.get(name).is_some_and(|value| !value.is_null());
    matches!(operation, Operation::Send | Operation::Stream) && !has("message") && has("messages")
}

/// One entry: who, and what. A2A knows two roles; instructions of the system are the user's, and say so.
struct Entry {
    role: Role,
    system: bool,
    content: String,
}

const ROLES: &[(&str, (Role, bool))] = &[
    ("user", (Role::User, false)),
    ("assistant", (Role::Agent, false)),
    ("agent", (Role::Agent, false)),
    ("system", (Role::User, true)),
];

fn read(params: Value, mut fresh: impl FnMut() -> String) -> Result<SendMessage, Invalid> {
    let mut fields = Fields::params(Some(params))?;
    let mut entries = fields.required_list("messages", read_entry)?;
    let last = entries.iter().rposition(|entry| entry.role == Role::User && !entry.system);
    let last =
        last.ok_or_else(|| fields.bad("messages", Problem::Expected("a list with an entry of the user")))?;
    // What stands behind the last question is not an earlier word, and has no place.
    entries.truncate(last + 1);
    let skill = fields.optional("skill")?;
    let configuration = v03::read_configuration(&mut fields)?;
    let mut metadata = fields.metadata("metadata")?;
    if let Some(skill) = skill {
        metadata.get_or_insert_default().insert("skillId".to_owned(), Value::String(skill));
    }
    let mut messages: Vec<Message> = entries.into_iter().map(|entry| message(entry, fresh())).collect();
    let Some(message) = messages.pop() else { return Err(fields.bad("messages", Problem::Empty)) };
    Ok(SendMessage { message, configuration, metadata, earlier: messages })
}

fn read_entry(mut fields: Fields) -> Result<Entry, Invalid> {
    let (role, system) = fields.required_word("role", ROLES)?;
    let content = fields.text_if_any("content")?.ok_or_else(|| fields.bad("content", Problem::Missing))?;
    Ok(Entry { role, system, content })
}

fn message(entry: Entry, id: String) -> Message {
    let system = || Map::from_iter([("role".to_owned(), Value::from("system"))]);
    Message {
        metadata: entry.system.then(system),
        ..Message::new(id, entry.role, vec![Part::text(entry.content)])
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "a test reports by panicking")]

    use serde_json::json;

    use super::*;

    fn read(operation: Operation, version: Version, params: Value) -> Result<Request, String> {
        let mut count = 0;
        let fresh = || {
            count += 1;
            format!("m{count}")
        };
        decode(operation, version, Some(params), fresh).map_err(|it| it.to_string())
    }

    fn sent(params: Value) -> SendMessage {
        match read(Operation::Send, Version::V03, params).unwrap().params {
            Params::Send(send) => send,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_last_question_is_the_message_and_the_rest_came_before() {
        let send = sent(json!({"skill": "quota-management", "metadata": {"team": "a"}, "messages": [
            {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"}, {"role": "user", "content": "Quota?"},
            {"role": "assistant", "content": "It is"}]}));
        assert_eq!(send.message, Message::new("m4", Role::User, vec![Part::text("Quota?")]));
        assert_eq!(send.skill(), Some("quota-management"));
        assert_eq!(send.metadata, json!({"team": "a", "skillId": "quota-management"}).as_object().cloned());
        let earlier: Vec<_> =
            send.earlier.iter().map(|it| (it.role, it.parts[0].as_text().unwrap())).collect();
        assert_eq!(earlier, [(Role::User, "Be brief."), (Role::User, "Hi"), (Role::Agent, "Hello")]);
        assert_eq!(send.earlier[0].metadata, json!({"role": "system"}).as_object().cloned());
    }

    #[test]
    fn the_one_of_the_readme_is_read() {
        let send = sent(json!({"skill": "quota-management",
            "messages": [{"role": "user", "content": "Summarize quota status."}]}));
        assert_eq!(send.message.parts, [Part::text("Summarize quota status.")]);
        assert!(send.earlier.is_empty());
        let streamed = json!({"messages": [{"role": "user", "content": ""}]});
        let streamed = read(Operation::Stream, Version::V03, streamed).unwrap();
        assert!(matches!(streamed.params, Params::Stream(_)));
    }

    #[test]
    fn anything_else_names_its_field() {
        let bad = |params| read(Operation::Send, Version::V03, params).unwrap_err();
        assert_eq!(bad(json!({"messages": []})), "`messages` must not be empty");
        assert_eq!(bad(json!({"messages": "x"})), "`messages` must be an array");
        let list = json!({"messages": [{"role": "user", "content": [{"text": "x"}]}]});
        assert_eq!(bad(list), "`messages[0].content` must be a string");
        assert!(
            bad(json!({"messages": [{"role": "tool", "content": "x"}]})).starts_with("`messages[0].role`")
        );
        assert!(
            bad(json!({"messages": [{"role": "agent", "content": "x"}]})).contains("an entry of the user")
        );
        let skill = json!({"skill": 1, "messages": [{"role": "user", "content": "x"}]});
        assert_eq!(bad(skill), "`skill` must be a string");
        assert_eq!(bad(json!({"skill": "x"})), "`message` is required");
    }

    #[test]
    fn a_message_wins_and_other_calls_do_not_know_it() {
        let both = json!({"messages": [{"role": "user", "content": "x"}], "message": {}});
        assert_eq!(read(Operation::Send, Version::V03, both).unwrap_err(), "`message.messageId` is required");
        let body = json!({"messages": [{"role": "user", "content": "x"}]});
        let get = read(Operation::Get, Version::V03, body.clone());
        assert_eq!(get.unwrap_err(), "`id` is required");
        assert_eq!(read(Operation::Send, Version::V1, body).unwrap_err(), "`message` is required");
    }
}

//! What of a message the hub can read. Sizes first, then kinds: skills read text and data, and fetch nothing.

use a2a::{
    Code, Failure,
    model::{Content, Message, Params, Part},
};
use serde_json::Value;

/// The largest part, in bytes of text or of written data.
const PART_LIMIT: usize = 5 * 1024 * 1024;

/// How deep data and metadata may be nested: what is kept stands deeper, and has to be read again.
const DEPTH: usize = 64;

/// The parameters, if the hub can read what they bring.
///
/// # Errors
/// `InvalidParams` for a part that is too large, `ContentTypeNotSupported` for one of a kind that nobody here reads.
pub(super) fn checked(params: Params) -> Result<Params, Failure> {
    if let Params::Send(send) | Params::Stream(send) = &params {
        if is_deep(send.metadata.as_ref()) {
            return Err(too_deep("metadata"));
        }
        let mut all = std::iter::once(&send.message).chain(&send.earlier);
        all.try_for_each(check)?;
    }
    Ok(params)
}

fn is_deep(metadata: Option<&serde_json::Map<String, Value>>) -> bool {
    metadata.is_some_and(|metadata| metadata.values().any(|value| is_deeper(value, DEPTH)))
}

fn is_deeper(value: &Value, levels: usize) -> bool {
    let Some(levels) = levels.checked_sub(1) else { return true };
    match value {
        Value::Array(values) => values.iter().any(|value| is_deeper(value, levels)),
        Value::Object(fields) => fields.values().any(|value| is_deeper(value, levels)),
        _ => false,
    }
}

fn too_deep(field: &str) -> Failure {
    Failure::new(
        Code::InvalidParams,
        format!("{}: `{field}` is nested deeper than {DEPTH} levels", Code::InvalidParams.words()),
    )
}

fn check(message: &Message) -> Result<(), Failure> {
    if is_deep(message.metadata.as_ref()) {
        return Err(too_deep("message.metadata"));
    }
    message.parts.iter().enumerate().try_for_each(|(at, part)| {
        let field = || format!("message.parts[{at}]");
        if size(part) > PART_LIMIT {
            let most = PART_LIMIT / (1024 * 1024);
            let message = format!("{}: `{}` is larger than {most} MiB", Code::InvalidParams.words(), field());
            return Err(Failure::new(Code::InvalidParams, message));
        }
        let deep = matches!(&part.content, Content::Data(data) if is_deeper(data, DEPTH));
        if deep || is_deep(part.metadata.as_ref()) {
            return Err(too_deep(&field()));
        }
        if is_read(part) {
            return Ok(());
        }
        let kind = part.media_type.as_deref().unwrap_or("a file");
        let kind: String = kind.chars().filter(|it| !it.is_control()).take(64).collect();
        let message =
            format!("`{}` is {kind}; the skills here read text/plain and application/json", field());
        Err(Failure::new(Code::ContentTypeNotSupported, message))
    })
}

fn size(part: &Part) -> usize {
    match &part.content {
        Content::Text(text) | Content::Raw(text) | Content::Url(text) => text.len(),
        Content::Data(data) => data.to_string().len(),
    }
}

fn is_read(part: &Part) -> bool {
    let kind = part.media_type.as_deref().map(|kind| kind.split(';').next().unwrap_or_default().trim());
    let is_text = |kind: &str| {
        kind.eq_ignore_ascii_case("application/json")
            || kind.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("text/"))
            || kind.eq_ignore_ascii_case("text")
            || kind.is_empty()
    };
    match &part.content {
        Content::Text(_) | Content::Data(_) => kind.is_none_or(is_text),
        Content::Raw(_) | Content::Url(_) => false,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use a2a::model::{Role, SendMessage};
    use serde_json::json;

    use super::*;

    fn number(part: Part) -> i32 {
        let message = Message::new("m", Role::User, vec![Part::text("x"), part]);
        checked(Params::Send(SendMessage::new(message))).unwrap_err().code.number()
    }

    #[test]
    fn text_and_data_are_read_and_nothing_else() {
        let typed = |part: Part, kind: &str| Part { media_type: Some(kind.to_owned()), ..part };
        for part in
            [Part::text("x"), Part::data(json!([1])), typed(Part::text("x"), "text/markdown; charset=utf-8")]
        {
            let message = Message::new("m", Role::User, vec![part]);
            assert!(checked(Params::Send(SendMessage::new(message))).is_ok());
        }
        let url = Part::of(Content::Url("http://127.0.0.1/x".to_owned()));
        for part in [
            url,
            Part::of(Content::Raw("aGk=".to_owned())),
            typed(Part::text("x"), "application/x-unsupported"),
        ] {
            assert_eq!(number(part), -32005);
        }
        assert_eq!(number(Part::text("x".repeat(PART_LIMIT + 1))), -32602);
    }
}

//! `annotations`: where a text was taken from.

use canon::{Citation, Rest};
use serde_json::{Map, Value};

use super::kept::{CHAT, object, some};

/// A citation from an annotation, which is kept whole.
pub(super) fn read(annotation: Value) -> Citation {
    let whole = match annotation {
        Value::Object(map) => map,
        other => object([("annotation", other)]),
    };
    let inner = whole.get("url_citation").unwrap_or(&Value::Null);
    let text = |name: &str| inner.get(name).and_then(Value::as_str).map(str::to_owned);
    let at = |name: &str| inner.get(name).and_then(Value::as_u64);
    Citation {
        url: text("url"),
        title: text("title"),
        quote: text("content"),
        span: at("start_index").zip(at("end_index")),
        rest: Rest::new(CHAT, whole),
    }
}

/// The annotation for a citation of a text that stands between these characters of the answer. `None` where it is of
/// something that has no address.
pub(super) fn write(citation: Citation, from: u64, to: u64) -> Option<Value> {
    if let Some(own) = citation.rest.of(CHAT) {
        return Some(own.get("annotation").cloned().unwrap_or_else(|| Value::Object(own.clone())));
    }
    let span = citation.span.map_or((from, to), |(begin, end)| (from + begin, from + end));
    let inner: Map<String, Value> = some([
        ("start_index", Some(span.0.into())),
        ("end_index", Some(span.1.into())),
        ("title", Some(citation.title.unwrap_or_default().into())),
        ("url", Some(citation.url?.into())),
        ("content", citation.quote.map(Value::String)),
    ]);
    Some(object([("type", "url_citation".into()), ("url_citation", inner.into())]).into())
}

//! Spans in the form in which OpenTelemetry's collectors take them over HTTP: the message `ExportTraceServiceRequest` of
//! OTLP 1.x in protobuf. Only what the hub says is written; the field numbers are those of `opentelemetry-proto`.

mod protobuf;

use protobuf::Message;

/// The path below a collector's base URL.
pub const PATH: &str = "/v1/traces";

/// The media type.
pub const CONTENT_TYPE: &str = "application/x-protobuf";

/// One span.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The trace that it belongs to.
    pub trace: u128,
    /// Its own id.
    pub id: u64,
    /// The span within which it is, wherever that one is kept.
    pub parent: Option<u64>,
    /// What it is called.
    pub name: String,
    /// On which side of a call it is.
    pub side: Side,
    /// When it began, in milliseconds since the Unix epoch.
    pub started_ms: i64,
    /// How long it took, in milliseconds.
    pub took_ms: u32,
    /// What is known of it.
    pub attributes: Vec<(&'static str, Value)>,
    /// What went wrong.
    pub error: Option<String>,
}

/// On which side of a call a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It answers.
    Server = 2,
    /// It asks.
    Client = 3,
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number.
    Whole(i64),
    /// Any number.
    Number(f64),
    /// Yes or no.
    Truth(bool),
    /// Texts.
    Texts(Vec<String>),
}

/// The message for a collector, of spans of one service.
#[must_use]
pub fn encode(service: &str, version: &str, spans: &[Span]) -> Vec<u8> {
    let mut request = Message::default();
    request.message(1, |resource_spans| {
        resource_spans.message(1, |resource| {
            attribute(resource, 1, "service.name", &Value::Text(service.to_owned()));
            attribute(resource, 1, "service.version", &Value::Text(version.to_owned()));
        });
        resource_spans.message(2, |scope_spans| {
            scope_spans.message(1, |scope| {
                scope.text(1, service);
                scope.text(2, version);
            });
            for span in spans {
                scope_spans.message(2, |message| write(message, span));
            }
        });
    });
    request.finish()
}

fn write(message: &mut Message, span: &Span) {
    let nanoseconds = |ms: i64| ms.max(0).unsigned_abs().saturating_mul(1_000_000);
    message.bytes(1, &span.trace.to_be_bytes());
    message.bytes(2, &span.id.to_be_bytes());
    if let Some(parent) = span.parent {
        message.bytes(4, &parent.to_be_bytes());
    }
    message.text(5, &span.name);
    message.number(6, span.side as u64);
    message.fixed(7, nanoseconds(span.started_ms));
    message.fixed(8, nanoseconds(span.started_ms.saturating_add(span.took_ms.into())));
    for (name, value) in &span.attributes {
        attribute(message, 9, name, value);
    }
    if let Some(error) = &span.error {
        message.message(15, |status| {
            status.text(2, error);
            // STATUS_CODE_ERROR
            status.number(3, 2);
        });
    }
}

fn attribute(message: &mut Message, field: u32, name: &str, value: &Value) {
    message.message(field, |pair| {
        pair.text(1, name);
        pair.message(2, |any| any_value(any, value));
    });
}

fn any_value(any: &mut Message, value: &Value) {
    match value {
        Value::Text(text) => any.text(1, text),
        Value::Truth(truth) => any.number(2, u64::from(*truth)),
        Value::Whole(number) => any.number(3, number.cast_unsigned()),
        Value::Number(number) => any.fixed(4, number.to_bits()),
        Value::Texts(texts) => any.message(5, |list| {
            for text in texts {
                list.message(1, |any| any.text(1, text));
            }
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_written_by_the_numbers_of_the_protocol() {
        let span = Span {
            trace: 1,
            id: 2,
            parent: Some(3),
            name: "n".to_owned(),
            side: Side::Server,
            started_ms: 1,
            took_ms: 1,
            attributes: vec![("k", Value::Whole(-1))],
            error: Some("e".to_owned()),
        };
        let mut message = Message::default();
        write(&mut message, &span);
        let mut expected = vec![0x0a, 16];
        expected.extend(1_u128.to_be_bytes());
        expected.extend([0x12, 8, 0, 0, 0, 0, 0, 0, 0, 2, 0x22, 8, 0, 0, 0, 0, 0, 0, 0, 3]);
        expected.extend([0x2a, 1, b'n', 0x30, 2, 0x39]);
        expected.extend(1_000_000_u64.to_le_bytes());
        expected.push(0x41);
        expected.extend(2_000_000_u64.to_le_bytes());
        // Minus one has all bits set: ten bytes of seven.
        expected.extend([0x4a, 16, 0x0a, 1, b'k', 0x12, 11, 0x18]);
        expected.extend([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
        expected.extend([0x7a, 5, 0x12, 1, b'e', 0x18, 2]);
        assert_eq!(message.finish(), expected);
    }
}

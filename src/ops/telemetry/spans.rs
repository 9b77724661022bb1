//! What the spans of a request say, in the words of OpenTelemetry's semantic conventions for HTTP and generative AI
//! (<https://opentelemetry.io/docs/specs/semconv/gen-ai/>). Prompts and answers are never among them.

use canon::{Dialect, Usage};

use crate::{
    engine::{
        receipt::{AttemptRecord, Outcome, Receipt},
        settings::{Settings, Usd},
        trace::{span_of, trace_of},
    },
    observe::otlp::{Side, Span, Value},
};

/// The conventions' names of providers, where they have one of their own.
const PROVIDERS: [(&str, &str); 7] = [
    ("gemini", "gcp.gemini"),
    ("google", "gcp.gemini"),
    ("vertex", "gcp.vertex_ai"),
    ("mistral", "mistral_ai"),
    ("xai", "x_ai"),
    ("bedrock", "aws.bedrock"),
    ("azure", "azure.ai.openai"),
];

/// How many spans a request has.
pub(super) fn count(receipt: &Receipt) -> u64 {
    1 + receipt.attempts.len() as u64
}

/// The spans of a request: its own, and one of each attempt.
pub(super) fn of(receipt: &Receipt, settings: &Settings) -> Vec<Span> {
    let attempts = receipt.attempts.iter().enumerate();
    let own = std::iter::once(request(receipt));
    own.chain(attempts.map(|(nth, one)| attempt(receipt, one, nth + 1, settings))).collect()
}

fn request(receipt: &Receipt) -> Span {
    let served = receipt.attempts.last().filter(|last| last.fault.is_none());
    let mut attributes = vec![
        ("gen_ai.operation.name", text(operation(receipt.dialect))),
        ("gen_ai.request.model", text(&receipt.model)),
        ("gen_ai.request.stream", Value::Truth(receipt.stream)),
        ("http.request.method", text("POST")),
        ("http.response.status_code", Value::Whole(receipt.status.into())),
        ("trivium.request.id", text(&receipt.id)),
        ("trivium.caller", text(&receipt.caller)),
        ("trivium.outcome", text(receipt.outcome.as_str())),
        ("trivium.attempts", Value::Whole(whole(receipt.attempts.len() as u64))),
    ];
    if let Some(served) = served {
        attributes.push(("gen_ai.provider.name", text(provider(&served.provider))));
        attributes.push(("gen_ai.response.model", text(&served.model)));
        attributes.push(("trivium.connection", text(&served.connection)));
    }
    if let Some(session) = &receipt.session {
        attributes.push(("gen_ai.conversation.id", text(session)));
    }
    tokens(&mut attributes, receipt.usage);
    if let Some(first) = receipt.first_content_ms {
        attributes.push(("gen_ai.response.time_to_first_chunk", Value::Number(f64::from(first) / 1000.0)));
    }
    if let Some(cost) = receipt.cost {
        attributes.push(("trivium.cost_usd", Value::Number(Usd::dollars(cost))));
    }
    let wrong = receipt.error.unwrap_or(receipt.outcome.as_str());
    let error = (receipt.outcome != Outcome::Completed).then(|| wrong.to_owned());
    attributes.extend(error.as_deref().map(|error| ("error.type", text(error))));
    Span {
        trace: trace_of(receipt.trace.as_ref(), &receipt.id),
        id: span_of(&receipt.id, 0),
        parent: receipt.trace.map(|context| context.parent),
        name: format!("{} {}", operation(receipt.dialect), receipt.model),
        side: Side::Server,
        started_ms: receipt.at,
        took_ms: receipt.total_ms,
        attributes,
        // A fault of the client is none of the server's.
        error: error.filter(|_| receipt.status >= 500 || receipt.outcome == Outcome::Interrupted),
    }
}

fn attempt(receipt: &Receipt, attempt: &AttemptRecord, nth: usize, settings: &Settings) -> Span {
    let mut attributes = vec![
        ("gen_ai.operation.name", text(operation(receipt.dialect))),
        ("gen_ai.provider.name", text(provider(&attempt.provider))),
        ("gen_ai.request.model", text(&attempt.model)),
        ("http.request.method", text("POST")),
        ("http.request.resend_count", Value::Whole(whole(nth as u64 - 1))),
        ("trivium.connection", text(&attempt.connection)),
    ];
    if let Some((host, port)) = server(attempt, settings) {
        attributes.push(("server.address", Value::Text(host)));
        attributes.push(("server.port", Value::Whole(port.into())));
    }
    if let Some(status) = attempt.status {
        attributes.push(("http.response.status_code", Value::Whole(status.into())));
    }
    let error = attempt.fault.map(|fault| fault.as_str().to_owned());
    match &error {
        Some(error) => attributes.push(("error.type", text(error))),
        None => {
            attributes.push(("gen_ai.response.model", text(&attempt.model)));
            tokens(&mut attributes, receipt.usage);
        }
    }
    Span {
        trace: trace_of(receipt.trace.as_ref(), &receipt.id),
        id: span_of(&receipt.id, nth),
        parent: Some(span_of(&receipt.id, 0)),
        name: format!("{} {}", operation(receipt.dialect), attempt.model),
        side: Side::Client,
        started_ms: receipt.at.saturating_add(attempt.started_ms.into()),
        took_ms: attempt.took_ms,
        attributes,
        error,
    }
}

fn tokens(attributes: &mut Vec<(&'static str, Value)>, usage: Option<Usage>) {
    let Some(usage) = usage else { return };
    attributes.extend([
        ("gen_ai.usage.input_tokens", Value::Whole(whole(usage.input))),
        ("gen_ai.usage.output_tokens", Value::Whole(whole(usage.output))),
        ("gen_ai.usage.cache_read.input_tokens", Value::Whole(whole(usage.cached_input))),
    ]);
}

const fn operation(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Chat | Dialect::Responses | Dialect::Messages => "chat",
        Dialect::Gemini => "generate_content",
    }
}

fn provider(id: &str) -> &str {
    PROVIDERS.iter().find(|(own, _)| *own == id).map_or(id, |(_, name)| name)
}

/// The host of the connection, where all of its dialects have the same.
fn server(attempt: &AttemptRecord, settings: &Settings) -> Option<(String, u16)> {
    let connection = settings.connections.iter().find(|one| one.id == attempt.connection)?;
    let mut hosts = connection.endpoints.values().filter_map(|url| {
        let url: http::Uri = url.parse().ok()?;
        let usual = if url.scheme_str() == Some("http") { 80 } else { 443 };
        Some((url.host()?.to_owned(), url.port_u16().unwrap_or(usual)))
    });
    let first = hosts.next()?;
    hosts.all(|other| other == first).then_some(first)
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

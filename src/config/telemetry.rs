//! The section `telemetry`: where spans of requests go.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};

use super::{
    effective::Sink,
    fields::Fields,
    mask::shown,
    origin::Origin,
    schema::{Key, SWITCH, Section},
};
use crate::engine::settings::{Secret, Telemetry};

const ENDPOINT: Key = Key::new("endpoint", "an http or https URL", "http://127.0.0.1:4318")
    .short("OTEL_EXPORTER_OTLP_ENDPOINT");
const HEADERS: Key = Key::new("headers", "headers as `name=value`, separated by commas", "x-key=value")
    .short("OTEL_EXPORTER_OTLP_HEADERS")
    .secret();
const SAMPLE: Key = Key::new("sample", "a share from 0 to 1", "0.1");
const TIMEOUT: Key = Key::new("timeout_seconds", "seconds from 0.1 to 60", "10");
const PROPAGATE: Key = Key::new("propagate", "`on` or `off`", "off");

pub(super) static SECTION: Section =
    Section { name: "telemetry", keys: &[ENDPOINT, HEADERS, SAMPLE, TIMEOUT, PROPAGATE] };

/// The path of traces below a collector's base URL, by the protocol.
const PATH: &str = "/v1/traces";

pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> Telemetry {
    let default = Telemetry::default();
    Telemetry {
        endpoint: endpoint(fields, sink),
        headers: headers(fields, sink),
        sample: fields.number(sink, &SAMPLE, 0.0..=1.0, default.sample),
        timeout: fields.seconds(sink, &TIMEOUT, 0.1..=60.0, default.timeout),
        propagate: fields.choice(sink, &PROPAGATE, &SWITCH, default.propagate),
    }
}

/// The URL of traces: the base URL of a collector, as OpenTelemetry's variable names it, gets the path.
fn endpoint(fields: &Fields<'_>, sink: &mut Sink) -> Option<Arc<str>> {
    let path = fields.path_of(&ENDPOINT);
    let Some(written) = fields.text(sink, &ENDPOINT).filter(|written| !written.value.is_empty()) else {
        sink.holds_not(path, Origin::Default);
        return None;
    };
    let parsed = url::Url::parse(&written.value);
    let Some(url) = parsed.ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    else {
        let message = format!("expected {}, found {}", ENDPOINT.kind, shown(&written.value));
        let remedy = "write the address of a collector for OTLP over HTTP, such as http://127.0.0.1:4318";
        sink.problems.error(&path, &written.origin, message, remedy);
        return None;
    };
    if !url.username().is_empty() || url.password().is_some() {
        let remedy = "put it into `telemetry.headers`, which are not shown";
        sink.problems.error(&path, &written.origin, "the URL holds a name or a password", remedy);
        return None;
    }
    sink.holds(path, &ENDPOINT, written.value.as_str(), written.origin);
    let text = url.as_str().trim_end_matches('/');
    Some(if text.ends_with(PATH) { text.into() } else { format!("{text}{PATH}").into() })
}

fn headers(fields: &Fields<'_>, sink: &mut Sink) -> Arc<[(Arc<str>, Secret)]> {
    let path = fields.path_of(&HEADERS);
    let Some(written) = fields.text(sink, &HEADERS).filter(|written| !written.value.is_empty()) else {
        sink.holds_not(path, Origin::Default);
        return Arc::default();
    };
    let mut headers = Vec::new();
    for pair in written.value.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let header = pair.split_once('=').and_then(|(name, value)| {
            let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
            HeaderValue::from_str(value.trim()).ok()?;
            Some((Arc::from(name.as_str()), Secret::new(value.trim())))
        });
        match header {
            Some(header) => headers.push(header),
            None => {
                let message = format!(
                    "expected {}; one of them has no name, or no value that can be sent",
                    HEADERS.kind
                );
                let remedy = "write for example `headers: x-api-key=${COLLECTOR_KEY}`";
                sink.problems.error(&path, &written.origin, message, remedy);
            }
        }
    }
    sink.holds(path, &HEADERS, "", written.origin);
    headers.into()
}

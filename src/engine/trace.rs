//! The place of a request in a trace that others keep, after W3C's Trace Context (<https://www.w3.org/TR/trace-context/>). Where a
//! client names none, the hub's own id of the request makes one, so that every request has a trace.

use std::fmt::Write;

use http::{HeaderMap, HeaderName, HeaderValue};

/// The header that carries it.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The flag that says that the trace is kept.
const SAMPLED: u8 = 1;

/// What a client said of the trace that its request belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace.
    pub trace: u128,
    /// The client's own span in it.
    pub parent: u64,
    /// Whether the client keeps the trace.
    pub sampled: bool,
}

impl TraceContext {
    /// What the headers say; `None` where they say nothing that follows the rules.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let value = values.next()?;
        // Two are as good as none.
        if values.next().is_some() { None } else { Self::parse(value.to_str().ok()?) }
    }

    /// Reads `version-trace-parent-flags`. A version that is not known yet may have more behind.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let version = u8::try_from(hex(version, 2)?).ok()?;
        if version == 0xff || (version == 0 && parts.next().is_some()) {
            return None;
        }
        let (trace, parent) = (hex(trace, 32)?, u64::try_from(hex(parent, 16)?).ok()?);
        let flags = u8::try_from(hex(flags, 2)?).ok()?;
        (trace != 0 && parent != 0).then_some(Self { trace, parent, sampled: flags & SAMPLED != 0 })
    }
}

/// The trace of a request: the client's, else one of its own.
#[must_use]
pub fn trace_of(context: Option<&TraceContext>, request: &str) -> u128 {
    let own = || {
        let id = request.strip_prefix("req_").and_then(|id| u128::from_str_radix(id, 16).ok());
        id.filter(|id| *id != 0).unwrap_or_else(|| u128::from(span_of(request, 0)) | 1 << 64)
    };
    context.map_or_else(own, |context| context.trace)
}

/// The span of a request (0), or of its `nth` attempt (from 1 on): never zero, and the same whenever it is asked for.
#[must_use]
pub fn span_of(request: &str, nth: usize) -> u64 {
    // FNV-1a: the ids of requests are random themselves.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in request.bytes().chain(nth.to_le_bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash.max(1)
}

/// The header for what is asked in the course of a span.
#[must_use]
pub fn traceparent(trace: u128, span: u64, sampled: bool) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("00-{trace:032x}-{span:016x}-{:02x}", u8::from(sampled))).ok()
}

/// A trace's id as people see it.
#[must_use]
pub fn shown(trace: u128) -> String {
    let mut text = String::with_capacity(32);
    // Writing to a string never fails.
    let _ = write!(text, "{trace:032x}");
    text
}

/// A number of so many digits in lower case.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let right = text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    right.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn the_header_is_read_by_the_rules() {
        let context = TraceContext {
            trace: 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736,
            parent: 0x00f0_67aa_0ba9_02b7,
            sampled: true,
        };
        assert_eq!(TraceContext::parse(GOOD), Some(context));
        let later = "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-more";
        assert_eq!(TraceContext::parse(later), Some(TraceContext { sampled: false, ..context }));
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-+1",
        ] {
            assert_eq!(TraceContext::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn spans_of_a_request_differ_and_its_trace_is_its_own() {
        let id = "req_0190163d8694739b8dc5cd3ca04ec1ad";
        assert_eq!(trace_of(None, id), 0x0190_163d_8694_739b_8dc5_cd3c_a04e_c1ad);
        assert_ne!(trace_of(None, "else"), 0);
        assert_ne!(span_of(id, 0), span_of(id, 1));
        let header = traceparent(trace_of(TraceContext::parse(GOOD).as_ref(), id), 7, true);
        let expected = HeaderValue::from_static("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000007-01");
        assert_eq!(header, Some(expected));
    }
}

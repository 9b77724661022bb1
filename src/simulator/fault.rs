//! The faults that a script can play, and the rule that says on which requests.
//!
//! What a fault does to an answer is done where the answer is made; here is only its name and its figures.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One thing that goes wrong.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// An error status instead of an answer.
    Status {
        /// The HTTP status, 400 to 599.
        code: u16,
        /// Seconds until the client may come back, sent as the behaviour's `retry_after` says.
        #[serde(default)]
        retry_after: Option<u64>,
        /// The body instead of the usual error object; a string is sent as it is.
        #[serde(default)]
        body: Option<Value>,
    },
    /// Silence, without even a status line, until the client leaves.
    HangBeforeHeaders,
    /// A status line and headers, then silence.
    HangBeforeFirstToken,
    /// The connection is closed without a status line.
    CutBeforeHeaders,
    /// The connection is cut after the role chunk, before any content.
    CutAfterRole,
    /// The connection is cut after so many content chunks; an unsplit answer is cut at half its length.
    CutMidStream {
        /// Content chunks that still arrive.
        after_chunks: usize,
    },
    /// Silence after so many content chunks, until the client leaves; an unsplit answer stops at half its length.
    StallMidStream {
        /// Content chunks that still arrive.
        after_chunks: usize,
    },
    /// Status 200 and no byte of body.
    #[serde(rename = "empty_200")]
    Empty200,
    /// Status 200 and a web page.
    #[serde(rename = "html_200")]
    Html200,
    /// Status 200 and JSON that breaks off; on a stream the first content event is the broken one.
    #[serde(rename = "invalid_json_200")]
    InvalidJson200,
    /// Status 200 and an error object: an event of the stream, after which it ends, or the whole body.
    ErrorInSse {
        /// Content chunks that arrive before it.
        #[serde(default)]
        after_chunks: usize,
        /// The status whose error object is sent.
        #[serde(default = "server_error")]
        code: u16,
    },
    /// The stream ends without `[DONE]`.
    MissingDone,
    /// `[DONE]` comes twice.
    DuplicateDone,
    /// The right body with `content-type: text/plain`.
    WrongContentType,
    /// The first token takes this long.
    SlowFirstToken {
        /// Milliseconds.
        ms: u64,
    },
    /// The right bytes, seven at a time.
    TinyFragments,
    /// Events whose lines end with CRLF.
    Crlf,
    /// Comment lines while the model thinks.
    Comments,
    /// No usage, even if asked for.
    NoUsage,
    /// An unsplit answer to a request for a stream.
    IgnoreStream,
}

const fn server_error() -> u16 {
    500
}

impl Fault {
    /// An error status with the usual body and no hint when to come back.
    #[must_use]
    pub const fn status(code: u16) -> Self {
        Self::Status { code, retry_after: None, body: None }
    }

    /// The fault's name in scripts and in the log.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Status { .. } => "status",
            Self::HangBeforeHeaders => "hang_before_headers",
            Self::HangBeforeFirstToken => "hang_before_first_token",
            Self::CutBeforeHeaders => "cut_before_headers",
            Self::CutAfterRole => "cut_after_role",
            Self::CutMidStream { .. } => "cut_mid_stream",
            Self::StallMidStream { .. } => "stall_mid_stream",
            Self::Empty200 => "empty_200",
            Self::Html200 => "html_200",
            Self::InvalidJson200 => "invalid_json_200",
            Self::ErrorInSse { .. } => "error_in_sse",
            Self::MissingDone => "missing_done",
            Self::DuplicateDone => "duplicate_done",
            Self::WrongContentType => "wrong_content_type",
            Self::SlowFirstToken { .. } => "slow_first_token",
            Self::TinyFragments => "tiny_fragments",
            Self::Crlf => "crlf",
            Self::Comments => "comments",
            Self::NoUsage => "no_usage",
            Self::IgnoreStream => "ignore_stream",
        }
    }

    /// Whether the fault only changes how an answer looks, so that several can act on one answer. Of the others one
    /// request meets one at most.
    pub(super) const fn only_shapes(&self) -> bool {
        matches!(
            self,
            Self::MissingDone
                | Self::DuplicateDone
                | Self::WrongContentType
                | Self::SlowFirstToken { .. }
                | Self::TinyFragments
                | Self::Crlf
                | Self::Comments
                | Self::NoUsage
                | Self::IgnoreStream
        )
    }
}

/// A fault, and on which of a key's chat requests it is played. Requests that a limit refuses do not count.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What goes wrong.
    pub fault: Fault,
    /// The first requests, which are spared.
    #[serde(default)]
    pub skip: u64,
    /// How often the fault is played in all; without it, for ever.
    #[serde(default)]
    pub times: Option<u64>,
    /// How likely it is on each request (0 to 1), drawn from the seed; without it, certain.
    #[serde(default)]
    pub probability: Option<f64>,
}

impl Rule {
    /// On every request.
    #[must_use]
    pub const fn always(fault: Fault) -> Self {
        Self { fault, skip: 0, times: None, probability: None }
    }

    /// On the first `times` requests.
    #[must_use]
    pub const fn first(times: u64, fault: Fault) -> Self {
        Self { fault, skip: 0, times: Some(times), probability: None }
    }

    /// On every request after the first `skip`.
    #[must_use]
    pub const fn after(skip: u64, fault: Fault) -> Self {
        Self { fault, skip, times: None, probability: None }
    }

    /// On each request with probability `p`.
    #[must_use]
    pub const fn sometimes(p: f64, fault: Fault) -> Self {
        Self { fault, skip: 0, times: None, probability: Some(p) }
    }

    /// Whether the rule holds for every request of the key, from the first to the last.
    pub(super) fn is_constant(&self) -> bool {
        self.skip == 0 && self.times.is_none() && self.probability.is_none_or(|p| p >= 1.0)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn names_are_the_names_in_scripts() {
        for fault in [
            Fault::status(500),
            Fault::HangBeforeHeaders,
            Fault::CutMidStream { after_chunks: 1 },
            Fault::Empty200,
            Fault::Html200,
            Fault::InvalidJson200,
            Fault::ErrorInSse { after_chunks: 0, code: 500 },
            Fault::SlowFirstToken { ms: 1 },
            Fault::NoUsage,
            Fault::IgnoreStream,
        ] {
            let written = match serde_json::to_value(&fault).unwrap() {
                Value::String(name) => name,
                Value::Object(map) => map.keys().next().unwrap().clone(),
                other => other.to_string(),
            };
            assert_eq!(written, fault.name());
        }
    }
}

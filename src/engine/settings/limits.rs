//! How long to wait for what, and how much is let in.

use std::time::Duration;

/// The one deadline model of every attempt and request.
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// Until a connection to the provider stands.
    pub connect: Duration,
    /// Until the provider's status line, for streams. A unary answer may take until `first_content`,
    /// since providers send the status with the finished body.
    pub response_start: Duration,
    /// From sending until the first content (or the whole unary body).
    pub first_content: Duration,
    /// Between two pieces of a stream.
    pub idle: Duration,
    /// From the request's arrival to its end, all attempts together.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            response_start: Duration::from_secs(120),
            first_content: Duration::from_secs(300),
            idle: Duration::from_secs(300),
            total: Duration::from_secs(3600),
        }
    }
}

/// Bounds on what is let in. Generous: a limit that surprises a busy agent is off until it is set.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Largest request body, in bytes.
    pub body_bytes: usize,
    /// Requests worked on at the same time.
    pub concurrent: usize,
    /// Requests that may wait for a place; one more is refused.
    pub queued: usize,
    /// How long a request may wait for a place.
    pub queue_timeout: Duration,
    /// Requests per minute and client address; `None`: no such limit.
    pub per_address_per_minute: Option<u32>,
    /// Whether Responses are served over WebSockets too.
    pub responses_websocket: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 10 * 1024 * 1024,
            concurrent: 4096,
            queued: 1024,
            queue_timeout: Duration::from_secs(30),
            per_address_per_minute: None,
            responses_websocket: true,
        }
    }
}

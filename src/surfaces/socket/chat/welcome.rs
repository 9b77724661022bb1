//! What the dry check answers: the protocol, in a shape that programs can read.

use serde::Serialize;

use super::{
    super::{QUEUE, door::SUBPROTOCOL, pulse},
    ID_LIMIT, REQUESTS,
};

/// The protocol of the socket.
#[derive(Serialize)]
pub(super) struct Description {
    protocol: &'static str,
    subprotocol: &'static str,
    client_frames: &'static [FrameKind],
    server_frames: &'static [FrameKind],
    limits: Limits,
    ping_interval_seconds: u64,
    silence_limit_seconds: u64,
    close_codes: &'static [CloseReason],
}

/// A type of frame and its fields beside `type`.
#[derive(Serialize)]
struct FrameKind {
    #[serde(rename = "type")]
    kind: &'static str,
    fields: &'static [&'static str],
    meaning: &'static str,
}

#[derive(Serialize)]
struct Limits {
    frame_bytes: usize,
    requests_at_once: usize,
    id_bytes: usize,
    queued_frames: usize,
}

#[derive(Serialize)]
struct CloseReason {
    code: u16,
    meaning: &'static str,
}

const CLIENT: &[FrameKind] = &[
    FrameKind { kind: "request", fields: &["id", "payload"], meaning: "a body of POST /v1/chat/completions" },
    FrameKind { kind: "cancel", fields: &["id"], meaning: "stops a request" },
    FrameKind { kind: "ping", fields: &[], meaning: "asks for a pong" },
];

const SERVER: &[FrameKind] = &[
    FrameKind {
        kind: "chunk",
        fields: &["id", "request_id", "data"],
        meaning: "a chunk of a streamed answer",
    },
    FrameKind {
        kind: "complete",
        fields: &["id", "request_id", "data", "usage", "served"],
        meaning: "the end of an answer; data is the whole one, or null after chunks",
    },
    FrameKind {
        kind: "error",
        fields: &["id", "request_id", "error"],
        meaning: "the end of a request; without an id, what is wrong with a frame",
    },
    FrameKind { kind: "cancelled", fields: &["id", "request_id"], meaning: "the end of a cancelled request" },
    FrameKind { kind: "pong", fields: &[], meaning: "the answer to a ping" },
];

const CLOSE: &[CloseReason] = &[
    CloseReason { code: 1001, meaning: "the hub is shutting down" },
    CloseReason { code: 1002, meaning: "the bytes are no WebSocket frames" },
    CloseReason { code: 1007, meaning: "a text is not UTF-8" },
    CloseReason { code: 1008, meaning: "the client was silent for too long" },
    CloseReason { code: 1009, meaning: "a message is larger than the limit" },
];

/// The protocol as it is spoken now, with messages of up to `frame_bytes`.
pub(super) const fn description(frame_bytes: usize) -> Description {
    Description {
        protocol: "trivium.ws.v1",
        subprotocol: SUBPROTOCOL,
        client_frames: CLIENT,
        server_frames: SERVER,
        limits: Limits { frame_bytes, requests_at_once: REQUESTS, id_bytes: ID_LIMIT, queued_frames: QUEUE },
        ping_interval_seconds: pulse::PING.as_secs(),
        silence_limit_seconds: pulse::SILENCE.as_secs(),
        close_codes: CLOSE,
    }
}

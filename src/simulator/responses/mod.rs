//! OpenAI's Responses: what may be asked, how what is said looks on the wire, and what can be asked for again.
//!
//! Nothing here waits, and nothing here knows of faults.

mod checks;
mod history;
mod items;
mod output;
mod request;
mod speech;
pub(super) mod stored;
#[cfg(test)]
mod tests;
mod tools;

pub(super) use request::ResponsesRequest;

/// What a seal on encrypted reasoning is for; it belongs to the key.
const REASONING: &str = "reasoning";

/// What a seal on a compacted conversation is for.
const COMPACTION: &str = "compaction";

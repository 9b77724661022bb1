//! Anthropic's Messages: what may be asked, and how what is said looks on the wire.
//!
//! Nothing here waits, and nothing here knows of faults.

mod blocks;
mod cache;
mod history;
mod request;
mod speech;
#[cfg(test)]
mod tests;
mod thinking;
mod threads;
mod tools;
mod wire;

pub(super) use request::MessagesRequest;

/// Whose seals on thinking are taken, unless the script says otherwise.
const MAKER: &str = "anthropic";

//! What one dialect says, another says too, up to the losses that it declares: random conversations, answers and
//! streams through every pair of dialects. See `allowed.rs` for what may get lost.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test reports by panicking")]

mod alike;
mod allowed;
mod answers;
mod forget;
mod generate;
mod requests;
mod rules;
mod schemas;

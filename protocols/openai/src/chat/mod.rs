//! Chat completions (`POST /v1/chat/completions`): what a request asks for, the few edits that
//! a passed-through body may undergo, and what the pieces of an answer mean.

mod edit;
mod scan;
mod stream;
mod unary;

pub use edit::{Changes, apply};
pub use scan::scan;
pub use stream::{DONE, read_event};
pub use unary::read_unary;

/// The path below a base URL.
pub const PATH: &str = "/chat/completions";

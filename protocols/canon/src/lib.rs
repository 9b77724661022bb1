//! The meeting point of the wire dialects: the words that every dialect and the
//! engine share. No dialect's JSON lives here, and nothing here does I/O.

mod dialect;
mod edit;
mod facts;
mod frame;
pub mod sse;
mod usage;

pub use dialect::{Dialect, UnknownDialect};
pub use edit::Edit;
pub use facts::{Facts, Spans};
pub use frame::{Frame, Mark};
pub use usage::Usage;

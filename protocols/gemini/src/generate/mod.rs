//! Generation (`generateContent` and `streamGenerateContent`): what a request asks for and what the pieces of an
//! answer mean, and the way to and from canon.

mod base64;
mod scan;
mod signature;
mod spelling;
mod stream;
mod unary;
mod wire;

pub use scan::{path, scan};
pub use signature::{SKIP, without_foreign_thoughts};
pub use stream::{array_item, read_event};
pub use unary::read_unary;

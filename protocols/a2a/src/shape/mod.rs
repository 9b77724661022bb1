//! Reading and writing JSON objects by hand: every complaint names the field, every field is spelled once.

mod base64;
mod fields;
mod invalid;
mod object;
mod timestamp;

pub(crate) use fields::Fields;
pub(crate) use object::Object;

pub use invalid::{Invalid, Problem};
pub use timestamp::Timestamp;

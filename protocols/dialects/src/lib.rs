//! The four dialects behind one set of functions: the place where a dialect is chosen at run time. What the dialects
//! are like is in their own crates; how they get along with each other is shown by the tests of this one.

mod codec;

pub use codec::{Decoder, Encoder, decode, decode_answer, encode, encode_answer};

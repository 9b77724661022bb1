//! Requests, to and from canon.

mod config;
mod contents;
mod decode;
mod encode;
mod reasoning;
mod tools;

pub use decode::decode;
pub use encode::encode;

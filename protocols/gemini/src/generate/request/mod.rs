//! Requests, to and from canon.

mod config;
mod contents;
mod decode;
mod encode;
mod format;
mod reasoning;
mod thoughts;
mod tools;

pub use decode::decode;
pub use encode::encode;

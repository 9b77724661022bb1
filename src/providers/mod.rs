//! How the hub talks to providers: the catalogue as data, and one sender for each dialect. A provider
//! is a row of the catalogue; code for a single one is the exception and goes to `quirks`.

pub mod catalog;
mod chat;
mod dialect;
pub mod media;
mod refusal;
mod retry;
mod words;

pub use dialect::Providers;

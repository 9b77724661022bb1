//! How the hub talks to providers: the catalogue as data, and one sender for each dialect. A provider
//! is a row of the catalogue; code for a single one is the exception and goes to `quirks`.

mod answer;
mod arrival;
pub mod catalog;
pub mod credentials;
mod dialect;
mod edit;
mod limits;
mod login;
mod maker;
mod makers;
pub mod media;
mod mend;
mod native;
mod probe;
mod refusal;
mod reported;
mod request;
mod retry;
mod search;
mod shape;
mod tape;
mod taxonomy;
mod translated;
mod via;
mod wire;
mod words;

pub use dialect::Providers;

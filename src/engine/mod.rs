//! The life of a request: what is decided between a surface that hears a caller and a provider that answers.
//! Wire formats, sockets, storage and HTTP surfaces live elsewhere and are reached through `ports`.

mod admit;
mod attempt;
pub mod caller;
pub mod code;
pub mod fault;
pub mod health;
mod meter;
pub mod money;
pub mod pipeline;
pub mod plan;
pub mod policy;
pub mod ports;
pub mod receipt;
pub mod refusal;
mod resolve;
pub mod reuse;
pub mod settings;
mod settle;
pub mod shaping;

pub use admit::Admission;
pub use pipeline::Engine;

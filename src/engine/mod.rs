//! The life of a request: what is decided between a surface that hears a caller and a provider that answers.
//! Wire formats, sockets, storage and HTTP surfaces live elsewhere and are reached through `ports`.

pub mod caller;
pub mod code;
pub mod fault;
pub mod health;
pub mod plan;
pub mod ports;
pub mod receipt;
pub mod refusal;
pub mod settings;

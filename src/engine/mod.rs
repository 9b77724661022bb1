//! The life of a request: what is decided between a surface that hears a caller and a provider that answers.
//! Wire formats, sockets, storage and HTTP surfaces live elsewhere and are reached through `ports`.

mod admit;
pub mod affinity;
mod attempt;
pub mod budget;
pub mod caller;
mod capture;
pub mod code;
pub mod cost;
mod delivery;
pub mod fault;
pub mod health;
mod learning;
mod meter;
pub mod modality;
pub mod need;
mod nowhere;
pub mod pace;
pub mod pipeline;
pub mod plan;
pub mod policy;
pub mod ports;
pub mod presets;
mod pricing;
pub mod quota;
pub mod receipt;
pub mod refusal;
mod resolve;
pub mod reuse;
pub mod settings;
mod settle;
pub mod shaping;
mod tab;
pub mod task;
pub mod telemetry;
pub mod trace;
mod traffic;
mod waiting;

pub use admit::Admission;
pub use pipeline::Engine;
pub use settings::money;

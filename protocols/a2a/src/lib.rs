//! The A2A wire in both of its versions. One model in the terms of 1.0 ([`model`]), a codec for each version ([`v1`],
//! [`v03`]), the JSON-RPC envelope ([`rpc`]), the HTTP+JSON binding ([`rest`]), the agent card ([`card`]), the errors
//! ([`failure`]), and what may happen to a task ([`machine`]). Pure: bytes and JSON in, types and JSON out. Who may ask,
//! what is done, and what is kept is not known here.
//!
//! Source of all names and numbers: the specification of A2A 1.0.1 with its proto file, and that of 0.3.0 with its
//! types.

pub mod card;
pub mod failure;
pub mod machine;
pub mod model;
mod objects;
mod omniroute;
pub mod operation;
pub mod rest;
pub mod rpc;
mod shape;
pub mod v03;
pub mod v1;
pub mod version;

pub use failure::{Code, Failure};
pub use omniroute::decode;
pub use operation::Operation;
pub use shape::{Invalid, Problem, Timestamp};
pub use version::Version;

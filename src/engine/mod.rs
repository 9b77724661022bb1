//! The life of a request. So far only its settings.

pub mod settings;

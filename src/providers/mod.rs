//! How providers are reached. So far only the catalogue that describes them.

pub mod catalog;

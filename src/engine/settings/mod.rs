//! The immutable snapshot that routing reads. So far only the catalogue's part of it.

pub mod catalogue;
pub mod provider;

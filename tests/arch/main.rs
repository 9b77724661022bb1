//! Arch tests.

//! Trivium.

//! What a provider said, made fit for receipts, logs and clients: without the credential, and of bounded length.

use crate::engine::settings::{Connection, Secret};

/// The longest message that is taken over from a provider, in characters.
const LIMIT: usize = 500;

/// The text without the connection's credential, which some providers quote when they refuse it. The whole text is
/// searched before it is cut, so that no half of a credential stays at its end.
pub(super) fn clean(text: &str, connection: &Connection) -> String {
    without_secret(text, connection).chars().take(LIMIT).collect()
}

/// The text with the credential replaced, at its full length.
pub(super) fn without_secret(text: &str, connection: &Connection) -> String {
    match connection.credential.as_ref().map(Secret::expose) {
        Some(secret) if !secret.is_empty() => text.replace(secret, "[redacted]"),
        _ => text.to_owned(),
    }
}

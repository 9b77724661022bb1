//! Google's generateContent: what may be asked, and how what is said looks on the wire.
//!
//! Nothing here waits, and nothing here knows of faults.

mod embed;
mod fields;
mod history;
mod proto;
mod request;
mod schema;
mod signature;
mod speech;
#[cfg(test)]
mod tests;
mod tools;

pub(super) use embed::EmbedRequest;
pub(super) use request::GenerateRequest;

/// Whose signatures are taken, unless the script says otherwise.
const MAKER: &str = "google";

/// Whether a model is of the third generation or later, which is stricter.
fn is_recent(model: &str) -> bool {
    let number = model.strip_prefix("gemini-").and_then(|rest| rest.split(['.', '-']).next());
    number.and_then(|number| number.parse::<u32>().ok()).is_some_and(|number| number >= 3)
}

//! Generation (`generateContent` and `streamGenerateContent`): what a request asks for and what the pieces of an
//! answer mean, and the way to and from canon.

mod answer;
mod base64;
mod hints;
mod part;
mod request;
mod scan;
mod signature;
mod spelling;
mod stream;
mod unary;
mod wire;

#[cfg(test)]
mod tests;

pub use answer::{Decoder, Encoder, decode_answer, encode_answer};
pub use request::{decode, encode};
pub use scan::{path, scan};
pub use signature::{SKIP, may_be_named, without_foreign_thoughts};
pub use stream::{data, read_event};
pub use unary::read_unary;

/// Whether a model is of the third generation or later, by its name: it takes levels of thinking instead of budgets,
/// checks the signatures of calls, and takes media in results.
fn is_late(model: &str) -> bool {
    let Some((_, version)) = model.split_once("gemini-") else { return false };
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    // The names without a number (`gemini-flash-latest`, `gemini-pro-latest`) move with the newest.
    digits.parse::<u32>().map_or_else(|_| version.ends_with("-latest"), |number| number >= 3)
}

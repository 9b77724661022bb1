//! Closer looks at a body, for the few requests whose routing depends on more than its top-level fields. None of them
//! decodes it: they read marks that stand in the text of all dialects alike.

use std::borrow::Cow;

use serde::{
    Deserialize, Deserializer as _,
    de::{Error as _, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::tokens;

/// The most of a message that is looked at, in bytes.
const MESSAGE_LIMIT: usize = 4096;

/// A string longer than this that holds nothing but base64 is no text.
const DATA_AT_LEAST: usize = 1024;

/// Tokens that such a string counts as: a picture of about a megapixel.
const DATA_TOKENS: u64 = 1334;

/// Whether a request shows pictures: there is a part of such a type in it. A string that merely speaks of one does not
/// count, because its quotes are escaped.
#[must_use]
pub fn shows_pictures(body: &str) -> bool {
    // Most bodies have none of the words.
    if !body.contains("image") {
        return false;
    }
    let typed = |kind: &str| {
        body.match_indices(kind).any(|(at, _)| {
            let before = body[..at].trim_end();
            before.strip_suffix(':').is_some_and(|before| before.trim_end().ends_with("\"type\""))
        })
    };
    let keyed = |key: &str| {
        body.match_indices(key).any(|(at, _)| body[at + key.len()..].trim_start().starts_with(':'))
    };
    typed("\"image_url\"")
        || typed("\"input_image\"")
        || typed("\"image\"")
        || (keyed("\"inlineData\"") || keyed("\"inline_data\"")) && body.contains("image/")
}

/// The beginning of a conversation, which stays the same while it grows: all up to its first message of the user. A
/// conversation that is a single text is its own beginning.
#[must_use]
pub fn beginning(turns: &str) -> &str {
    struct First(usize);
    impl<'de> Visitor<'de> for &mut First {
        type Value = ();

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a list of messages")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
            while let Some(message) = list.next_element::<&RawValue>()? {
                self.0 = message.get().as_ptr() as usize + message.get().len();
                if is_of_user(message.get()) {
                    // The rest needs no reading.
                    return Err(A::Error::custom("found"));
                }
            }
            Ok(())
        }
    }
    let mut first = First(0);
    // The error is how it stops early; a text that is no list leaves nothing found.
    drop(serde_json::Deserializer::from_str(turns).deserialize_seq(&mut first));
    let end = first.0.checked_sub(turns.as_ptr() as usize).filter(|&end| end <= turns.len());
    end.and_then(|end| turns.get(..end)).unwrap_or(turns)
}

fn is_of_user(message: &str) -> bool {
    #[derive(Deserialize)]
    struct Message<'a> {
        #[serde(borrow, default)]
        role: Option<Cow<'a, str>>,
    }
    // A content of Gemini without a role is the user's.
    serde_json::from_str::<Message<'_>>(message)
        .is_ok_and(|message| message.role.is_none_or(|role| role == "user"))
}

/// What the user said last, as it stands in the text, or the end of the conversation where no message says that it is
/// the user's. Cut to a few thousand bytes.
#[must_use]
pub fn said_last(turns: &str) -> &str {
    let last = turns.rmatch_indices("\"user\"").map(|(at, _)| at).find(|&at| {
        let before = turns[..at].trim_end();
        before.strip_suffix(':').is_some_and(|before| before.trim_end().ends_with("\"role\""))
    });
    let from = last
        .map_or_else(|| turns.floor_char_boundary(turns.len().saturating_sub(MESSAGE_LIMIT)), |at| at + 6);
    let text = &turns[from..];
    &text[..text.floor_char_boundary(MESSAGE_LIMIT)]
}

/// Whether a field stands in the body whose value begins so. Text that merely speaks of it does not count.
#[must_use]
pub fn says(body: &str, field: &str, value: &str) -> bool {
    body.match_indices(field).any(|(at, _)| {
        let quoted = body[..at].ends_with('"') && !body[..at].ends_with("\\\"");
        let rest = body[at + field.len()..].strip_prefix('"').map(str::trim_start);
        let said = rest.and_then(|rest| rest.strip_prefix(':')).map(str::trim_start);
        quoted && said.is_some_and(|said| said.starts_with(value))
    })
}

/// A body longer than this is counted by samples, in bytes.
const SAMPLED: usize = 128 * 1024;

/// How many samples, and how long each is, in bytes.
const SAMPLES: (usize, usize) = (16, 4096);

/// About how many tokens a body has, pictures and documents in base64 counted as next to nothing. Of a long body a
/// sixteenth or less is looked at.
#[must_use]
pub fn tokens_of(body: &str) -> u64 {
    if body.len() <= SAMPLED {
        return tokens_in(body, DATA_TOKENS);
    }
    let (count, length) = SAMPLES;
    let step = body.len() / count;
    let (mut tokens, mut seen) = (0_u64, 0_u64);
    for nth in 0..count {
        let from = body.floor_char_boundary(nth * step);
        let sample = &body[from..body.floor_char_boundary((from + length).min(body.len()))];
        // What is data in a sample is a piece of something large, which counts as next to nothing for its size.
        tokens += tokens_in(sample, 0);
        seen += sample.len() as u64;
    }
    tokens.saturating_mul(body.len() as u64) / seen.max(1)
}

fn tokens_in(body: &str, of_data: u64) -> u64 {
    let is_data = |text: &str| {
        text.len() >= DATA_AT_LEAST
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_'))
    };
    let plain = unescaped(body);
    let of = |text: &str| {
        let data = text.rsplit_once("base64,").map_or(text, |(_, data)| data);
        if is_data(data) { of_data } else { tokens::in_text(text) }
    };
    plain.split('"').map(of).sum()
}

/// The text with what stands behind backslashes put in place: what a letter costs does not depend on how it is written.
/// Line breaks within base64 go, and so do halves of letters.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let mut letters = after.chars();
        match letters.next() {
            Some('u') => {
                let digits = after.get(1..5).and_then(|digits| u32::from_str_radix(digits, 16).ok());
                plain.extend(digits.and_then(char::from_u32));
                rest = after.get(5..).unwrap_or_default();
                continue;
            }
            Some('n' | 'r')
                if plain
                    .bytes()
                    .rev()
                    .take(60)
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/') => {}
            Some('n' | 'r' | 't' | 'b' | 'f') => plain.push(' '),
            Some('"') => plain.push('\''),
            Some(letter) => plain.push(letter),
            None => {}
        }
        rest = letters.as_str();
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_seen_in_every_dialect_and_only_where_they_are() {
        for body in [
            r#"{"messages":[{"content":[{"type":"image_url","image_url":{"url":"x"}}]}]}"#,
            r#"{"input":[{"content":[{"type" : "input_image"}]}]}"#,
            r#"{"messages":[{"content":[{"type":"image","source":{}}]}]}"#,
            r#"{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":""}}]}]}"#,
        ] {
            assert!(shows_pictures(body), "{body}");
        }
        for body in [
            r#"{"messages":[{"content":"{\"type\":\"image_url\"}"}]}"#,
            r#"{"tools":[{"parameters":{"properties":{"image_url":{"type":"string"}},"required":["image_url"]}}]}"#,
            r#"{"contents":[{"parts":[{"inlineData":{"mimeType":"audio/wav","data":""}}]}]}"#,
        ] {
            assert!(!shows_pictures(body), "{body}");
        }
    }

    #[test]
    fn a_conversation_begins_the_same_while_it_grows() {
        let first = r#"[{"role":"system","content":"s"},{"role":"user","content":"hi"}]"#;
        let later = r#"[{"role":"system","content":"s"},{"role":"user","content":"hi"},{"role":"assistant","content":"x"},{"role":"user","content":"more"}]"#;
        assert_eq!(beginning(first), beginning(later));
        assert!(beginning(first).ends_with(r#""hi"}"#));
        assert_eq!(beginning(r#""just a text""#), r#""just a text""#);
        assert_eq!(beginning("[]"), "[]");
    }

    #[test]
    fn what_was_said_last_is_the_users() {
        let turns = r#"[{"role":"user","content":"one"},{"role":"assistant","content":"\"role\":\"user\" no"},{"role" : "user","content":"two"}]"#;
        assert!(said_last(turns).contains("two") && !said_last(turns).contains("no"));
        assert_eq!(said_last(r#""text""#), r#""text""#);
    }

    #[test]
    fn how_letters_are_written_does_not_matter() {
        let text = "Привет, как дела? 你好，今天天气怎么样？ ".repeat(20);
        let plain = serde_json::to_string(&text).unwrap_or_default();
        let escaped: String = plain
            .chars()
            .map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) })
            .collect();
        assert_eq!(tokens_of(&plain), tokens_of(&escaped));
        for breaks in ["\\/", "\\n"] {
            let line = "QUJD".repeat(19);
            let picture =
                format!("{{\"url\":\"data:image/png;base64,{}\"}}", [line.as_str(); 700].join(breaks));
            assert!(tokens_of(&picture) < 3_000, "{breaks}: {}", tokens_of(&picture));
        }
    }

    #[test]
    fn samples_of_a_long_body_are_about_right() {
        let body =
            "{\"text\":\"the quick brown fox jumps over the lazy dog, and then it rests\"}".repeat(6_000);
        let (sampled, whole) = (tokens_of(&body), tokens_in(&body, DATA_TOKENS));
        assert!(sampled.abs_diff(whole) * 20 < whole, "{sampled} of {whole}");
    }

    #[test]
    fn fields_are_told_from_text() {
        assert!(says(r#"{"truncation" : "auto"}"#, "truncation", "\"auto\""));
        assert!(!says(r#"{"text":"\"truncation\":\"auto\""}"#, "truncation", "\"auto\""));
        assert!(!says(r#"{"truncation":"disabled"}"#, "truncation", "\"auto\""));
    }

    #[test]
    fn a_picture_is_not_counted_by_its_letters() {
        let picture = format!(r#"{{"url":"data:image/png;base64,{}"}}"#, "QUJD".repeat(50_000));
        assert!(tokens_of(&picture) < 3_000, "{}", tokens_of(&picture));
        let small = format!(r#"{{"url":"data:image/png;base64,{}"}}"#, "QUJD".repeat(5_000));
        assert!((1_000..3_000).contains(&tokens_of(&small)), "{}", tokens_of(&small));
        assert!(tokens_of(r#"{"messages":[{"role":"user","content":"hello there"}]}"#) < 40);
    }
}

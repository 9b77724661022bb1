//! How many tokens a request has, about. No vocabulary is kept here: each vendor's is another one, and each takes
//! tens of megabytes of memory. The rules below follow how byte-pair vocabularies cut text (words, groups of digits,
//! runs of marks), and were fitted to OpenAI's `o200k_base`: on English prose, code, JSON and CJK text they come within
//! about an eighth of it, on the high side.

use serde_json::Value;

use crate::{Block, Kind, Source, ToolKind, Turn};

/// Tokens around each message: its role and its borders.
const MESSAGE: u64 = 4;

/// Tokens of a picture whose size is not known: about a square of a thousand pixels at 750 pixels a token, as Anthropic
/// documents it.
const IMAGE: u64 = 1334;

/// Base64 letters of a document that make a token, as in PDFs of mostly text.
const DOCUMENT: u64 = 40;

/// About how many tokens `text` has.
#[must_use]
pub fn in_text(text: &str) -> u64 {
    let mut tokens = 0;
    let mut letters = text.chars().peekable();
    while let Some(first) = letters.next() {
        let class = Class::of(first);
        let (mut length, mut last) = (1_u64, first);
        while let Some(next) = letters.next_if(|&next| {
            Class::of(next) == class && !(class == Class::Latin && last.is_lowercase() && next.is_uppercase())
        }) {
            (length, last) = (length + 1, next);
        }
        tokens += class.tokens(first, length);
    }
    tokens
}

/// About how many tokens a request's prompt has.
#[must_use]
pub fn in_turn(turn: &Turn) -> u64 {
    let tools: u64 = turn
        .tools
        .iter()
        .map(|tool| {
            let schema = match &tool.kind {
                ToolKind::Function { parameters: Some(value), .. }
                | ToolKind::Custom { format: Some(value) }
                | ToolKind::Server { value, .. } => in_json(value),
                ToolKind::Function { .. } | ToolKind::Custom { .. } | ToolKind::WebSearch => 0,
            };
            MESSAGE + in_text(&tool.name) + tool.description.as_deref().map_or(0, in_text) + schema
        })
        .sum();
    let messages: u64 = turn.messages.iter().map(|message| MESSAGE + in_blocks(&message.blocks)).sum();
    MESSAGE + in_blocks(&turn.instructions) + messages + tools
}

fn in_blocks(blocks: &[Block]) -> u64 {
    blocks.iter().map(in_block).sum()
}

fn in_block(block: &Block) -> u64 {
    match &block.kind {
        Kind::Text { text, .. } | Kind::Refusal(text) => in_text(text),
        Kind::Image(_) => IMAGE,
        Kind::Audio(media) | Kind::File(media) | Kind::Video(media) => match &media.source {
            Source::Base64(data) => data.len() as u64 / DOCUMENT,
            Source::Text(text) => in_text(text),
            Source::Url(_) | Source::Uploaded { .. } => IMAGE,
        },
        Kind::ToolCall(call) => MESSAGE + in_text(&call.name) + in_text(&call.arguments),
        Kind::ToolResult(result) => MESSAGE + in_blocks(&result.content),
        Kind::Thinking(thinking) => in_text(&thinking.text),
        Kind::Opaque { value, .. } => in_json(value),
    }
}

fn in_json(value: &Value) -> u64 {
    in_text(&value.to_string())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Space,
    Latin,
    Digit,
    Mark,
    /// Chinese, Japanese, Korean, and pictures.
    Wide,
    Other,
}

impl Class {
    fn of(letter: char) -> Self {
        match letter {
            _ if letter.is_whitespace() => Self::Space,
            '0'..='9' => Self::Digit,
            _ if letter < '\u{250}' && letter.is_alphabetic() => Self::Latin,
            _ if letter.is_ascii() => Self::Mark,
            '\u{2e80}'..='\u{d7ff}' | '\u{10000}'.. => Self::Wide,
            _ => Self::Other,
        }
    }

    /// The tokens of a run of `length` letters of this class.
    const fn tokens(self, first: char, length: u64) -> u64 {
        match self {
            // A single space belongs to the word behind it.
            Self::Space => (length > 1 || first == '\n') as u64,
            Self::Latin => 1 + length.saturating_sub(3) / 6,
            Self::Digit => length.div_ceil(3),
            Self::Mark => 1 + (length - 1) / 3,
            Self::Wide => (length * 3).div_ceil(4),
            Self::Other => length.div_ceil(4),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts and what `o200k_base` makes of them.
    const KNOWN: [(&str, u64); 6] = [
        ("hello world, how are you", 6),
        (
            "今天天气很好，我们一起去公园散步吧。人工智能正在改变世界，许多公司都在研究大型语言模型。请你告诉我如何学习编程语言。",
            39,
        ),
        (
            "昨日は友達と一緒に映画を見に行きました。とても面白かったです。日本語の文章をトークンに分割します。",
            40,
        ),
        (
            "Сегодня хорошая погода, и мы идём гулять в парк. Большие языковые модели меняют мир программирования.",
            26,
        ),
        (
            "Die Straßenverkehrsordnung regelt, wie man sich im öffentlichen Raum verhält. Übrigens können größere Wörter zusammengesetzt werden.",
            28,
        ),
        ("", 0),
    ];

    #[test]
    fn estimates_come_near() {
        for (text, tokens) in KNOWN {
            let estimate = in_text(text);
            let most = tokens + tokens / 4 + 1;
            assert!((tokens - tokens / 8..=most).contains(&estimate), "{estimate} for {tokens}: {text}");
        }
    }

    #[test]
    fn a_long_word_costs_linear_time() {
        assert_eq!(in_text(&"a".repeat(6_000_003)), 1_000_001);
    }
}

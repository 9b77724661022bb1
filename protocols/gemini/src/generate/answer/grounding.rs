//! Where an answer was taken from: `groundingMetadata` of searches, and `citationMetadata` of what was learnt.

use std::collections::HashSet;

use canon::{Citation, Losses, Rest};
use serde_json::{Map, Value, json};

/// Where the characters of a text stand in its bytes, in which Gemini counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Offsets {
    bytes: u64,
    /// Of each character that is longer than a byte: where it ends, and how many bytes were saved up to there.
    wide: Vec<(u64, u64)>,
}

impl Offsets {
    pub(super) fn push(&mut self, text: &str) {
        for (at, letter) in text.char_indices().filter(|(_, letter)| !letter.is_ascii()) {
            let end = self.bytes + (at + letter.len_utf8()) as u64;
            let saved = self.wide.last().map_or(0, |(_, saved)| *saved);
            self.wide.push((end, saved + letter.len_utf8() as u64 - 1));
        }
        self.bytes += text.len() as u64;
    }

    /// The character that stands at a byte.
    fn character(&self, byte: u64) -> u64 {
        let before = self.wide.partition_point(|(end, _)| *end <= byte);
        let saved = before.checked_sub(1).and_then(|at| self.wide.get(at)).map_or(0, |(_, saved)| *saved);
        byte.min(self.bytes).saturating_sub(saved)
    }
}

/// The citations of a candidate. `offsets` are those of its text, where that is one block.
pub(super) fn read(candidate: &Map<String, Value>, offsets: Option<&Offsets>) -> Vec<Citation> {
    let mut citations = Vec::new();
    if let Some(grounding) = candidate.get("groundingMetadata") {
        searched(grounding, offsets, &mut citations);
    }
    if let Some(learnt) = candidate.get("citationMetadata") {
        let sources = learnt.get("citationSources").or_else(|| learnt.get("citations"));
        for source in sources.and_then(Value::as_array).into_iter().flatten() {
            let url = text(source, "uri");
            if url.is_some() {
                citations.push(citation(url, text(source, "title"), span(source, offsets)));
            }
        }
    }
    citations
}

fn searched(grounding: &Value, offsets: Option<&Offsets>, citations: &mut Vec<Citation>) {
    let list =
        |name: &str| grounding.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let chunks = list("groundingChunks");
    let mut cited = HashSet::new();
    for support in list("groundingSupports") {
        let indices = support.get("groundingChunkIndices").and_then(Value::as_array);
        let span = support.get("segment").and_then(|segment| span(segment, offsets));
        for index in indices.into_iter().flatten().filter_map(Value::as_u64) {
            let Some(chunk) = usize::try_from(index).ok().and_then(|index| chunks.get(index)) else {
                continue;
            };
            cited.insert(index);
            citations.extend(of_chunk(chunk, span));
        }
    }
    // What was found and supports no words in particular.
    let unused = (0_u64..).zip(chunks).filter(|(index, _)| !cited.contains(index));
    citations.extend(unused.filter_map(|(_, chunk)| of_chunk(chunk, None)));
}

fn of_chunk(chunk: &Value, span: Option<(u64, u64)>) -> Option<Citation> {
    let source = ["web", "retrievedContext", "maps"].into_iter().find_map(|name| chunk.get(name))?;
    Some(citation(Some(text(source, "uri")?), text(source, "title"), span))
}

fn citation(url: Option<String>, title: Option<String>, span: Option<(u64, u64)>) -> Citation {
    Citation { url, title, quote: None, span, rest: Rest::default() }
}

fn text(object: &Value, name: &str) -> Option<String> {
    object.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// The words that are meant. A start that is absent is 0, as Google's JSON leaves zeros out.
fn span(segment: &Value, offsets: Option<&Offsets>) -> Option<(u64, u64)> {
    let offsets = offsets?;
    let end = segment.get("endIndex")?.as_u64()?;
    let start = segment.get("startIndex").and_then(Value::as_u64).unwrap_or(0);
    Some((offsets.character(start), offsets.character(end)))
}

/// The `groundingMetadata` that names the pages of citations; `None` without any. Which words they support is not said.
pub(super) fn written(citations: &[Citation], losses: &mut Losses) -> Option<Value> {
    let mut named = HashSet::new();
    let mut chunks = Vec::new();
    for citation in citations {
        let Some(url) = citation.url.as_deref() else {
            losses.dropped("citations");
            continue;
        };
        if citation.quote.is_some() || citation.span.is_some() {
            losses.changed("citations");
        }
        if !named.insert(url) {
            continue;
        }
        let title = citation.title.as_deref().unwrap_or(url);
        chunks.push(json!({"web": {"uri": url, "title": title}}));
    }
    (!chunks.is_empty()).then(|| json!({"groundingChunks": chunks}))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use super::*;

    #[test]
    fn bytes_become_characters_and_unused_pages_are_named() {
        let candidate = json!({"groundingMetadata": {
            "groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}}, {"web": {"uri": "https://b.example"}}],
            "groundingSupports": [{"segment": {"startIndex": 3, "endIndex": 9}, "groundingChunkIndices": [0, 7]}]}});
        let mut offsets = Offsets::default();
        offsets.push("é ");
        offsets.push("ü words");
        let citations = read(candidate.as_object().unwrap(), Some(&offsets));
        assert_eq!(citations.len(), 2);
        assert_eq!(citations[0].span, Some((2, 7)));
        assert_eq!((citations[1].url.as_deref(), citations[1].span), (Some("https://b.example"), None));
        let mut losses = Losses::default();
        let expected = json!({"groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}},
            {"web": {"uri": "https://b.example", "title": "https://b.example"}}]});
        assert_eq!(written(&citations, &mut losses), Some(expected));
        assert_eq!(losses.to_string(), "~citations");
    }
}

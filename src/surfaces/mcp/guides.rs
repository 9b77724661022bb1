//! How clients are set up, from the page that people read.

use std::sync::LazyLock;

/// The page, with the address of a hub that listens as usual.
const PAGE: &str = include_str!("../../../docs/clients.md");
const USUAL: &str = "http://127.0.0.1:20128";

/// Every client with its part of the page.
static GUIDES: LazyLock<Vec<(String, &'static str)>> = LazyLock::new(|| {
    let parts = PAGE.split("\n## ").skip(1);
    let parts = parts.filter_map(|part| part.split_once('\n'));
    parts
        .filter(|(title, _)| !title.contains("fails"))
        .map(|(title, text)| (name(title), text.trim()))
        .collect()
});

/// A title as one word: `openai-python`.
fn name(title: &str) -> String {
    let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<_> = words.map(str::to_lowercase).filter(|word| word != "for" && word != "s").collect();
    words.join("-")
}

/// The names of all clients.
pub(super) fn names() -> Vec<String> {
    GUIDES.iter().map(|(name, _)| name.clone()).collect()
}

/// How to set a client up for the hub at `base`.
pub(super) fn guide(client: &str, base: &str) -> Option<String> {
    let (_, text) = GUIDES.iter().find(|(name, _)| name == client)?;
    Some(text.replace(USUAL, base))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn clients_have_guides_with_the_address_of_the_hub() {
        let names = names();
        for client in ["claude-code", "codex", "gemini-cli", "openai-python", "openai-node", "aider"] {
            assert!(names.contains(&client.to_owned()), "{client}: {names:?}");
            let guide = guide(client, "https://hub.example").unwrap();
            assert!(guide.contains("https://hub.example") && !guide.contains(USUAL), "{guide}");
        }
        assert!(names.contains(&"cursor".to_owned()) && guide("xyzzy", USUAL).is_none());
    }
}

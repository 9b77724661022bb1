//! Names that lead to more than a model: words below `auto`, tags, and names that the operator sends elsewhere. What a
//! name means in the end is the directory's to say (`engine::plan`).

use std::sync::Arc;

use super::provider::matches;

/// Names below this narrow and weigh what `auto` means.
pub const BELOW_AUTO: &str = "auto/";

/// In front of a tag, the name of every listed model that carries it.
pub const TAGGED: &str = "tag/";

/// What `auto` can be narrowed to.
pub const AUTO_CATEGORIES: [&str; 5] = ["coding", "reasoning", "vision", "multimodal", "chat"];

/// How `auto` can be weighed.
pub const AUTO_TIERS: [&str; 9] =
    ["fast", "cheap", "floor", "reliable", "free", "pro", "offline", "smart", "lkgp"];

/// Whether a name is `auto/<category>`, `auto/<tier>` or `auto/<category>:<tier>`.
#[must_use]
pub fn is_below_auto(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(BELOW_AUTO) else { return false };
    match rest.split_once(':') {
        Some((category, tier)) => AUTO_CATEGORIES.contains(&category) && AUTO_TIERS.contains(&tier),
        None => AUTO_CATEGORIES.contains(&rest) || AUTO_TIERS.contains(&rest),
    }
}

/// Whether a name fits a pattern, in which `*` stands for any text.
#[must_use]
pub fn fits(pattern: &str, name: &str) -> bool {
    matches(pattern, name)
}

/// A rule of the operator's map: names that mean nothing else lead there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The names; `*` stands for any text.
    pub pattern: Arc<str>,
    /// Where they lead: a name as clients write it.
    pub to: Arc<str>,
}

impl Mapping {
    /// Whether the rule is for this name.
    #[must_use]
    pub fn takes(&self, name: &str) -> bool {
        matches(&self.pattern, name)
    }

    /// Whether no name is left for `later`, because this rule takes all of its names.
    #[must_use]
    pub fn covers(&self, later: &Self) -> bool {
        // A star of this one takes a star as it takes any text; nothing else of it does.
        self.takes(&later.pattern)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_rule_covers_a_narrower_one() {
        let rule = |pattern: &str| Mapping { pattern: pattern.into(), to: "x".into() };
        for (earlier, later, covered) in [
            ("*", "claude-*", true),
            ("claude-*", "claude-*-4", true),
            ("claude-*", "claude-*", true),
            ("claude-*-4", "claude-*", false),
            ("claude-opus", "claude-*", false),
            ("*-mini", "gpt-*", false),
        ] {
            assert_eq!(rule(earlier).covers(&rule(later)), covered, "{earlier} {later}");
        }
    }

    #[test]
    fn only_known_words_are_below_auto() {
        for (name, is) in [
            ("auto/coding", true),
            ("auto/floor", true),
            ("auto/chat:free", true),
            ("auto/free:chat", false),
            ("auto/", false),
            ("auto", false),
            ("auto/coding:", false),
        ] {
            assert_eq!(is_below_auto(name), is, "{name}");
        }
    }
}

//! How the hub answers as an MCP server.

use std::{sync::Arc, time::Duration};

/// Which tools are listed to a client that does not say. Those that are not listed can be found and called all the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ToolProfile {
    /// The eight that an agent needs to work.
    Essential,
    /// What agents ask of a hub; without what its operator manages it by.
    #[default]
    Standard,
    /// Every operation.
    Full,
}

impl ToolProfile {
    /// The profile's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Essential => "essential",
            Self::Standard => "standard",
            Self::Full => "full",
        }
    }
}

/// The operator's choices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mcp {
    /// Whether it answers at all.
    pub enabled: bool,
    /// Whether it speaks the HTTP+SSE transport of 2024 as well.
    pub legacy_sse: bool,
    /// Which tools are listed.
    pub profile: ToolProfile,
    /// Names of the only tools that are offered, with `*` for any letters; all, if there is none.
    pub allow: Arc<[Box<str>]>,
    /// Names of tools that are not offered, with `*` for any letters.
    pub deny: Arc<[Box<str>]>,
    /// Whether tools are known by OmniRoute's names, too.
    pub aliases: bool,
    /// The largest result that is sent as it is, in bytes.
    pub result_bytes: usize,
    /// How many sessions may stand at a time.
    pub sessions: usize,
    /// After how long without a request a session is forgotten.
    pub session_ttl: Duration,
}

impl Default for Mcp {
    fn default() -> Self {
        Self {
            enabled: true,
            legacy_sse: false,
            profile: ToolProfile::Standard,
            allow: Arc::default(),
            deny: Arc::default(),
            aliases: false,
            // About 25,000 tokens: the most that Claude Code takes from a tool.
            result_bytes: 100 * 1024,
            sessions: 1_000,
            session_ttl: Duration::from_secs(24 * 3_600),
        }
    }
}

impl Mcp {
    /// Whether a tool of that name is offered.
    #[must_use]
    pub fn offers(&self, name: &str) -> bool {
        let meant = |patterns: &[Box<str>]| patterns.iter().any(|pattern| fits(pattern, name));
        (self.allow.is_empty() || meant(&self.allow)) && !meant(&self.deny)
    }
}

/// Whether `name` fits a pattern in which `*` stands for any letters.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = left.get(at + part.len()..).unwrap_or_default();
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_allow_and_deny() {
        let mcp = |allow: &[&str], deny: &[&str]| Mcp {
            allow: allow.iter().map(|&name| name.into()).collect(),
            deny: deny.iter().map(|&name| name.into()).collect(),
            ..Mcp::default()
        };
        assert!(mcp(&[], &[]).offers("get_health"));
        assert!(mcp(&["get_*"], &[]).offers("get_health"));
        assert!(!mcp(&["get_*"], &[]).offers("list_combos"));
        assert!(!mcp(&["*"], &["*_key*"]).offers("create_key"));
        assert!(!mcp(&["*"], &["*_key*"]).offers("list_keys"));
        assert!(mcp(&["*"], &["*_key"]).offers("list_keys"));
        assert!(mcp(&["l*s"], &[]).offers("list_keys"));
        assert!(!mcp(&["abab*bab"], &[]).offers("abab"));
    }
}

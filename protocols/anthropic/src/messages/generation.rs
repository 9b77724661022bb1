//! What a Claude model takes, by its name. The vendor changed the settings of reasoning and sampling between
//! generations, refuses the ones of another, and says so in its guide to thinking and its migration guides. Models of
//! other makers that speak this dialect are taken for the ones that the dialect was first made for.

/// The generation of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Generation {
    /// Major and minor version; `None` for models of other makers.
    version: Option<(u32, u32)>,
    /// Whether thinking cannot be switched off (Mythos, Fable).
    always_thinks: bool,
}

/// How a model is told to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinks {
    /// Not at all.
    Never,
    /// With `enabled` and a budget.
    Budget,
    /// With `adaptive` and an effort.
    Adaptive,
}

impl Generation {
    /// The generation that a model's name tells.
    pub(super) fn of(model: &str) -> Self {
        let model = model.to_ascii_lowercase();
        let Some(begin) = model.find("claude") else { return Self { version: None, always_thinks: false } };
        let words = model[begin..].split(|letter: char| !letter.is_ascii_alphanumeric());
        let always_thinks = model.contains("mythos") || model.contains("fable");
        let mut numbers = words
            .map(|word| if word.len() <= 2 { word.parse::<u32>().ok() } else { None })
            .skip_while(Option::is_none);
        let version = match (numbers.next().flatten(), numbers.next().flatten()) {
            (Some(major), minor) => (major, minor.unwrap_or(0)),
            // A name without a version stands for the newest.
            (None, _) => (u32::MAX, 0),
        };
        Self { version: Some(version), always_thinks }
    }

    fn since(self, version: (u32, u32)) -> bool {
        self.version.is_some_and(|own| own >= version)
    }

    /// How it is told to think: adaptively since 4.6, and never before 3.7.
    pub(super) fn thinks(self) -> Thinks {
        match self.version {
            Some(version) if version < (3, 7) => Thinks::Never,
            Some(version) if version >= (4, 6) => Thinks::Adaptive,
            _ => Thinks::Budget,
        }
    }

    /// Whether thinking can be switched off.
    pub(super) const fn can_stop_thinking(self) -> bool {
        !self.always_thinks
    }

    /// Whether it thinks where a request says nothing of it.
    pub(super) fn thinks_unasked(self) -> bool {
        self.since((5, 0))
    }

    /// Whether it knows the effort `xhigh`.
    pub(super) fn knows_xhigh(self) -> bool {
        self.since((4, 7))
    }

    /// Whether it takes temperature, `top_p` and `top_k`.
    pub(super) fn samples(self) -> bool {
        !self.since((4, 7))
    }

    /// Whether it takes temperature and `top_p` together.
    pub(super) fn samples_by_both(self) -> bool {
        !self.since((4, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_versions() {
        let version = |name: &str| Generation::of(name).version;
        assert_eq!(version("claude-3-5-haiku-20241022"), Some((3, 5)));
        assert_eq!(version("claude-3-opus-20240229"), Some((3, 0)));
        assert_eq!(version("claude-sonnet-4-20250514"), Some((4, 0)));
        assert_eq!(version("us.anthropic.claude-haiku-4-5-20251001-v1:0"), Some((4, 5)));
        assert_eq!(version("anthropic/claude-opus-4.7"), Some((4, 7)));
        assert_eq!(version("claude-sonnet-5"), Some((5, 0)));
        assert_eq!(version("claude-mythos-preview"), Some((u32::MAX, 0)));
        assert_eq!(version("kimi-k2-thinking"), None);
    }

    #[test]
    fn generations_differ_in_what_they_take() {
        assert_eq!(Generation::of("claude-3-5-sonnet-latest").thinks(), Thinks::Never);
        assert_eq!(Generation::of("claude-opus-4-5").thinks(), Thinks::Budget);
        assert_eq!(Generation::of("glm-5").thinks(), Thinks::Budget);
        assert_eq!(Generation::of("claude-opus-4-6").thinks(), Thinks::Adaptive);
        assert!(!Generation::of("claude-fable-5").can_stop_thinking());
        assert!(Generation::of("claude-opus-4-6").samples() && !Generation::of("claude-opus-4-8").samples());
    }
}

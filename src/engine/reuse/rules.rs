//! For which requests answers may be given again, and what their clients say to that. Off costs a look at two flags.

use std::{collections::HashMap, sync::Arc, time::Duration};

use http::{HeaderMap, header};

use crate::engine::settings::{Combo, Settings};

/// What the operator wants for each name.
#[derive(Debug)]
pub(in crate::engine) struct Rules {
    usual: Rule,
    /// Combos that say something else.
    combos: HashMap<Arc<str>, Rule>,
}

/// What the operator wants for one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::engine) struct Rule {
    /// Whether answers are kept and given again.
    pub(super) cache: bool,
    /// Whether a unary request waits for one like it.
    pub(super) join: bool,
}

/// What a client says of answers that were made before (`cache-control`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// Whether it takes one.
    pub takes: bool,
    /// Whether its own may be kept.
    pub gives: bool,
    /// How old one may be.
    pub max_age: Option<Duration>,
}

impl Default for Freshness {
    fn default() -> Self {
        Self { takes: true, gives: true, max_age: None }
    }
}

impl Rules {
    pub(in crate::engine) fn new(settings: &Settings) -> Self {
        let usual = Rule { cache: settings.cache.enabled, join: settings.cache.join };
        let rule = |combo: &Combo| Rule {
            cache: combo.cache.unwrap_or(usual.cache),
            join: combo.join.unwrap_or(usual.join),
        };
        let combos = settings.combos.iter().map(|combo| (Arc::clone(&combo.id), rule(combo)));
        Self { usual, combos: combos.filter(|(_, rule)| *rule != usual).collect() }
    }

    /// What holds for a name as a client writes it; `None` where nothing is reused. `own` is what
    /// the caller's key says of it: to have answers given again that are kept for nobody else, or never.
    pub(in crate::engine) fn of(&self, name: &str, own: Option<bool>) -> Option<Rule> {
        if own == Some(false) {
            return None;
        }
        let said = if self.combos.is_empty() { None } else { self.combo(name) };
        let rule = said.unwrap_or(self.usual);
        let rule = Rule { cache: rule.cache || own == Some(true), ..rule };
        (rule.cache || rule.join).then_some(rule)
    }

    fn combo(&self, name: &str) -> Option<Rule> {
        let bare = || self.combos.get(name.strip_prefix("combo/")?);
        self.combos.get(name).or_else(bare).copied()
    }
}

impl Freshness {
    /// What the headers of a request say.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let mut says = Self::default();
        for value in headers.get_all(header::CACHE_CONTROL) {
            for word in value.to_str().unwrap_or_default().split(',') {
                says.obey(&word.trim().to_ascii_lowercase());
            }
        }
        says
    }

    fn obey(&mut self, word: &str) {
        match word.split_once('=').unwrap_or((word, "")) {
            ("no-cache", _) => self.takes = false,
            ("no-store", _) => (self.takes, self.gives) = (false, false),
            ("max-age", seconds) => {
                self.max_age = seconds.trim_matches('"').parse().ok().map(Duration::from_secs);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn what_clients_say_is_understood() {
        let of = |text: &'static str| {
            let headers = HeaderMap::from_iter([(header::CACHE_CONTROL, HeaderValue::from_static(text))]);
            let Freshness { takes, gives, max_age } = Freshness::of(&headers);
            (takes, gives, max_age.map(|age| age.as_secs()))
        };
        assert_eq!(of("no-cache"), (false, true, None));
        assert_eq!(of("No-Store"), (false, false, None));
        assert_eq!(of("private, max-age=60"), (true, true, Some(60)));
        assert_eq!(of("max-age=soon, no-transform"), (true, true, None));
        assert_eq!(Freshness::of(&HeaderMap::new()), Freshness::default());
    }
}

//! What holds for a caller beside its scopes, in a form that is quick to ask: patterns, networks, hours and numbers. It
//! answers single questions; in which order they are asked, and what is said to the client, is `engine::policy`'s.

use std::{net::IpAddr, sync::Arc};

use crate::engine::{
    ports::Target,
    settings::{Budget, Hours, KeyLimits, Network, fits},
};

/// In front of a combo's name.
const COMBO: &str = "combo/";

/// A caller's policy. The default one allows everything.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policy {
    /// Why the caller is not let in at all, if so; may be empty.
    pub disabled: Option<Arc<str>>,
    /// The hours in which it is.
    pub hours: Option<Hours>,
    /// From where it is.
    pub addresses: Option<Box<[Network]>>,
    /// The models that it may use.
    pub models: Sieve,
    /// The providers that its requests may go to.
    pub providers: Sieve,
    /// The connections that its requests may go to.
    pub connections: Sieve,
    /// The names of several models that it may ask for; `None`: all.
    pub combos: Option<Box<[Box<str>]>>,
    /// The tools that it may call over MCP, with `*` for any text; `None`: all that its scopes allow.
    pub tools: Option<Box<[Box<str>]>>,
    /// How often it may ask.
    pub limits: KeyLimits,
    /// What it may spend.
    pub budgets: Box<[Arc<Budget>]>,
    /// Whether receipts hold names and numbers alone.
    pub no_log: bool,
    /// Whether answers are given again; `None`: as the configuration says.
    pub cache: Option<bool>,
    /// Another number when the policy has changed.
    pub version: u64,
}

/// What is let through, and what is not. Patterns take `*` for any text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sieve {
    /// What passes; `None`: everything.
    pub allow: Option<Box<[Box<str>]>>,
    /// What does not, whatever is allowed.
    pub deny: Box<[Box<str>]>,
}

impl Sieve {
    fn is_open(&self) -> bool {
        self.allow.is_none() && self.deny.is_empty()
    }

    fn allows(&self, is: impl Fn(&str) -> bool) -> bool {
        self.allow.as_ref().is_none_or(|patterns| patterns.iter().any(|pattern| is(pattern)))
    }

    fn denies(&self, is: impl Fn(&str) -> bool) -> bool {
        self.deny.iter().any(|pattern| is(pattern))
    }

    fn passes(&self, is: impl Fn(&str) -> bool) -> bool {
        !self.denies(&is) && self.allows(&is)
    }
}

impl Policy {
    /// Whether it matters which models and targets a request is about.
    #[must_use]
    pub fn chooses(&self) -> bool {
        !(self.models.is_open()
            && self.providers.is_open()
            && self.connections.is_open()
            && self.combos.is_none())
    }

    /// Whether the caller may call a tool over MCP, as far as its list says.
    #[must_use]
    pub fn may_call(&self, tool: &str) -> bool {
        self.tools.as_ref().is_none_or(|patterns| patterns.iter().any(|pattern| fits(pattern, tool)))
    }

    /// Whether the caller may come from an address. Who comes over no network comes from none.
    #[must_use]
    pub fn admits(&self, address: Option<IpAddr>) -> bool {
        self.addresses.as_ref().is_none_or(|networks| {
            address.is_some_and(|address| networks.iter().any(|network| network.has(address)))
        })
    }

    /// Whether a name may be asked for, whatever it leads to. `means` is the name that it leads to, `several` whether that
    /// stands for several models.
    #[must_use]
    pub fn may_ask(&self, name: &str, means: &str, several: bool) -> bool {
        !self.models.denies(|pattern| is_named(pattern, name) || is_named(pattern, means))
            && (!several || self.combos.is_none() || self.opens(name, means, several))
    }

    /// Whether a name opens all that it leads to, because the list has it word for word, or as a combo.
    #[must_use]
    pub fn opens(&self, name: &str, means: &str, several: bool) -> bool {
        let listed = self.models.allow.as_ref().is_some_and(|patterns| {
            patterns.iter().any(|pattern| [name, means].iter().any(|name| **pattern == *bare(name)))
        });
        let combo = || {
            self.combos.as_ref().is_some_and(|patterns| {
                patterns.iter().any(|pattern| is_named(pattern, name) || is_named(pattern, means))
            })
        };
        listed || several && combo()
    }

    /// Whether a request may go to a target; `opened` says whether its name [opens](Self::opens) what it leads to.
    #[must_use]
    pub fn may_use(&self, target: &Target, opened: bool) -> bool {
        let (connection, provider) = (&target.connection, &target.connection.provider);
        let at_provider = |pattern: &str| {
            fits(pattern, &provider.id) || provider.prefixes.iter().any(|prefix| fits(pattern, prefix))
        };
        if !self.connections.passes(|pattern| fits(pattern, &connection.id))
            || !self.providers.passes(at_provider)
        {
            return false;
        }
        let is_model = |pattern: &str| {
            let below = |(at, model): (&str, &str)| {
                fits(model, &target.model) && (fits(at, &connection.id) || at_provider(at))
            };
            fits(pattern, &target.model) || pattern.split_once('/').is_some_and(below)
        };
        // What a provider keeps is of no model that the hub knows.
        target.model.is_empty() || !self.models.denies(is_model) && (opened || self.models.allows(is_model))
    }
}

fn bare(name: &str) -> &str {
    name.strip_prefix(COMBO).unwrap_or(name)
}

fn is_named(pattern: &str, name: &str) -> bool {
    fits(pattern, name) || fits(pattern, bare(name))
}

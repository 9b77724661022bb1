//! Why a target is left out of a plan.

use std::{fmt, sync::Arc};

use crate::engine::{health::Cooldown, ports::Target, receipt::SkipRecord};

/// A target that was left out, and why.
#[derive(Debug, Clone)]
pub struct Skip {
    /// The target.
    pub target: Target,
    /// Why.
    pub bar: Bar,
}

/// What keeps a target out of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bar {
    /// It is to be left alone for a while.
    Cooling(Cooldown),
    /// Its owner must log in.
    NeedsLogin,
    /// It cannot do what the request needs.
    Lacks(Ability),
    /// The request does not fit into its context window.
    TooSmall {
        /// The window in tokens.
        window: u64,
        /// The tokens that the request needs at least.
        needs: u64,
    },
    /// The client does not want it.
    Unwanted(Wish),
    /// Its caller may not use it.
    NotAllowed,
}

/// What a model may not be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ability {
    /// Call tools.
    Tools,
    /// See images.
    Vision,
    /// Answer after a schema.
    Structured,
}

/// Which of the client's wishes keeps a target out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// It is not among those that may be used.
    Only,
    /// It is among those that may not.
    Ignore,
    /// It costs more than the request may cost, or its price is not known.
    MaxCost,
    /// It is of another tier.
    Tier,
    /// Its provider may learn from what is sent, or nobody knows.
    NoTraining,
}

impl Skip {
    /// The cooldown that keeps it out, if one does.
    #[must_use]
    pub const fn cooldown(&self) -> Option<&Cooldown> {
        match &self.bar {
            Bar::Cooling(cooldown) => Some(cooldown),
            Bar::NeedsLogin | Bar::Lacks(_) | Bar::TooSmall { .. } | Bar::Unwanted(_) | Bar::NotAllowed => {
                None
            }
        }
    }

    /// The same for a receipt.
    #[must_use]
    pub fn record(&self) -> SkipRecord {
        SkipRecord {
            connection: Arc::clone(&self.target.connection.id),
            model: Arc::clone(&self.target.model),
            reason: self.bar.to_string(),
            until: self.cooldown().map(|cooldown| cooldown.until),
        }
    }
}

/// The reason in words, behind a word that machines can go by.
impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cooling(cooldown) => write!(f, "{}: {}", cooldown.kind, cooldown.message),
            Self::NeedsLogin => {
                f.write_str("needs_login: nobody is logged in to the account; its owner runs `trivium login`")
            }
            Self::Lacks(ability) => write!(f, "lacks: the model cannot {ability}"),
            Self::TooSmall { window, needs } => {
                write!(f, "too_small: the window has {window} tokens, and the request needs {needs} or more")
            }
            Self::Unwanted(wish) => write!(f, "unwanted: {wish}"),
            Self::NotAllowed => f.write_str("not_allowed: the key may not use it"),
        }
    }
}

impl fmt::Display for Ability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tools => "call tools",
            Self::Vision => "see images",
            Self::Structured => "be held to a schema",
        })
    }
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Only => "the request names others",
            Self::Ignore => "the request rules it out",
            Self::MaxCost => "it costs more than the request may cost, or its price is not known",
            Self::Tier => "the request wants another tier",
            Self::NoTraining => "its provider may learn from requests, or nobody has said that it does not",
        })
    }
}

//! The names below `auto`: `auto/<category>:<tier>`, each of both on its own too. A category keeps the models that are good
//! at it and puts weight on that; a tier sets the weights, or keeps what is free or at home. Where nothing is left, nothing
//! was left out: a filter never makes a request fail.

use super::group::{Group, Member, Node};
use crate::engine::{
    ports::Target,
    settings::{AutoMode, Scoring, Strategy},
    task::{self, TaskKind},
};

/// A model that is worse than this at a category, in thousandths, is not one of it.
const GOOD_AT: u16 = 700;

/// Exploration of `auto/smart`, in thousandths (as OmniRoute has it).
const SMART_EXPLORATION: u16 = 100;

/// The most words of a name, for suggestions.
pub(super) const NAMES: [&str; 14] = [
    "auto/coding",
    "auto/reasoning",
    "auto/vision",
    "auto/chat",
    "auto/multimodal",
    "auto/fast",
    "auto/cheap",
    "auto/floor",
    "auto/reliable",
    "auto/free",
    "auto/pro",
    "auto/offline",
    "auto/smart",
    "auto/lkgp",
];

/// What a name below `auto` asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Auto {
    category: Option<TaskKind>,
    tier: Option<AutoTier>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AutoTier {
    Fast,
    Cheap,
    Reliable,
    Free,
    Pro,
    Offline,
    Smart,
    LastKnownGood,
}

impl Auto {
    /// What the part behind `auto/` asks for; `None` where it is not understood.
    pub(super) fn parse(rest: &str) -> Option<Self> {
        if let Some((category, tier)) = rest.split_once(':') {
            return Some(Self { category: Some(category_of(category)?), tier: Some(tier_of(tier)?) });
        }
        let (category, tier) = (category_of(rest), tier_of(rest));
        (category.is_some() || tier.is_some()).then_some(Self { category, tier })
    }

    /// The group of all targets, narrowed and weighed.
    pub(super) fn group(
        self,
        name: &str,
        strategy: Strategy,
        scoring: &Scoring,
        targets: Vec<Target>,
    ) -> Group {
        let strategy = if self.tier == Some(AutoTier::LastKnownGood) { Strategy::Lkgp } else { strategy };
        let mut group = Group::of(name, strategy, targets);
        if let Some(category) = self.category {
            narrow(&mut group, |target| {
                let sees = category != TaskKind::Vision || target.facts.vision != Some(false);
                sees && task::fit(&target.model, category).is_none_or(|fit| fit >= GOOD_AT)
            });
        }
        match self.tier {
            Some(AutoTier::Free) => narrow(&mut group, is_free),
            Some(AutoTier::Offline) => narrow(&mut group, |target| target.connection.provider.is_at_home()),
            _ => {}
        }
        group.scoring = (self != Self::default()).then(|| Box::new(self.scoring(scoring)));
        group.task = self.category;
        group
    }

    fn scoring(self, scoring: &Scoring) -> Scoring {
        let mode = match self.tier {
            Some(AutoTier::Fast) => Some(AutoMode::ShipFast),
            Some(AutoTier::Cheap) => Some(AutoMode::CostSaver),
            Some(AutoTier::Reliable) => Some(AutoMode::ReliabilityFirst),
            Some(AutoTier::Pro | AutoTier::Smart) => Some(AutoMode::QualityFirst),
            Some(AutoTier::Offline) => Some(AutoMode::OfflineFriendly),
            Some(AutoTier::Free | AutoTier::LastKnownGood) => None,
            None => self.category.map(|_| AutoMode::QualityFirst),
        };
        let weights = mode.map_or(scoring.weights, AutoMode::weights);
        let exploration =
            if self.tier == Some(AutoTier::Smart) { SMART_EXPLORATION } else { scoring.exploration };
        Scoring { weights, exploration, ..scoring.clone() }
    }
}

fn category_of(word: &str) -> Option<TaskKind> {
    Some(match word {
        "coding" => TaskKind::Coding,
        "reasoning" => TaskKind::Reasoning,
        "vision" | "multimodal" => TaskKind::Vision,
        "chat" => TaskKind::Chat,
        _ => return None,
    })
}

fn tier_of(word: &str) -> Option<AutoTier> {
    Some(match word {
        "fast" => AutoTier::Fast,
        "cheap" | "floor" => AutoTier::Cheap,
        "reliable" => AutoTier::Reliable,
        "free" => AutoTier::Free,
        "pro" => AutoTier::Pro,
        "offline" => AutoTier::Offline,
        "smart" => AutoTier::Smart,
        "lkgp" => AutoTier::LastKnownGood,
        _ => return None,
    })
}

fn is_free(target: &Target) -> bool {
    target.connection.is_free(&target.facts)
}

/// Keeps the targets that pass, if there are any.
fn narrow(group: &mut Group, passes: impl Fn(&Target) -> bool) {
    let is_kept = |member: &Member| matches!(&member.node, Node::Target(target) if passes(target));
    if group.members.iter().any(is_kept) {
        group.members.retain(is_kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::settings::{AUTO_CATEGORIES, AUTO_TIERS, is_below_auto};

    #[test]
    fn names_are_a_category_a_tier_or_both() {
        let of = |category, tier| Some(Auto { category, tier });
        assert_eq!(Auto::parse("coding"), of(Some(TaskKind::Coding), None));
        assert_eq!(Auto::parse("fast"), of(None, Some(AutoTier::Fast)));
        assert_eq!(Auto::parse("coding:floor"), of(Some(TaskKind::Coding), Some(AutoTier::Cheap)));
        for wrong in ["", "codling", "coding:", "coding:gold", ":fast", "fast:coding"] {
            assert_eq!(Auto::parse(wrong), None, "{wrong}");
        }
        for category in AUTO_CATEGORIES {
            assert!(Auto::parse(category).is_some_and(|auto| auto.category.is_some()), "{category}");
        }
        for tier in AUTO_TIERS {
            assert!(Auto::parse(tier).is_some_and(|auto| auto.tier.is_some()), "{tier}");
        }
        assert!(NAMES.iter().all(|name| is_below_auto(name)));
        assert!(NAMES.iter().all(|name| name.strip_prefix("auto/").and_then(Auto::parse).is_some()));
    }
}

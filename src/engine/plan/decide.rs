//! The decision itself: a pure function of its [`Inputs`], total, and the same every time.

use std::sync::Arc;

use super::{
    auto::Score,
    draw::Draw,
    inputs::{Branch, Growth, Inputs, Leaf, Signals, State},
    memory::Advance,
    strategies::{self, Candidate, Turn},
};
use crate::engine::settings::Tier;

/// Leaves in the order in which they are to be tried.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decision {
    /// The leaves' numbers, those that can be used first, then those that failed a moment ago. Each target once.
    pub order: Vec<usize>,
    /// What the strategies remember when the decision is used.
    pub advances: Vec<Advance>,
    /// How `auto` came to its order.
    pub scores: Vec<(usize, Score)>,
}

/// Orders the leaves.
#[must_use]
pub fn decide(inputs: &Inputs) -> Decision {
    let mut next = 0;
    let arranged = arrange(&inputs.root, inputs, &mut next);
    let Arranged { mut fit, mut recovering, mut advances, scores } = arranged;
    // The caller's own order goes before any strategy; a turn that is not used is not taken.
    let before = fit.first().map(|leaf| leaf.at);
    if !inputs.preferred.is_empty() {
        let mut ranks = vec![usize::MAX; next];
        for (rank, &at) in inputs.preferred.iter().enumerate().filter(|(_, at)| **at < next) {
            ranks[at] = rank;
        }
        fit.sort_by_key(|leaf| ranks[leaf.at]);
        recovering.sort_by_key(|leaf| ranks[leaf.at]);
    }
    if fit.first().map(|leaf| leaf.at) != before {
        advances.clear();
    }
    let mut seen = vec![false; next];
    let order =
        fit.into_iter().chain(recovering).filter(|leaf| !std::mem::replace(&mut seen[leaf.target()], true));
    Decision { order: order.map(|leaf| leaf.at).collect(), advances, scores }
}

/// A leaf with its number.
#[derive(Clone, Copy)]
struct Numbered<'a> {
    at: usize,
    leaf: &'a Leaf,
}

impl Numbered<'_> {
    /// The number of the first leaf that is the same target. An input that was tampered with does not break this.
    fn target(&self) -> usize {
        self.leaf.same_as.filter(|&earlier| earlier < self.at).unwrap_or(self.at)
    }
}

/// A branch's leaves by how they stand, each list in the order in which it is to be used.
#[derive(Default)]
struct Arranged<'a> {
    fit: Vec<Numbered<'a>>,
    recovering: Vec<Numbered<'a>>,
    advances: Vec<Advance>,
    scores: Vec<(usize, Score)>,
}

/// A member of a branch with what is known of it.
enum Known<'a> {
    Fit(Numbered<'a>),
    Recovering(Numbered<'a>),
    Branch(Arranged<'a>),
}

impl<'a> Known<'a> {
    fn is_fit(&self) -> bool {
        match self {
            Self::Fit(_) => true,
            Self::Recovering(_) => false,
            Self::Branch(arranged) => !arranged.fit.is_empty(),
        }
    }

    /// Whether a leaf is among those that it leads to and that can be used.
    fn leads_to(&self, leaf: usize) -> bool {
        match self {
            Self::Fit(one) | Self::Recovering(one) => one.at == leaf,
            Self::Branch(arranged) => arranged.fit.iter().any(|one| one.at == leaf),
        }
    }

    /// The leaf that the member leads to first: what strategies know of it is known of the member.
    fn first(&self) -> Option<Numbered<'a>> {
        match self {
            Self::Fit(leaf) | Self::Recovering(leaf) => Some(*leaf),
            Self::Branch(arranged) => arranged.fit.first().or_else(|| arranged.recovering.first()).copied(),
        }
    }
}

/// Members as strategies see them, and what they are, at the same indexes.
struct Members<'a> {
    candidates: Vec<Candidate<'a>>,
    known: Vec<Option<Known<'a>>>,
}

impl<'a> Members<'a> {
    fn with_capacity(capacity: usize) -> Self {
        Self { candidates: Vec::with_capacity(capacity), known: Vec::with_capacity(capacity) }
    }

    fn push(&mut self, candidate: Candidate<'a>, known: Known<'a>) {
        self.candidates.push(candidate);
        self.known.push(Some(known));
    }

    fn is_empty(&self) -> bool {
        self.candidates.is_empty()
    }

    /// The members for which `goes` is true apart from the others; both in their order.
    fn split(self, goes: impl Fn(&Candidate<'a>, &Known<'a>) -> bool) -> (Self, Self) {
        let (mut one, mut other) = (Self::with_capacity(self.candidates.len()), Self::with_capacity(0));
        for (candidate, known) in self.candidates.into_iter().zip(self.known.into_iter().flatten()) {
            let side = if goes(&candidate, &known) { &mut one } else { &mut other };
            side.push(candidate, known);
        }
        (one, other)
    }
}

fn arrange<'a>(branch: &'a Branch, inputs: &'a Inputs, next: &mut usize) -> Arranged<'a> {
    static NOTHING: Signals = Signals::UNKNOWN;
    let mut arranged = Arranged::default();
    let mut members = Members::with_capacity(branch.members.len());
    let mut fit = 0;
    for twig in &branch.members {
        let member = match &twig.node {
            Growth::Leaf(leaf) => {
                let numbered = Numbered { at: *next, leaf };
                *next += 1;
                match leaf.state {
                    State::Fit => Known::Fit(numbered),
                    State::Recovering | State::Dear => Known::Recovering(numbered),
                    State::Barred => continue,
                }
            }
            Growth::Branch(inner) => {
                let mut inner = arrange(inner, inputs, next);
                arranged.scores.append(&mut inner.scores);
                if inner.fit.is_empty() && inner.recovering.is_empty() {
                    continue;
                }
                Known::Branch(inner)
            }
        };
        fit += usize::from(member.is_fit());
        let signals = member.first().map_or(&NOTHING, |first| &first.leaf.signals);
        members.push(Candidate { place: twig.place, weight: twig.weight, signals }, member);
    }
    // The strategy chooses among those that are fit. Where none is, a failure of a moment ago is no reason to refuse.
    let (usable, behind) = match fit {
        0 => (members, None),
        all if all == members.candidates.len() => (members, None),
        _ => {
            let (usable, behind) = members.split(|_, known| known.is_fit());
            (usable, Some(behind))
        }
    };
    for (nth, tier) in by_tier(branch, usable).into_iter().enumerate() {
        arranged.order(branch, inputs, tier, nth == 0);
    }
    for known in behind.into_iter().flat_map(|behind| behind.known).flatten() {
        arranged.take(known, false);
    }
    arranged
}

/// The members of one tier after the other, where the group asks for that; all of them together, where it does not.
fn by_tier<'a>(branch: &Branch, members: Members<'a>) -> Vec<Members<'a>> {
    let mut tiers = Vec::new();
    let mut rest = members;
    if branch.by_tier {
        for tier in Tier::ALL {
            let (of_tier, others) = rest.split(|candidate, _| candidate.signals.tier == tier);
            tiers.push(of_tier);
            rest = others;
        }
    }
    tiers.push(rest);
    tiers.retain(|tier| !tier.is_empty());
    tiers
}

impl<'a> Arranged<'a> {
    /// Puts members into their strategy's order behind what is there.
    fn order(&mut self, branch: &Branch, inputs: &Inputs, members: Members<'a>, is_used: bool) {
        let Members { candidates, known: mut members } = members;
        let turn = Turn {
            candidates: &candidates,
            sticky: branch.sticky,
            slot: branch.slot.as_ref(),
            draw: Draw::new(inputs.seed).about(&branch.name),
            now: inputs.now,
            scoring: branch.scoring.as_deref(),
        };
        let mut ordered = strategies::of(branch.strategy).order(turn);
        let at_home = inputs.affine.filter(|_| branch.strategy.spreads()).is_some_and(|session| {
            let home = members.iter().position(|known| known.as_ref().is_some_and(|it| it.leads_to(session)));
            home.is_some_and(|home| ordered.puts_first(home))
        });
        // A session that stays where it is takes no turn.
        if is_used && !at_home {
            let advance = |slot| Advance { name: Arc::clone(&branch.name), slot };
            self.advances.extend(ordered.slot.map(advance));
        }
        for (at, score) in ordered.scores {
            let leaf = members.get(at).and_then(Option::as_ref).and_then(Known::first);
            self.scores.extend(leaf.map(|leaf| (leaf.at, score)));
        }
        for (nth, at) in ordered.order.into_iter().enumerate() {
            if let Some(known) = members.get_mut(at).and_then(Option::take) {
                self.take(known, is_used && nth == 0);
            }
        }
    }

    /// Takes a member's leaves behind those that are there. Only the turn of the group that is used passes on.
    fn take(&mut self, known: Known<'a>, is_used: bool) {
        match known {
            Known::Fit(leaf) => self.fit.push(leaf),
            Known::Recovering(leaf) => self.recovering.push(leaf),
            Known::Branch(mut inner) => {
                self.fit.append(&mut inner.fit);
                self.recovering.append(&mut inner.recovering);
                if is_used {
                    self.advances.append(&mut inner.advances);
                }
            }
        }
    }
}

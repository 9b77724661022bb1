//! Strict random: a shuffled deck. Every member is drawn once before the deck is shuffled anew, so that the load is even
//! over each round and yet in no order that clients could fall into step with. What is left of the deck follows as
//! fall-back, shuffled, then the members that were drawn already. A member that cannot be used now stays in the deck.

use super::{Order, Ordered, Slot, Turn};

pub(super) struct StrictRandom;

impl Order for StrictRandom {
    fn order(&self, mut turn: Turn<'_>) -> Ordered {
        let mut deck = match turn.slot {
            Some(Slot::Deck(left)) => left.clone(),
            _ => Vec::new(),
        };
        if !deck.iter().any(|place| turn.at(*place).is_some()) {
            deck = turn.candidates.iter().map(|candidate| candidate.place).collect();
            turn.draw.shuffle(&mut deck);
        }
        let mut order: Vec<usize> = deck.iter().rev().filter_map(|place| turn.at(*place)).collect();
        let mut drawn = vec![true; turn.candidates.len()];
        order.iter().for_each(|&at| drawn[at] = false);
        let mut drawn: Vec<usize> = (0..drawn.len()).filter(|&at| drawn[at]).collect();
        turn.draw.shuffle(order.get_mut(1..).unwrap_or_default());
        turn.draw.shuffle(&mut drawn);
        order.append(&mut drawn);
        if let Some(first) = order.first().map(|&first| turn.candidates[first].place) {
            deck.retain(|place| *place != first);
        }
        Ordered::of(order).remembering(Some(Slot::Deck(deck)))
    }
}

//! Random: a new order for every request, all orders equally likely. Weights do not count.

use super::{Order, Ordered, Turn};

pub(super) struct Random;

impl Order for Random {
    fn order(&self, mut turn: Turn<'_>) -> Ordered {
        let mut order: Vec<usize> = (0..turn.candidates.len()).collect();
        turn.draw.shuffle(&mut order);
        Ordered::of(order)
    }
}

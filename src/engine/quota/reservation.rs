//! A request's share of an account's windows, from before it is sent to its end.

use std::sync::Arc;

use canon::Usage;

use super::{
    Amounts,
    account::{Account, Share},
};
use crate::engine::{
    fault::{Fault, FaultKind, Stage},
    ports::{Clock, Target},
};

/// What a request has taken. Whoever drops it without a word gives back what was reserved, and is charged with the guess:
/// the request was sent, and what it cost is not known.
pub(crate) struct Reservation {
    account: Arc<Account>,
    /// Empty once it is settled.
    shares: Vec<Share>,
    target: Target,
    guess: Amounts,
    clock: Arc<dyn Clock>,
}

impl Reservation {
    pub(super) const fn new(
        account: Arc<Account>,
        shares: Vec<Share>,
        target: Target,
        guess: Amounts,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { account, shares, target, guess, clock }
    }

    /// The request is over, and this is what the provider reported, if it did.
    pub(crate) fn settle(mut self, usage: Option<Usage>) {
        let took = usage.map_or(self.guess, |usage| Amounts::of(&self.target, usage));
        self.charge(took);
    }

    /// The attempt failed. What never reached the provider, or was refused for want of quota, took nothing. Of any other
    /// refusal the request counts, as some providers count it, and its tokens do not. What broke on the way has cost
    /// what was reported, or the guess.
    pub(crate) fn failed(mut self, fault: &Fault, usage: Option<Usage>) {
        match (fault.kind, fault.status) {
            (
                FaultKind::Unreachable
                | FaultKind::ProxyFailed
                | FaultKind::TimedOut(Stage::Connect)
                | FaultKind::RateLimited,
                _,
            )
            | (_, Some(429))
            | (FaultKind::InvalidRequest, None) => {
                let shares = std::mem::take(&mut self.shares);
                self.account.release(&shares, self.clock.now());
            }
            (_, Some(200..=299) | None) => {
                let took = usage.map_or(self.guess, |usage| Amounts::of(&self.target, usage));
                self.charge(took);
            }
            (_, Some(_)) => self.charge(Amounts::default()),
        }
    }

    fn charge(&mut self, took: Amounts) {
        let shares = std::mem::take(&mut self.shares);
        if !shares.is_empty() {
            self.account.settle(&shares, took, self.clock.now());
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.charge(self.guess);
    }
}

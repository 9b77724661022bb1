//! The door that every surface asks: who is this, and has the address failed too often? Identification alone
//! lives in `keys`, counting in `throttle`.

use std::{net::IpAddr, sync::Arc};

use super::{AuthError, FailureThrottle, KeyIndex, ThrottleLimits, Tokens};
use crate::engine::{
    caller::{Caller, CallerKind},
    ports::Clock,
};

/// Identifies callers and slows down guessing.
///
/// A key that the hub made has 256 random bits and cannot be guessed, so it is always let in: one
/// misconfigured client must not lock out the others behind the same address, which on one machine or
/// behind a reverse proxy is everybody. `API_KEY` was chosen by a person and may be guessable, so a refused
/// address cannot use it until its window ends; only `API_KEY` itself, rightly given, resets the count.
pub struct Gate {
    index: Arc<KeyIndex>,
    throttle: FailureThrottle,
    clock: Arc<dyn Clock>,
    /// Tokens of an issuer, where the operator trusts one.
    tokens: Option<Arc<Tokens>>,
}

impl Gate {
    /// A gate in front of the index.
    #[must_use]
    pub fn new(index: Arc<KeyIndex>, limits: ThrottleLimits, clock: Arc<dyn Clock>) -> Self {
        Self { index, throttle: FailureThrottle::new(limits), clock, tokens: None }
    }

    /// The same, and tokens of an issuer are let in too. They cannot be guessed any more than keys that the hub made.
    #[must_use]
    pub fn with_tokens(self, tokens: Option<Arc<Tokens>>) -> Self {
        Self { tokens, ..self }
    }

    /// Who presents `token`, from `address` when it comes over a network.
    ///
    /// # Errors
    /// [`AuthError`]. A missing token is not counted, nor one that has ended: they are no guesses.
    pub fn identify(&self, token: Option<&str>, address: Option<IpAddr>) -> Result<Caller, AuthError> {
        if let (Some(tokens), Some(token)) = (&self.tokens, token.filter(|token| Tokens::is_one(token))) {
            return tokens.identify(token, address);
        }
        let found = self.index.identify(token, address);
        let Some(address) = address else { return found };
        match &found {
            Ok(caller) if caller.kind != CallerKind::Environment => return found,
            // No guesses: nothing was presented, or something that was a key once.
            Err(AuthError::Missing | AuthError::Revoked | AuthError::Expired) => return found,
            _ => {}
        }
        let now = self.clock.now();
        if let Some(retry_after) = self.throttle.refused(address, now) {
            return Err(AuthError::Throttled { retry_after });
        }
        match &found {
            Ok(_) => self.throttle.succeeded(address),
            Err(_) => self.throttle.failed(address, now),
        }
        found
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use std::time::Duration;

    use super::*;
    use crate::{auth::test_clock::TestClock, engine::settings::Secret};

    const HERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

    fn gate() -> (Gate, Arc<TestClock>) {
        let clock = Arc::new(TestClock::default());
        let index = Arc::new(KeyIndex::new(clock.clone()));
        index.accept_environment(&Secret::new("operator"));
        index.accept_local(&Secret::new("tvm_local"));
        (Gate::new(index, ThrottleLimits::default(), clock.clone()), clock)
    }

    #[test]
    fn guessing_is_stopped_and_the_right_guess_with_it() {
        let (gate, clock) = gate();
        for _ in 0..10 {
            assert_eq!(gate.identify(Some("wrong"), HERE).err(), Some(AuthError::Unknown));
        }
        let refused = Some(AuthError::Throttled { retry_after: Duration::from_secs(60) });
        assert_eq!(gate.identify(Some("wrong"), HERE).err(), refused);
        assert_eq!(gate.identify(Some("operator"), HERE).err(), refused);
        clock.advance(60_000);
        gate.identify(Some("operator"), HERE).unwrap();
    }

    #[test]
    fn a_made_key_is_let_in_whatever_its_neighbours_do() {
        let (gate, _) = gate();
        (0..20).for_each(|_| drop(gate.identify(Some("wrong"), HERE)));
        gate.identify(Some("tvm_local"), HERE).unwrap();
        let still = gate.identify(Some("operator"), HERE);
        assert!(matches!(still, Err(AuthError::Throttled { .. })), "and does not reset the count");
    }

    #[test]
    fn no_token_is_no_guess() {
        let (gate, _) = gate();
        (0..20).for_each(|_| drop(gate.identify(None, HERE)));
        gate.identify(Some("operator"), HERE).unwrap();
    }

    #[test]
    fn the_right_key_resets() {
        let (gate, _) = gate();
        for _ in 0..3 {
            (0..9).for_each(|_| drop(gate.identify(Some("wrong"), HERE)));
            gate.identify(Some("operator"), HERE).unwrap();
        }
    }
}

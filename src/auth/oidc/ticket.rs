//! What a browser holds while its owner is at the provider: one secret, and until when it is good, under a seal that only this
//! process can make. Everything that the login must repeat follows from the secret, so that nothing is kept here for logins
//! that somebody began, and nobody who begins many can push out another's.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    auth::{
        mac,
        token::{NoEntropy, random},
    },
    engine::settings::Secret,
};

/// How long a login may take, in milliseconds.
pub(super) const LIVES: i64 = 10 * 60 * 1000;
/// Logins that have come back and are remembered until their tickets end; one more drops the one that ends first.
const MOST: usize = 4096;

/// Makes tickets, and takes each once.
pub(super) struct Tickets {
    key: Zeroizing<[u8; 32]>,
    taken: Mutex<HashMap<String, i64>>,
}

/// What follows from the secret of a ticket.
pub(super) struct Ticket {
    /// With this the browser comes back.
    pub(super) state: String,
    /// What the ID token must repeat.
    pub(super) nonce: String,
    /// PKCE's verifier.
    pub(super) verifier: Secret,
    ends: i64,
}

impl Tickets {
    pub(super) fn new() -> Result<Self, NoEntropy> {
        let key = Zeroizing::new(random::<32>()?);
        Ok(Self { key, taken: Mutex::default() })
    }

    /// A new one, and what the browser keeps of it.
    pub(super) fn make(&self, now: i64) -> Result<(Ticket, Secret), NoEntropy> {
        let secret = URL_SAFE_NO_PAD.encode(random::<32>()?);
        let ends = now.saturating_add(LIVES);
        let text = format!("{secret}.{ends}");
        let seal = URL_SAFE_NO_PAD.encode(mac::hmac(&*self.key, text.as_bytes()));
        Ok((Ticket::of(&secret, ends), Secret::new(format!("{text}.{seal}"))))
    }

    /// The ticket that a browser brings with this state, if it was made here, is still good, and did not come before.
    pub(super) fn take(&self, kept: &str, state: &str, now: i64) -> Option<Ticket> {
        let (text, seal) = kept.rsplit_once('.')?;
        let seal = URL_SAFE_NO_PAD.decode(seal).ok()?;
        mac::is_right(&*self.key, text.as_bytes(), &seal).then_some(())?;
        let (secret, ends) = text.split_once('.')?;
        let ticket = Ticket::of(secret, ends.parse().ok()?);
        if ticket.ends <= now || ticket.state != state {
            return None;
        }
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.retain(|_, ends| *ends > now);
        if taken.contains_key(&ticket.state) {
            return None;
        }
        if taken.len() >= MOST {
            let first = taken.iter().min_by_key(|(_, ends)| **ends).map(|(state, _)| state.clone());
            first.map(|state| taken.remove(&state));
        }
        taken.insert(ticket.state.clone(), ticket.ends);
        Some(ticket)
    }
}

impl Ticket {
    fn of(secret: &str, ends: i64) -> Self {
        Self {
            state: derived("state", secret),
            nonce: derived("nonce", secret),
            verifier: Secret::new(derived("verifier", secret)),
            ends,
        }
    }

    /// PKCE's challenge (RFC 7636, `S256`).
    pub(super) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.expose()))
    }
}

/// 256 bits that tell nothing of the secret or of each other.
fn derived(purpose: &str, secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{purpose}:{secret}")))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn a_ticket_is_good_once_in_time_and_for_its_own_state() {
        let tickets = Tickets::new().unwrap();
        let (ticket, kept) = tickets.make(1000).unwrap();
        let kept = kept.expose();
        assert!(tickets.take(kept, "another", 1000).is_none());
        assert!(tickets.take(kept, &ticket.state, 1000 + LIVES).is_none(), "too late");
        assert!(Tickets::new().unwrap().take(kept, &ticket.state, 1000).is_none(), "made elsewhere");
        let (secret, rest) = kept.split_once('.').unwrap();
        let (_, seal) = rest.split_once('.').unwrap();
        let longer = format!("{secret}.{}.{seal}", i64::MAX);
        assert!(tickets.take(&longer, &ticket.state, 1000).is_none(), "its end is sealed too");
        for broken in ["", ".", "a.b", "a.b.c", "ä.1.ö"] {
            assert!(tickets.take(broken, "", 1000).is_none());
        }
        let taken = tickets.take(kept, &ticket.state, 1000).unwrap();
        assert_eq!((taken.nonce, taken.state.clone()), (ticket.nonce, ticket.state));
        assert!(tickets.take(kept, &taken.state, 1000).is_none(), "a second time");
        let others = [taken.state.as_str(), taken.verifier.expose()];
        assert!(others.iter().all(|text| text.len() == 43) && others[0] != others[1]);
    }
}

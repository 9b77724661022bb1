//! The place of one connection's tokens: what holds now, read without a lock, and the renewal that is under way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};

use super::{
    SPENT,
    renewal::{Flight, LONGEST_REST},
};
use crate::{
    engine::settings::{Connection, Flow, OAuth, Secret},
    ops::ports::oauth::{Credential, CredentialState},
};

/// One connection's tokens.
#[derive(Default)]
pub(super) struct Slot {
    current: ArcSwap<Current>,
    armed: ArcSwapOption<Armed>,
    /// The renewal that is under way: there is one at most.
    flight: Mutex<Option<Flight>>,
    /// Held while tokens are written down and published, so that store and requests see the same of several who do it.
    changing: tokio::sync::Mutex<()>,
}

/// The turn of one who changes the tokens: whoever writes or publishes some shows that they have it.
pub(super) type Turn<'a> = tokio::sync::MutexGuard<'a, ()>;

/// What holds at one moment. Replaced as a whole.
#[derive(Default, Clone)]
pub(super) struct Current {
    /// The tokens, as they are kept.
    pub(super) credential: Option<Credential>,
    /// Tokens that were had and could not be written down yet. Nobody uses them, and they must not be lost: the earlier
    /// refresh token may be worth nothing any more.
    pub(super) unkept: Option<Credential>,
    /// When the next renewal may be tried, after one that failed.
    pub(super) pause: Option<Pause>,
}

/// Rest after a failed renewal.
#[derive(Clone)]
pub(super) struct Pause {
    /// Its end, in milliseconds since the Unix epoch.
    pub(super) until: i64,
    /// Failures in a row.
    pub(super) failures: u32,
    /// What happened.
    pub(super) message: Arc<str>,
}

/// A connection with a token in it, for as long as both hold.
struct Armed {
    plain: Arc<Connection>,
    current: Arc<Current>,
    connection: Arc<Connection>,
}

impl Slot {
    pub(super) fn of(credential: Credential) -> Self {
        Self { current: ArcSwap::from_pointee(Current::of(credential)), ..Self::default() }
    }

    pub(super) fn current(&self) -> Arc<Current> {
        self.current.load_full()
    }

    /// Lets everybody use what holds now.
    pub(super) fn publish(&self, current: Current) -> Arc<Current> {
        let current = Arc::new(current);
        self.current.store(Arc::clone(&current));
        current
    }

    /// Waits for the turn to change what holds.
    pub(super) async fn turn(&self) -> Turn<'_> {
        self.changing.lock().await
    }

    /// The same for somebody who goes by what held earlier. `None` when that holds no more: somebody has logged in or out.
    pub(super) async fn turn_of(&self, seen: &Arc<Current>) -> Option<Turn<'_>> {
        let turn = self.turn().await;
        Arc::ptr_eq(&self.current.load(), seen).then_some(turn)
    }

    pub(super) fn flight(&self) -> MutexGuard<'_, Option<Flight>> {
        // What it holds is replaced as a whole, so a panic leaves nothing half done.
        self.flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection with the current token as its credential; made once for each token and settings.
    pub(super) fn armed(
        &self,
        plain: &Arc<Connection>,
        oauth: &OAuth,
        current: &Arc<Current>,
    ) -> Option<Arc<Connection>> {
        if let Some(armed) = &*self.armed.load()
            && Arc::ptr_eq(&armed.plain, plain)
            && Arc::ptr_eq(&armed.current, current)
        {
            return Some(Arc::clone(&armed.connection));
        }
        let credential = Some(current.access(oauth)?.clone());
        let connection = Arc::new(Connection { credential, ..Connection::clone(plain) });
        self.armed.store(Some(Arc::new(Armed {
            plain: Arc::clone(plain),
            current: Arc::clone(current),
            connection: Arc::clone(&connection),
        })));
        Some(connection)
    }
}

impl Current {
    pub(super) fn of(credential: Credential) -> Self {
        Self { credential: Some(credential), unkept: None, pause: None }
    }

    /// The rest that is not over. One that is longer than any can be was begun by a clock that was ahead.
    pub(super) fn paused(&self, now: i64) -> Option<&Pause> {
        let longest = i64::try_from(LONGEST_REST.as_millis()).unwrap_or(i64::MAX);
        self.pause.as_ref().filter(|pause| pause.until > now && pause.until.saturating_sub(now) <= longest)
    }

    /// The tokens, if they are this application's and nobody must log in.
    pub(super) fn ready(&self, oauth: &OAuth) -> Option<&Credential> {
        self.credential
            .as_ref()
            .filter(|one| one.binding == oauth.binding && one.state == CredentialState::Ready)
    }

    /// The access token, be it spent or not.
    pub(super) fn access(&self, oauth: &OAuth) -> Option<&Secret> {
        self.ready(oauth)?.access.as_ref()
    }

    /// Whether requests can carry it now.
    pub(super) fn is_usable(&self, oauth: &OAuth, now: i64) -> bool {
        let Some(credential) = self.ready(oauth) else { return false };
        credential.access.is_some() && credential.expires_at.is_none_or(|end| end.saturating_sub(SPENT) > now)
    }

    /// Whether there is a way to a new token without anybody's help.
    pub(super) fn can_renew(&self, oauth: &OAuth) -> bool {
        if self.unkept.as_ref().is_some_and(|one| one.binding == oauth.binding) {
            return true;
        }
        match (&self.credential, oauth.flow) {
            // A refusal stands until the settings change or somebody says `trivium login`.
            (Some(one), Flow::ClientCredentials) => {
                one.binding != oauth.binding || one.state == CredentialState::Ready
            }
            (None, Flow::ClientCredentials) => true,
            _ => self.ready(oauth).is_some_and(|one| one.refresh.is_some()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_that_a_clock_ahead_began_is_over() {
        let resting = |until| {
            let pause = Some(Pause { until, failures: 1, message: "it failed".into() });
            Current { pause, ..Current::default() }
        };
        let now = 1_767_225_600_000;
        assert!(resting(now + 1).paused(now).is_some());
        assert!(resting(now + 60_000).paused(now).is_some());
        assert!(resting(now).paused(now).is_none());
        assert!(resting(now + 60_001).paused(now).is_none());
        assert!(resting(i64::MAX).paused(now).is_none());
    }
}

//! When tokens are renewed, and that it happens once for all who wait. The order is always the same: the server's answer,
//! the store, and only then the requests. What a crash can cost is what lies between the first two.

use std::{sync::Arc, time::Duration};

use futures_core::future::BoxFuture;
use futures_util::{
    FutureExt,
    future::{Shared, ready},
};
use rand::RngExt;

use super::{
    Credentials, due, endpoint,
    endpoint::Issued,
    left,
    slot::{Current, Pause, Slot, Turn},
};
use crate::{
    engine::settings::{Connection, Flow, OAuth},
    observe::events,
    ops::ports::oauth::{Credential, CredentialState, GrantError},
};

/// How often it is looked whether a token is due, at least. The clock of a laptop jumps when it wakes up.
const LOOK: Duration = Duration::from_secs(15);
/// When to look again while a renewal is under way.
const SOON: Duration = Duration::from_secs(1);
/// The shortest rest between two looks.
const BREATH: Duration = Duration::from_millis(250);
/// The first rest after a failure; each further one is twice as long.
const REST: Duration = Duration::from_secs(1);
/// The longest.
pub(super) const LONGEST_REST: Duration = Duration::from_secs(60);
/// How often it is tried to write tokens down before the renewal counts as failed. They are not lost then.
const WRITES: u32 = 5;
/// Between two tries of that.
const WRITE_PAUSE: Duration = Duration::from_millis(100);

/// A renewal that many wait for.
pub(super) type Flight = Shared<BoxFuture<'static, Outcome>>;

/// How it ended.
pub(super) type Outcome = Result<Arc<Current>, Trouble>;

/// Why there is no new token.
#[derive(Debug, Clone)]
pub(super) enum Trouble {
    /// Somebody must log in.
    Login,
    /// It is tried again.
    Later {
        /// What happened.
        message: Arc<str>,
        /// When, from now.
        wait: Duration,
    },
}

/// Takes the renewal out of its place when it ends, however it ends.
struct Landing(Arc<Slot>);

impl Drop for Landing {
    fn drop(&mut self) {
        *self.0.flight() = None;
    }
}

impl Credentials {
    /// The renewal of what `seen` was: the one that is under way, or a new one. It goes on when nobody waits any more, since
    /// the server may have given the earlier tokens up.
    pub(super) fn renewal(
        &self,
        connection: &Arc<Connection>,
        oauth: &Arc<OAuth>,
        slot: &Arc<Slot>,
        seen: &Arc<Current>,
    ) -> Flight {
        let mut place = slot.flight();
        if let Some(flight) = &*place {
            return flight.clone();
        }
        let (current, now) = (slot.current(), self.now());
        if !Arc::ptr_eq(&current, seen) && current.is_usable(oauth, now) {
            return ended(Ok(current));
        }
        if !current.can_renew(oauth) {
            return ended(Err(Trouble::Login));
        }
        if let Some(pause) = current.paused(now) {
            let wait = left(pause.until, now);
            return ended(Err(Trouble::Later { message: Arc::clone(&pause.message), wait }));
        }
        let (credentials, connection, oauth) = (self.clone(), Arc::clone(connection), Arc::clone(oauth));
        let landing = Landing(Arc::clone(slot));
        let work = tokio::spawn(async move {
            let outcome = credentials.renew(&connection, &oauth, &landing.0, &current).await;
            drop(landing);
            outcome
        });
        let flight = async move { work.await.unwrap_or_else(|_| Err(interrupted())) }.boxed().shared();
        *place = Some(flight.clone());
        flight
    }

    /// Whatever comes of it is dropped when somebody logged in or out meanwhile: that is newer.
    async fn renew(
        &self,
        connection: &Arc<Connection>,
        oauth: &OAuth,
        slot: &Slot,
        current: &Arc<Current>,
    ) -> Outcome {
        let unkept = current.unkept.clone().filter(|one| one.binding == oauth.binding);
        let fresh = match unkept {
            Some(unkept) => Ok(unkept),
            None => self.ask(connection, oauth, current).await,
        };
        let Some(turn) = slot.turn_of(current).await else { return self.overtaken(oauth, slot) };
        match fresh {
            Ok(fresh) => match self.keep(slot, &turn, fresh.clone()).await {
                Ok(current) => Ok(current),
                Err(error) => Err(self.rest(slot, &turn, current, Some(fresh), &error)),
            },
            Err(error @ (GrantError::Unavailable(_) | GrantError::Store)) => {
                Err(self.rest(slot, &turn, current, None, &error))
            }
            Err(error) => {
                self.give_up(connection, oauth, slot, &turn, current, &error).await;
                Err(Trouble::Login)
            }
        }
    }

    /// What holds instead, for those who waited for a renewal.
    fn overtaken(&self, oauth: &OAuth, slot: &Slot) -> Outcome {
        let current = slot.current();
        if current.is_usable(oauth, self.now()) {
            return Ok(current);
        }
        if !current.can_renew(oauth) {
            return Err(Trouble::Login);
        }
        let message = "somebody logged in or out while the token was renewed";
        Err(Trouble::Later { message: Arc::from(message), wait: BREATH })
    }

    /// Asks for new tokens.
    async fn ask(
        &self,
        connection: &Arc<Connection>,
        oauth: &OAuth,
        current: &Current,
    ) -> Result<Credential, GrantError> {
        let door = self.door(connection);
        let before = current.ready(oauth);
        let issued = match (oauth.flow, before.and_then(|one| one.refresh.as_ref())) {
            (_, Some(refresh)) => endpoint::refresh(&door, oauth, refresh).await?,
            (Flow::ClientCredentials, None) => endpoint::application(&door, oauth).await?,
            (_, None) => {
                return Err(GrantError::Refused { code: "invalid_grant".to_owned(), message: String::new() });
            }
        };
        // An ID token that comes with a renewal is about the same account (OpenID Connect Core, 12.2).
        let identity = before.and_then(|one| one.identity.clone());
        Ok(self.credential(connection, oauth, issued, before, identity))
    }

    /// What is kept of an answer. What it does not say again stays as it was.
    pub(super) fn credential(
        &self,
        connection: &Connection,
        oauth: &OAuth,
        issued: Issued,
        before: Option<&Credential>,
        identity: Option<crate::ops::ports::oauth::Identity>,
    ) -> Credential {
        let now = self.now();
        let lives = issued.expires_in.and_then(|time| i64::try_from(time.as_millis()).ok());
        Credential {
            connection: Arc::clone(&connection.id),
            binding: oauth.binding,
            state: CredentialState::Ready,
            access: Some(issued.access),
            refresh: issued.refresh.or_else(|| before.and_then(|one| one.refresh.clone())),
            scopes: issued.scopes.or_else(|| before.and_then(|one| one.scopes.clone())),
            identity,
            issued_at: now,
            expires_at: lives.map(|lives| now.saturating_add(lives)),
            error: None,
            updated_at: now,
        }
    }

    /// Writes tokens down, and then lets requests use them.
    pub(super) async fn keep(
        &self,
        slot: &Slot,
        _: &Turn<'_>,
        credential: Credential,
    ) -> Result<Arc<Current>, GrantError> {
        for _ in 1..WRITES {
            if self.0.store.put_credential(credential.clone()).await.is_ok() {
                return Ok(slot.publish(Current::of(credential)));
            }
            tokio::time::sleep(WRITE_PAUSE).await;
        }
        let kept = self.0.store.put_credential(credential.clone()).await;
        kept.map(|()| slot.publish(Current::of(credential))).map_err(|_| GrantError::Store)
    }

    /// Rests after a failure. What holds goes on to hold.
    fn rest(
        &self,
        slot: &Slot,
        _: &Turn<'_>,
        current: &Current,
        unkept: Option<Credential>,
        error: &GrantError,
    ) -> Trouble {
        let failures = current.pause.as_ref().map_or(0, |pause| pause.failures);
        let full = REST.saturating_mul(1 << failures.min(10)).min(LONGEST_REST);
        // A little apart, so that many hubs do not come back at once.
        let wait = full.mul_f64(rand::rng().random_range(0.8..=1.0));
        let message: Arc<str> = error.to_string().into();
        let until = self.now().saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        if let Some(id) = current.credential.as_ref().map(|one| &one.connection) {
            events::renewal_failed(id, wait, &message);
        }
        let pause =
            Some(Pause { until, failures: failures.saturating_add(1), message: Arc::clone(&message) });
        let unkept = unkept.or_else(|| current.unkept.clone());
        slot.publish(Current { credential: current.credential.clone(), unkept, pause });
        Trouble::Later { message, wait }
    }

    /// The server gives no more tokens: somebody must log in.
    async fn give_up(
        &self,
        connection: &Connection,
        oauth: &OAuth,
        slot: &Slot,
        turn: &Turn<'_>,
        current: &Current,
        error: &GrantError,
    ) {
        let ours = current.credential.as_ref().is_some_and(|one| one.binding == oauth.binding);
        if ours {
            return self.lock_out(slot, turn, current, &error.to_string()).await;
        }
        // An application that was refused its first token has nothing to be locked out of yet.
        let now = self.now();
        let nothing = Credential {
            connection: Arc::clone(&connection.id),
            binding: oauth.binding,
            state: CredentialState::NeedsLogin,
            access: None,
            refresh: None,
            scopes: None,
            identity: None,
            issued_at: now,
            expires_at: None,
            error: None,
            updated_at: now,
        };
        self.lock_out(slot, turn, &Current::of(nothing), &error.to_string()).await;
    }

    /// Renews tokens before they end, for as long as it is polled. `connections` tells which there are now.
    pub async fn keep_fresh(self, connections: impl Fn() -> Vec<Arc<Connection>>) {
        loop {
            tokio::time::sleep(self.renew_due(&connections())).await;
        }
    }

    /// Begins the renewals that are due, and says how long it is until the next look.
    fn renew_due(&self, connections: &[Arc<Connection>]) -> Duration {
        let now = self.now();
        let mut next = LOOK;
        for connection in connections {
            let Some(oauth) = &connection.oauth else { continue };
            let Some(slot) = self.0.slots.load().get(&connection.id).cloned() else { continue };
            let current = slot.current();
            let Some(due) = current.ready(oauth).and_then(|one| due(oauth, one)) else { continue };
            let rested = current.paused(now).map_or(due, |pause| pause.until.max(due));
            if rested > now {
                next = next.min(left(rested, now));
            } else if current.can_renew(oauth) {
                // It goes on by itself, and what it brings may end soon.
                next = next.min(SOON);
                drop(self.renewal(connection, oauth, &slot, &current));
            }
        }
        next.max(BREATH)
    }
}

fn ended(outcome: Outcome) -> Flight {
    ready(outcome).boxed().shared()
}

fn interrupted() -> Trouble {
    Trouble::Later { message: Arc::from("the hub stopped while it renewed the token"), wait: REST }
}

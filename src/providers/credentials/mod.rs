//! The tokens of connections that people log in to: kept in memory for requests, renewed before they end, and written
//! down before anybody uses them. How tokens are asked for is in `endpoint`, whose they are in `identity`, when they are
//! renewed in `renewal`, and how somebody logs in in `grants`.

mod endpoint;
mod grants;
mod identity;
mod renewal;
mod slot;

use std::{collections::HashMap, sync::Arc, time::Duration};

use arc_swap::ArcSwap;

use self::{
    identity::Issuers,
    renewal::Trouble,
    slot::{Current, Slot, Turn},
};
use crate::{
    engine::{
        fault::{Fault, FaultKind},
        ports::{Clock, Lack, Tokens},
        settings::{Connection, Flow, OAuth},
    },
    observe::events,
    ops::ports::oauth::{Credential, CredentialState, OAuthStore, OAuthStoreError},
    outbound::Transport,
};

/// A token that ends so soon is not sent any more, in milliseconds: it has a way to go.
const SPENT: i64 = 5_000;

/// Tokens of connections. Clones are handles to the same ones.
#[derive(Clone)]
pub struct Credentials(Arc<Inner>);

struct Inner {
    /// By connection. Bounded by the configuration, and what was kept of earlier ones.
    slots: ArcSwap<HashMap<Arc<str>, Arc<Slot>>>,
    store: Arc<dyn OAuthStore>,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    issuers: Issuers,
}

impl Credentials {
    /// Reads what is kept.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn load(
        store: Arc<dyn OAuthStore>,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OAuthStoreError> {
        let kept = store.credentials().await?;
        let slots = kept.into_iter().map(|one| (Arc::clone(&one.connection), Arc::new(Slot::of(one))));
        let slots = ArcSwap::from_pointee(slots.collect());
        Ok(Self(Arc::new(Inner { slots, store, transport, clock, issuers: Issuers::default() })))
    }

    /// The connection with a token as its credential. One that has ended is renewed first: whoever asks meanwhile waits
    /// for the same renewal.
    pub(super) async fn armed(&self, connection: &Arc<Connection>) -> Result<Arc<Connection>, Fault> {
        let Some(oauth) = &connection.oauth else { return Ok(Arc::clone(connection)) };
        let slot = self.slot(&connection.id);
        let current = slot.current();
        let current = match current.is_usable(oauth, self.now()) {
            true => current,
            false => self.renewal(connection, oauth, &slot, &current).await.map_err(without)?,
        };
        slot.armed(connection, oauth, &current).ok_or_else(|| without(Trouble::Login))
    }

    /// The same after the provider refused the token of `used`: a newer one, if there is one to be had.
    pub(super) async fn rearmed(
        &self,
        connection: &Arc<Connection>,
        used: &Arc<Connection>,
    ) -> Result<Arc<Connection>, Fault> {
        let Some(oauth) = &connection.oauth else { return Ok(Arc::clone(connection)) };
        let slot = self.slot(&connection.id);
        let current = slot.current();
        let current =
            match current.is_usable(oauth, self.now()) && current.access(oauth) != used.credential.as_ref() {
                // Somebody was faster.
                true => current,
                false => self.renewal(connection, oauth, &slot, &current).await.map_err(without)?,
            };
        slot.armed(connection, oauth, &current).ok_or_else(|| without(Trouble::Login))
    }

    /// Takes note that the provider refused a token that had just been had: only its owner can help.
    pub(super) async fn refused(&self, connection: &Arc<Connection>, used: &Arc<Connection>) {
        let Some(oauth) = &connection.oauth else { return };
        let slot = self.slot(&connection.id);
        let turn = slot.turn().await;
        let current = slot.current();
        // A renewal that is under way may bring a better one.
        if slot.flight().is_some() {
            return;
        }
        if current.access(oauth).is_some() && current.access(oauth) == used.credential.as_ref() {
            self.lock_out(&slot, &turn, &current, "the provider refused a token that had just been renewed")
                .await;
        }
    }

    /// Marks tokens as of no use, and writes that down.
    async fn lock_out(&self, slot: &Slot, _: &Turn<'_>, current: &Current, why: &str) {
        let Some(credential) = &current.credential else { return };
        let ended = Credential {
            state: CredentialState::NeedsLogin,
            error: Some(why.to_owned()),
            updated_at: self.now(),
            ..credential.clone()
        };
        events::login_needed(&credential.connection, why);
        // If it cannot be written down, the next start finds out again.
        drop(self.0.store.put_credential(ended.clone()).await);
        slot.publish(Current::of(ended));
    }

    /// The place of a connection's tokens.
    fn slot(&self, id: &Arc<str>) -> Arc<Slot> {
        if let Some(slot) = self.0.slots.load().get(id) {
            return Arc::clone(slot);
        }
        let fresh = Arc::new(Slot::default());
        self.0.slots.rcu(|slots| {
            let mut slots = HashMap::clone(slots);
            slots.entry(Arc::clone(id)).or_insert_with(|| Arc::clone(&fresh));
            slots
        });
        self.0.slots.load().get(id).cloned().unwrap_or(fresh)
    }

    fn now(&self) -> i64 {
        self.0.clock.now()
    }
}

impl Tokens for Credentials {
    fn lack(&self, connection: &Connection) -> Option<Lack> {
        let oauth = connection.oauth.as_deref()?;
        let slots = self.0.slots.load();
        let Some(slot) = slots.get(&connection.id) else {
            return (oauth.flow != Flow::ClientCredentials).then_some(Lack::Login);
        };
        let (current, now) = (slot.current(), self.now());
        if current.is_usable(oauth, now) {
            return None;
        }
        if !current.can_renew(oauth) {
            return Some(Lack::Login);
        }
        let pause = current.paused(now)?;
        Some(Lack::Pause { until: pause.until, message: Arc::clone(&pause.message) })
    }
}

/// What a request meets that gets no token.
fn without(trouble: Trouble) -> Fault {
    match trouble {
        Trouble::Login => Fault::new(FaultKind::NoToken, "nobody is logged in to the account"),
        Trouble::Later { message, wait } => {
            Fault { retry_after: Some(wait), ..Fault::new(FaultKind::NoToken, message.to_string()) }
        }
    }
}

/// The time that is left of something, in milliseconds.
fn left(until: i64, now: i64) -> Duration {
    Duration::from_millis(until.saturating_sub(now).max(0).unsigned_abs())
}

/// How long before its end a token is renewed: as the settings say, but not in the first half of its life.
fn due(oauth: &OAuth, credential: &Credential) -> Option<i64> {
    let end = credential.expires_at?;
    let lead = i64::try_from(oauth.lead.as_millis()).unwrap_or(i64::MAX);
    let half = end.saturating_sub(credential.issued_at).max(0) / 2;
    Some(end.saturating_sub(lead.min(half)))
}

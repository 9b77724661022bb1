//! Bearer tokens that an issuer which the operator trusts has signed (JWT, RFC 7519). Who it is and what it may is in the
//! claims; whose signature it is, among the issuer's keys, which are fetched now and then and when a token names one that is
//! not known. Only signatures of which the hub has the public half: no secret that both share, and never `none`.

use std::{net::IpAddr, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use jsonwebtoken::jwk::JwkSet;
use operations::Scopes;
use serde_json::{Map, Value};
use tokio::sync::Notify;

use super::{
    AuthError, KeyIndex, fetch,
    ports::scopes_from_text,
    signed::{self, LEEWAY, Unproved, whole},
};
use crate::{
    engine::{
        caller::{Caller, CallerKind, Policy},
        ports::Clock,
        settings::Issuer,
    },
    observe::events,
    outbound::Transport,
};

/// The issuer's keys are looked at again after this time.
const FRESH: Duration = Duration::from_secs(15 * 60);
/// However many unknown keys tokens name, and however often a fetch fails, the issuer is asked no more often than this.
const PAUSE: Duration = Duration::from_secs(60);
/// Longest token and longest subject that are looked at, in bytes.
const LONGEST: usize = 16 * 1024;
const SUBJECT: usize = 128;
/// What a caller's id begins with.
const ID_PREFIX: &str = "jwt:";

/// Tells callers by their tokens.
pub struct Tokens {
    issuer: Issuer,
    keys: ArcSwap<JwkSet>,
    index: Arc<KeyIndex>,
    clock: Arc<dyn Clock>,
    /// A token named a key that is not known.
    wanted: Notify,
}

impl Tokens {
    /// Tokens of `issuer`, whose keys are not known yet; policies are those of the keys in `index`.
    #[must_use]
    pub fn new(issuer: Issuer, index: Arc<KeyIndex>, clock: Arc<dyn Clock>) -> Self {
        let keys = ArcSwap::from_pointee(JwkSet { keys: Vec::new() });
        Self { issuer, keys, index, clock, wanted: Notify::new() }
    }

    /// Whether a text has the form of such a token.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        text.len() <= LONGEST
            && text.starts_with("eyJ")
            && text.bytes().filter(|byte| *byte == b'.').count() == 2
    }

    /// Takes the issuer's keys.
    pub fn trust(&self, keys: JwkSet) {
        self.keys.store(Arc::new(keys));
    }

    /// Who presents `token`.
    ///
    /// # Errors
    /// [`AuthError::Unknown`] when nobody vouches for it, or it is for somebody else; [`AuthError::Expired`].
    pub fn identify(&self, token: &str, address: Option<IpAddr>) -> Result<Caller, AuthError> {
        let claims = self.claims(token).ok_or(AuthError::Unknown)?;
        let now = self.clock.now() / 1000;
        let second = |name: &str| claims.get(name).and_then(Value::as_f64).map(whole);
        if second("exp").is_none_or(|end| end.saturating_add(LEEWAY) <= now) {
            return Err(AuthError::Expired);
        }
        if second("nbf").is_some_and(|begin| begin.saturating_sub(LEEWAY) > now) {
            return Err(AuthError::Unknown);
        }
        let subject = claims
            .get("sub")
            .and_then(Value::as_str)
            .filter(|text| (1..=SUBJECT).contains(&text.len()) && !text.chars().any(char::is_control));
        let name = subject.ok_or(AuthError::Unknown)?;
        Ok(Caller {
            id: format!("{ID_PREFIX}{name}").into(),
            name: name.into(),
            kind: CallerKind::Token,
            scopes: self.scopes(&claims),
            address,
            policy: self.policy(&claims)?,
        })
    }

    /// What a token says, if its signature is the issuer's and it is for this hub.
    fn claims(&self, token: &str) -> Option<Map<String, Value>> {
        let found = signed::claims(&self.keys.load(), token, &self.issuer.issuer, &self.issuer.audience);
        if matches!(found, Err(Unproved::UnknownKey)) {
            // It may be new: whoever fetches the keys looks, and the next try succeeds.
            self.wanted.notify_one();
        }
        found.ok()
    }

    /// The hub's scopes among those of the token; what a client needs, where the operator named no claim for them.
    fn scopes(&self, claims: &Map<String, Value>) -> Scopes {
        let Some(claim) = &self.issuer.scopes_claim else { return Scopes::client() };
        match claims.get(&**claim) {
            Some(Value::String(words)) => scopes_from_text(words),
            Some(Value::Array(words)) => {
                words.iter().filter_map(Value::as_str).filter_map(|word| word.parse().ok()).collect()
            }
            _ => Scopes::default(),
        }
    }

    /// The policy of the key that the token names, where the operator said which claim does. One that names none is
    /// nobody's: what nobody has limited is not let in by mistake.
    fn policy(&self, claims: &Map<String, Value>) -> Result<Option<Arc<Policy>>, AuthError> {
        let Some(claim) = &self.issuer.key_claim else { return Ok(None) };
        let name = claims.get(&**claim).and_then(Value::as_str).ok_or(AuthError::Unknown)?;
        self.index.policy_of(name).ok_or(AuthError::Unknown)
    }

    /// Fetches the issuer's keys, and again when it is time or a token names one that is not known. Never returns.
    pub async fn keep_fresh(self: Arc<Self>, transport: Arc<dyn Transport>) {
        loop {
            match keys_at(&*transport, &self.issuer.jwks_url).await {
                Ok(keys) => self.trust(keys),
                // Those that are known go on to be trusted: an issuer that is down is no reason to lock all out.
                Err(error) => events::issuer_keys_failed(&self.issuer.jwks_url, &error),
            }
            tokio::time::sleep(PAUSE).await;
            drop(tokio::time::timeout(FRESH, self.wanted.notified()).await);
        }
    }
}

async fn keys_at(transport: &dyn Transport, url: &str) -> Result<JwkSet, String> {
    signed::key_set(&fetch::get(transport, url).await?)
}

#[cfg(test)]
mod tests;

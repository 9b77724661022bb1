//! Logging in at an OpenID provider (OpenID Connect Core 1.0): authorization code with PKCE, a state and a nonce that only the
//! browser of this login knows, and an ID token that is checked to the last claim. Ends with a [`Person`]; sessions and the
//! audit log are `ops`', and cookies the surface's.

mod person;
mod provider;
mod ticket;

use std::sync::Arc;

use tokio::sync::Semaphore;
use url::{Url, form_urlencoded};

pub use person::Person;

use super::{
    signed::{self, Unproved},
    token::NoEntropy,
};
use crate::{
    engine::{
        ports::Clock,
        settings::{Oidc as Settings, Secret},
    },
    outbound::Transport,
};
use provider::{Known, Provider};
use ticket::{Ticket, Tickets};

/// Logins that ask the provider at a time.
const ASKING: usize = 4;
/// Longest part of an address that a browser comes back with, in bytes.
const LONGEST: usize = 8192;

/// Logs people in at one provider.
pub struct Oidc {
    settings: Settings,
    redirect_url: String,
    provider: Provider,
    tickets: Tickets,
    asking: Semaphore,
    clock: Arc<dyn Clock>,
}

/// A login that has begun.
pub struct Begun {
    /// Where the browser is to go.
    pub url: String,
    /// What it has to bring back, and nobody else may know.
    pub ticket: Secret,
}

/// Why nobody was logged in. The words hold no secret.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// It is not the browser that began the login, or it took too long.
    #[error(
        "the login does not belong to this browser, was finished before, or took longer than ten minutes; begin it again"
    )]
    Ticket,
    /// The provider says no.
    #[error("the provider refused the login: {0}")]
    Refused(String),
    /// The provider cannot be asked, or makes no sense.
    #[error("the provider cannot be asked: {0}")]
    Unavailable(String),
    /// The provider's word for who it is does not hold.
    #[error("the provider's ID token {0}")]
    Token(String),
    /// Others are logging in.
    #[error("too many are logging in at the moment")]
    Busy,
    /// The operating system gave no random bytes.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

impl OidcError {
    fn token(why: &str) -> Self {
        Self::Token(why.to_owned())
    }
}

impl Oidc {
    /// Logins at the provider of `settings`, which end at `redirect_url`.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn new(
        settings: Settings,
        redirect_url: String,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, NoEntropy> {
        let (provider, tickets) = (Provider::new(transport), Tickets::new()?);
        Ok(Self { settings, redirect_url, provider, tickets, asking: Semaphore::new(ASKING), clock })
    }

    /// Who vouches.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// Begins a login.
    ///
    /// # Errors
    /// [`OidcError`].
    pub async fn begin(&self) -> Result<Begun, OidcError> {
        let _turn = self.asking.try_acquire().map_err(|_| OidcError::Busy)?;
        let now = self.clock.now();
        let known = self.provider.known(&self.settings, now).await?;
        let (ticket, kept) = self.tickets.make(now)?;
        let mut url = Url::parse(&known.discovered.authorization_endpoint)
            .map_err(|_| OidcError::Unavailable("its authorization endpoint is no URL".to_owned()))?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.redirect_url)
            .append_pair("scope", &self.settings.scopes.join(" "))
            .append_pair("state", &ticket.state)
            .append_pair("nonce", &ticket.nonce)
            .append_pair("code_challenge", &ticket.challenge())
            .append_pair("code_challenge_method", "S256");
        Ok(Begun { url: url.into(), ticket: kept })
    }

    /// Ends a login with the query that a browser came back with, and the ticket that it brought along. Whoever it is need not
    /// be admitted.
    ///
    /// # Errors
    /// [`OidcError`].
    pub async fn come_back(&self, ticket: Option<&str>, query: &str) -> Result<Person, OidcError> {
        if query.len() > LONGEST {
            return Err(OidcError::Ticket);
        }
        let one = |wanted: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
        };
        let now = self.clock.now();
        let taken = ticket.zip(one("state")).and_then(|(kept, state)| self.tickets.take(kept, &state, now));
        let ticket = taken.ok_or(OidcError::Ticket)?;
        // Who answers is said by servers that know RFC 9207: a code of another one is not shown to this one.
        if one("iss").is_some_and(|issuer| issuer != *self.settings.issuer) {
            return Err(OidcError::Refused("the answer is from another issuer".to_owned()));
        }
        if let Some(error) = one("error") {
            let words = one("error_description").unwrap_or_default();
            return Err(OidcError::Refused(provider::tame(&error, &words)));
        }
        let code = one("code").filter(|code| !code.is_empty());
        let code = code.ok_or_else(|| OidcError::Refused("it sent no code".to_owned()))?;
        let _turn = self.asking.try_acquire().map_err(|_| OidcError::Busy)?;
        self.redeem(&ticket, &code, now).await
    }

    async fn redeem(&self, ticket: &Ticket, code: &str, now: i64) -> Result<Person, OidcError> {
        let known = self.provider.known(&self.settings, now).await?;
        let proof = (code, &ticket.verifier);
        let issued =
            self.provider.redeem(&self.settings, &known.discovered, proof, &self.redirect_url).await?;
        let claims = match self.claims(&known, &issued.id_token) {
            Err(Unproved::UnknownKey) => {
                // It may be new.
                let renewed = self.provider.renewed(&self.settings, now).await?;
                self.claims(&renewed, &issued.id_token)
            }
            found => found,
        };
        let claims = claims.map_err(|why| OidcError::Token(why.to_string()))?;
        person::check(&claims, &self.settings, &ticket.nonce, now)?;
        let told = if person::lacks(&claims, &self.settings) {
            self.provider.told(&self.settings, &known.discovered, &issued).await?
        } else {
            serde_json::Map::new()
        };
        person::person(claims, told, &self.settings)
    }

    fn claims(
        &self,
        known: &Known,
        token: &str,
    ) -> Result<serde_json::Map<String, serde_json::Value>, Unproved> {
        signed::claims(&known.keys, token, &self.settings.issuer, &self.settings.client_id)
    }
}

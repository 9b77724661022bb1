//! How a connection gets its credential by OAuth 2.0, where its owner logs in instead of pasting a key. The tokens
//! themselves are no setting: they change by themselves and live with who renews them.

use std::{collections::BTreeMap, time::Duration};

use super::Secret;

/// A connection's login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuth {
    /// How its owner logs in.
    pub flow: Flow,
    /// The id under which the owner's application is registered. Never built in.
    pub client_id: String,
    /// The application's secret, where it has one.
    pub client_secret: Option<Secret>,
    /// Where the secret is put.
    pub client_auth: ClientAuth,
    /// Where the browser is sent.
    pub authorization_url: Option<String>,
    /// Where tokens come from.
    pub token_url: String,
    /// Where device codes come from.
    pub device_url: Option<String>,
    /// Where the browser comes back to; `None`: to the hub's own callback.
    pub redirect_url: Option<String>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// What is sent beside, such as `audience`.
    pub parameters: BTreeMap<String, String>,
    /// Who must have issued an ID token.
    pub issuer: Option<String>,
    /// The issuer's keys. Without them an ID token is taken at its word, since it comes from the token endpoint itself.
    pub jwks_url: Option<String>,
    /// The claim that tells one workspace from another: a name, or a JSON pointer.
    pub workspace_claim: Option<String>,
    /// How long before its end a token is renewed.
    pub lead: Duration,
    /// Tells this application at this login server, for an account at this place, from another: tokens of one are never shown to
    /// the other.
    pub binding: u64,
}

/// How somebody logs in (RFC 6749, RFC 8628).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// In a browser that comes back with a code, with PKCE (RFC 7636).
    Code,
    /// In a browser elsewhere, where a short code is typed.
    Device,
    /// Nobody does: the application speaks for itself.
    ClientCredentials,
}

impl Flow {
    /// Every flow.
    pub const ALL: [Self; 3] = [Self::Code, Self::Device, Self::ClientCredentials];

    /// The flow as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Device => "device",
            Self::ClientCredentials => "client-credentials",
        }
    }
}

/// Where the application's secret is put (RFC 6749, 2.3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// Into the header `Authorization`.
    #[default]
    Basic,
    /// Into the body.
    Body,
}

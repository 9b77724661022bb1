//! Logins at providers: what is kept of them, and who can get and renew tokens.

use std::{fmt, sync::Arc, time::Duration};

use futures_core::future::BoxFuture;

use crate::engine::settings::{Connection, Secret};

/// The tokens of one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The connection's id.
    pub connection: Arc<str>,
    /// [`crate::engine::settings::OAuth::binding`] of the login: another application's tokens are not used.
    pub binding: u64,
    /// Whether they can be used.
    pub state: CredentialState,
    /// What requests carry.
    pub access: Option<Secret>,
    /// What the next access token is had for.
    pub refresh: Option<Secret>,
    /// What was granted, if the server said.
    pub scopes: Option<String>,
    /// Whose account it is, if the server said.
    pub identity: Option<Identity>,
    /// When the access token was had, in milliseconds since the Unix epoch.
    pub issued_at: i64,
    /// When it ends, likewise; `None`: nobody knows.
    pub expires_at: Option<i64>,
    /// Why somebody must log in.
    pub error: Option<String>,
    /// When this was written, in milliseconds since the Unix epoch.
    pub updated_at: i64,
}

/// Whether tokens can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialState {
    /// They can, or can be renewed.
    Ready,
    /// Somebody must log in.
    NeedsLogin,
}

impl CredentialState {
    /// The state as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::NeedsLogin => "needs_login",
        }
    }

    /// The state that [`Self::as_str`] wrote; what is not known needs a login.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        if word == Self::Ready.as_str() { Self::Ready } else { Self::NeedsLogin }
    }
}

/// Whose account it is. The same person in two workspaces is two.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// Who says so.
    pub issuer: String,
    /// The account there.
    pub subject: String,
    /// The workspace or organization.
    pub workspace: Option<String>,
    /// For people.
    pub email: Option<String>,
}

impl Identity {
    /// Whether this is the same account in the same workspace.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.issuer, &self.subject, &self.workspace) == (&other.issuer, &other.subject, &other.workspace)
    }
}

/// A login that a browser has not come back from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingLogin {
    /// SHA-256 of the `state` with which it comes back.
    pub state: [u8; 32],
    /// Under this name its end is asked for.
    pub login: Arc<str>,
    /// The connection's id.
    pub connection: Arc<str>,
    /// [`crate::engine::settings::OAuth::binding`] at its start.
    pub binding: u64,
    /// PKCE's verifier.
    pub verifier: Secret,
    /// What an ID token must repeat.
    pub nonce: Secret,
    /// Where the browser was told to come back to.
    pub redirect_url: String,
    /// When it ends, in milliseconds since the Unix epoch.
    pub expires_at: i64,
}

/// The store of logins failed. Was logged.
#[derive(Debug, thiserror::Error)]
#[error("the logins could not be read or written")]
pub struct OAuthStoreError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Keeps tokens and logins, encrypted. What it says is done is on disk.
pub trait OAuthStore: Send + Sync {
    /// All tokens. Those that cannot be decrypted are reported to the log, and need a login.
    fn credentials(&self) -> BoxFuture<'_, Result<Vec<Credential>, OAuthStoreError>>;
    /// Keeps tokens in place of the connection's earlier ones, in one step.
    fn put_credential(&self, credential: Credential) -> BoxFuture<'_, Result<(), OAuthStoreError>>;
    /// Forgets a connection's tokens; says whether there were any.
    fn remove_credential(&self, connection: Arc<str>) -> BoxFuture<'_, Result<bool, OAuthStoreError>>;
    /// Keeps a login until it ends. Deletes those that have by `now`, and the oldest where there are more than `most`.
    fn begin_login(
        &self,
        login: PendingLogin,
        now: i64,
        most: u32,
    ) -> BoxFuture<'_, Result<(), OAuthStoreError>>;
    /// Takes a login that has not ended by `now`: nobody gets it twice.
    fn take_login(
        &self,
        state: [u8; 32],
        now: i64,
    ) -> BoxFuture<'_, Result<Option<PendingLogin>, OAuthStoreError>>;
}

/// A login to be made in a browser.
pub struct Authorization {
    /// Where the browser is to go.
    pub url: String,
    /// With this it comes back.
    pub state: Secret,
    /// PKCE's verifier, which proves that it is the same who asked.
    pub verifier: Secret,
    /// What an ID token must repeat.
    pub nonce: Secret,
}

/// A login to be made on another device.
pub struct DeviceLogin {
    /// What is to be typed there.
    pub user_code: String,
    /// Where.
    pub verification_url: String,
    /// The same with the code in it.
    pub complete_url: Option<String>,
    /// How often the server wants to be asked.
    pub interval: Duration,
    /// How long the code is good.
    pub expires_in: Duration,
    /// Done when somebody logged in and the tokens are kept, or nobody will.
    pub finished: BoxFuture<'static, Result<Credential, GrantError>>,
}

/// Why there are no tokens. The words hold no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantError {
    /// The connection's settings do not allow it.
    Settings(String),
    /// The server refuses.
    Refused {
        /// Its word for the reason, such as `invalid_grant`.
        code: String,
        /// In words.
        message: String,
    },
    /// The server could not be asked, or gave no sense.
    Unavailable(String),
    /// The account is not one that can be used here.
    Identity(String),
    /// The tokens could not be kept.
    Store,
}

impl fmt::Display for GrantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(message) | Self::Identity(message) => f.write_str(message),
            Self::Refused { code, message } if message.is_empty() => {
                write!(f, "the login server refused: {code}")
            }
            Self::Refused { code, message } => write!(f, "the login server refused: {code} ({message})"),
            Self::Unavailable(message) => write!(f, "the login server could not be asked: {message}"),
            Self::Store => f.write_str("the tokens could not be kept; the hub's log tells more"),
        }
    }
}

impl std::error::Error for GrantError {}

/// Somebody who gets tokens, keeps them and renews them. What is answered is kept.
pub trait Grants: Send + Sync {
    /// The beginning of a login in a browser that comes back to `redirect_url`.
    ///
    /// # Errors
    /// [`GrantError::Settings`].
    fn authorization(&self, connection: &Connection, redirect_url: &str)
    -> Result<Authorization, GrantError>;
    /// The end of it: tokens for the code that the browser brought.
    fn exchange(
        &self,
        connection: Arc<Connection>,
        login: PendingLogin,
        code: Secret,
    ) -> BoxFuture<'static, Result<Credential, GrantError>>;
    /// The beginning of a login on another device.
    fn device(&self, connection: Arc<Connection>) -> BoxFuture<'static, Result<DeviceLogin, GrantError>>;
    /// Tokens for the application itself.
    fn application(&self, connection: Arc<Connection>) -> BoxFuture<'static, Result<Credential, GrantError>>;
    /// Forgets a connection's tokens; says whether there were any.
    fn forget(&self, connection: Arc<str>) -> BoxFuture<'static, Result<bool, GrantError>>;
    /// What is known of every connection's tokens.
    fn credentials(&self) -> Vec<Credential>;
}

//! Whose signed tokens let callers in.

use std::sync::Arc;

/// An issuer of tokens that the operator trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// The tokens' `iss`.
    pub issuer: Arc<str>,
    /// The tokens' `aud`: what this hub is called there.
    pub audience: Arc<str>,
    /// Where its public keys are.
    pub jwks_url: Arc<str>,
    /// The claim with the hub's scopes; without it, callers get what clients need.
    pub scopes_claim: Option<Arc<str>>,
    /// The claim with the name of a key of the hub whose policy holds for the caller.
    pub key_claim: Option<Arc<str>>,
}

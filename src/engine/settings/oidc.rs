//! Where operators may log in beside the password: an OpenID provider, and whom of its people the hub takes.

use std::sync::Arc;

use super::Secret;

/// An OpenID provider for operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oidc {
    /// Its `issuer`, below which its discovery document is.
    pub issuer: Arc<str>,
    /// What this hub is called there.
    pub client_id: Arc<str>,
    /// What proves that; none for a public client, which PKCE alone protects.
    pub client_secret: Option<Secret>,
    /// What is asked for; always with `openid`.
    pub scopes: Arc<[String]>,
    /// Verified addresses that are let in, in lower case.
    pub emails: Arc<[String]>,
    /// Domains of verified addresses that are let in, in lower case.
    pub domains: Arc<[String]>,
    /// Groups that are let in, as the provider writes them.
    pub groups: Arc<[String]>,
    /// The claim with the groups of a person: a name, or a JSON pointer.
    pub groups_claim: Arc<str>,
}

//! How callers prove who they are, as cards say it: the schemes of OpenAPI in the spelling of 1.0.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A way to prove who one is. Serialized, the name of the one field says which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SecurityScheme {
    /// A key in a header, in the query or in a cookie.
    #[serde(rename = "apiKeySecurityScheme")]
    ApiKey(ApiKey),
    /// The header `Authorization`.
    #[serde(rename = "httpAuthSecurityScheme")]
    Http(HttpAuthentication),
    /// OAuth 2.0.
    #[serde(rename = "oauth2SecurityScheme")]
    OAuth2(OAuth2),
    /// OpenID Connect.
    #[serde(rename = "openIdConnectSecurityScheme")]
    OpenIdConnect(OpenIdConnect),
    /// A certificate of the client.
    #[serde(rename = "mtlsSecurityScheme")]
    MutualTls(MutualTls),
}

/// A key in a header, in the query or in a cookie.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ApiKey {
    /// For people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// `header`, `query` or `cookie`.
    pub location: String,
    /// Of the header, parameter or cookie.
    pub name: String,
}

/// The header `Authorization`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpAuthentication {
    /// For people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// As registered: `Bearer`.
    pub scheme: String,
    /// What a bearer's token looks like: `JWT`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub bearer_format: String,
}

/// OAuth 2.0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OAuth2 {
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// How to come by a token. 1.0 has one for each scheme.
    pub flows: Flow,
    /// Metadata of the authorization server.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub oauth2_metadata_url: String,
}

/// Names of scopes, and what each is for.
pub type Scopes = BTreeMap<String, String>;

/// How to come by a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Flow {
    /// A person agrees in a browser.
    AuthorizationCode(AuthorizationCode),
    /// The client itself.
    ClientCredentials(ClientCredentials),
    /// Deprecated.
    Implicit(Direct),
    /// Deprecated.
    Password(Direct),
    /// A person agrees on another device. 0.3 does not know it.
    DeviceCode(DeviceCode),
}

/// A person agrees in a browser.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AuthorizationCode {
    /// Where the person goes.
    pub authorization_url: String,
    /// Where the token is.
    pub token_url: String,
    /// Where it is renewed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub refresh_url: String,
    /// What can be asked for.
    pub scopes: Scopes,
    /// PKCE is demanded. 0.3 cannot say it.
    #[serde(skip_serializing_if = "super::is_false")]
    pub pkce_required: bool,
}

/// The client itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClientCredentials {
    /// Where the token is.
    pub token_url: String,
    /// Where it is renewed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub refresh_url: String,
    /// What can be asked for.
    pub scopes: Scopes,
}

/// The two deprecated flows: `implicit` has the first address, `password` the second.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Direct {
    /// Where the person goes.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub authorization_url: String,
    /// Where the token is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub token_url: String,
    /// Where it is renewed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub refresh_url: String,
    /// What can be asked for.
    #[serde(skip_serializing_if = "Scopes::is_empty")]
    pub scopes: Scopes,
}

/// A person agrees on another device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeviceCode {
    /// Where the code comes from.
    pub device_authorization_url: String,
    /// Where the token is.
    pub token_url: String,
    /// Where it is renewed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub refresh_url: String,
    /// What can be asked for.
    pub scopes: Scopes,
}

/// OpenID Connect.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OpenIdConnect {
    /// For people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Of the discovery document.
    pub open_id_connect_url: String,
}

/// A certificate of the client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MutualTls {
    /// For people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// Schemes that are all needed, with the scopes of each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Requirement {
    /// By the name of the scheme.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub schemes: BTreeMap<String, ScopeList>,
}

/// Scopes that are needed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScopeList {
    /// Names of scopes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub list: Vec<String>,
}

impl Requirement {
    /// One scheme without scopes.
    #[must_use]
    pub fn of(scheme: impl Into<String>) -> Self {
        Self { schemes: BTreeMap::from([(scheme.into(), ScopeList::default())]) }
    }
}

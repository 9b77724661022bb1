//! Who tells a webhook: each message carries a JSON Web Token by the hub's own key, over the body too. Whoever is told checks
//! it with the public key that is published beside the card, and needs no secret for that.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::ops::{
    ports::Hook,
    signing::{Signer, SigningError},
};

/// The header of the token. It is also the bearer token of `Authorization`, where a client named no credentials of its own.
pub(super) const SIGNATURE_HEADER: &str = "x-a2a-notification-signature";

/// For how long a token holds, in seconds.
const HOLDS: i64 = 300;

/// The way to webhooks.
pub struct Pushing {
    /// Who posts.
    pub hook: Arc<dyn Hook>,
    /// Who signs.
    pub signer: Arc<Signer>,
    /// Who says so: the address of the hub.
    pub issuer: Arc<str>,
}

/// What is said.
pub(super) struct About<'a> {
    /// The id of the message.
    pub(super) id: &'a str,
    pub(super) task: &'a str,
    /// To whom.
    pub(super) url: &'a str,
    /// When, in milliseconds since the Unix epoch.
    pub(super) at: i64,
    pub(super) body: &'a [u8],
}

impl Pushing {
    /// The token for a message, as a compact JWS.
    ///
    /// # Errors
    /// When there is no key to sign with.
    pub(super) async fn signature(&self, about: &About<'_>) -> Result<String, SigningError> {
        let key = self.signer.key().await?;
        let header = json!({"alg": "ES256", "typ": "JWT", "kid": key.id()});
        let at = about.at / 1000;
        let hash: String = Sha256::digest(about.body).iter().map(|byte| format!("{byte:02x}")).collect();
        let claims = json!({
            "iss": &*self.issuer,
            "aud": about.url,
            "iat": at,
            "exp": at + HOLDS,
            "jti": about.id,
            "taskId": about.task,
            "request_body_sha256": hash,
        });
        let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let said = format!("{}.{}", encode(&header), encode(&claims));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(said.as_bytes())?);
        Ok(format!("{said}.{signature}"))
    }
}

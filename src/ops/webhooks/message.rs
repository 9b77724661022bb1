//! What a webhook is told, and how it can know that the hub said it: the headers of the Standard Webhooks specification
//! (<https://www.standardwebhooks.com>), which libraries for most languages check.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::look::Happening;
use crate::{auth::hmac, engine::settings::Secret};

/// What a message is about that somebody sent to try a webhook.
const TEST: &str = "test";

/// One event, as it is told.
#[derive(Debug)]
pub(super) struct Message {
    /// The same for every webhook and every try.
    pub(super) id: String,
    /// What it is about, as a word.
    pub(super) kind: &'static str,
    pub(super) body: Bytes,
}

impl Message {
    /// The message of something that happened at `now` (milliseconds since the Unix epoch).
    pub(super) fn new(happening: &Happening, now: i64) -> Arc<Self> {
        Arc::new(Self::of(happening.event.as_str(), &happening.data, now))
    }

    /// The message by which somebody tries whether a webhook is reached.
    pub(super) fn test(webhook: &str, now: i64) -> Self {
        Self::of(TEST, &json!({ "webhook": webhook }), now)
    }

    fn of(kind: &'static str, data: &Value, now: i64) -> Self {
        let id = format!("evt_{}", uuid::Uuid::now_v7().simple());
        let body = json!({"id": id, "type": kind, "at": now, "data": data}).to_string();
        Self { id, kind, body: body.into() }
    }

    /// The headers of a try at `now`.
    pub(super) fn headers(&self, secret: Option<&Secret>, now: i64) -> Vec<(String, String)> {
        let seconds = now.div_euclid(1000);
        let mut headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("webhook-id".to_owned(), self.id.clone()),
            ("webhook-timestamp".to_owned(), seconds.to_string()),
        ];
        if let Some(secret) = secret {
            let mut signed = format!("{}.{seconds}.", self.id).into_bytes();
            signed.extend_from_slice(&self.body);
            let tag = hmac(&key(secret), &signed);
            headers.push(("webhook-signature".to_owned(), format!("v1,{}", STANDARD.encode(tag))));
        }
        headers
    }
}

/// The bytes of the secret: behind `whsec_` in base64, else the text itself.
fn key(secret: &Secret) -> Zeroizing<Vec<u8>> {
    let text = secret.expose();
    let decoded = text.strip_prefix("whsec_").and_then(|rest| STANDARD.decode(rest).ok());
    Zeroizing::new(decoded.unwrap_or_else(|| text.as_bytes().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn signatures_are_those_of_the_specification() {
        let message = Message {
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned(),
            kind: "quota.reset",
            body: Bytes::from_static(br#"{"test": 2432232314}"#),
        };
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let headers = message.headers(Some(&secret), 1_614_265_330_000);
        let signature = headers.iter().find(|(name, _)| name == "webhook-signature");
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signature.map(|(_, value)| value.as_str()), Some(expected));
        assert_eq!(message.headers(None, 0).len(), 3);
    }
}

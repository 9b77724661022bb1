//! The operation that tries a webhook: one message, past the lines in which events wait.

use std::{sync::Arc, time::Duration};

use operations::webhooks::{TestWebhook, WebhookTested};
use tokio::time::Instant;

use super::{LIMIT, message::Message};
use crate::{
    engine::Engine,
    ops::{OpError, ports::Hook},
};

/// Executes the operation on webhooks.
pub struct Tester {
    engine: Arc<Engine>,
    hook: Arc<dyn Hook>,
}

impl Tester {
    /// Tries the webhooks of an engine's settings.
    #[must_use]
    pub const fn new(engine: Arc<Engine>, hook: Arc<dyn Hook>) -> Self {
        Self { engine, hook }
    }

    /// Sends one message, signed as all are. That it is not taken is no error.
    ///
    /// # Errors
    /// When there is no such webhook.
    pub async fn test(&self, args: TestWebhook) -> Result<WebhookTested, OpError> {
        let snapshot = self.engine.snapshot();
        let found = snapshot.settings.webhooks.iter().find(|webhook| *webhook.id == *args.id).cloned();
        drop(snapshot);
        let webhook = found.ok_or_else(|| OpError::NotFound { noun: "webhook", name: args.id.clone() })?;
        let now = self.engine.clock().now();
        let message = Message::test(&webhook.id, now);
        let headers = message.headers(webhook.secret.as_ref(), now);
        let url = webhook.url.expose();
        let began = Instant::now();
        let told = self.hook.tell(url, &headers, message.body.clone(), webhook.allow_private, LIMIT).await;
        let took = began.elapsed();
        Ok(WebhookTested {
            id: args.id,
            message: message.id,
            taken: matches!(told, Ok(200..300)),
            status: told.as_ref().ok().copied(),
            error: told.err().map(|error| error.to_string()),
            took_ms: millis(took),
            signed: webhook.secret.is_some(),
        })
    }
}

fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

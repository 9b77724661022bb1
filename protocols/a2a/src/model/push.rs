//! Where a client wants to be told about a task. 1.0 writes it flat, 0.3 nests the configuration; the model nests.

/// A webhook of a client. Nobody has checked the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushConfig {
    /// Given by the client or, where it says none, by the agent.
    pub id: Option<String>,
    /// Where to post.
    pub url: String,
    /// Comes back with every call: in 0.3 as `X-A2A-Notification-Token`.
    pub token: Option<String>,
    /// What to put into `Authorization`.
    pub authentication: Option<PushAuthentication>,
}

/// The credential of a webhook: `Authorization: <scheme> <credentials>`.
#[derive(Clone, PartialEq, Eq)]
pub struct PushAuthentication {
    /// As registered for HTTP: `Bearer`, `Basic`. 0.3 has a list; the first counts.
    pub scheme: String,
    /// What goes behind it. A secret of the client.
    pub credentials: Option<String>,
}

/// A webhook of a certain task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskPush {
    /// The task.
    pub task_id: String,
    /// The webhook.
    pub config: PushConfig,
}

impl std::fmt::Debug for PushAuthentication {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let credentials = self.credentials.as_ref().map(|_| "[redacted]");
        out.debug_struct("PushAuthentication")
            .field("scheme", &self.scheme)
            .field("credentials", &credentials)
            .finish()
    }
}

#[test]
fn credentials_are_not_printed() {
    let it = PushAuthentication { scheme: "Bearer".into(), credentials: Some("hush".into()) };
    let printed = format!("{it:?}");
    assert!(printed.contains("Bearer") && printed.contains("[redacted]") && !printed.contains("hush"));
}

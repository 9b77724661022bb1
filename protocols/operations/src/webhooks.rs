//! Operations on the programs that the hub tells of events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Hints, Invalid, Method, Operation, Route, Scope, page};

/// Tests a webhook.
#[derive(Debug, Clone, Copy)]
pub struct Test;

/// The webhook to test.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestWebhook {
    /// Its id in the section `webhooks`.
    pub id: String,
}

/// How the test went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookTested {
    /// The webhook's id.
    pub id: String,
    /// The id of the message.
    pub message: String,
    /// Whether it was taken: answered with a status of 2xx in time.
    pub taken: bool,
    /// The status of the answer, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there was none, in words without the URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What it took, in milliseconds.
    pub took_ms: u64,
    /// Whether the message was signed.
    pub signed: bool,
}

impl Operation for Test {
    const NAME: &'static str = "test_webhook";
    const TITLE: &'static str = "Test a webhook";
    const SUMMARY: &'static str = "Sends one message of the type `test` to a webhook that the configuration file declares, \
         signed as all are, and says what it answered and how long that took. It is not tried again.";
    const SCOPE: Scope = Scope::WriteSettings;
    const HINTS: Hints = Hints { read_only: false, destructive: false, idempotent: false };
    const ROUTE: Route = Route::new(Method::Post, "/api/webhooks/{id}/test");
    const COMMAND: (&'static str, &'static str) = ("webhooks", "test");
    const EXAMPLE: &'static str = r#"{"id": "on-call"}"#;
    type Args = TestWebhook;
    type Result = WebhookTested;

    fn check(args: TestWebhook) -> Result<TestWebhook, Invalid> {
        Ok(TestWebhook { id: page::check_required("id", &args.id)? })
    }
}

//! What an MCP server offers, apart from how it is asked. The hub's own offer is `operations`; the public conformance suite
//! wants another, behind the same door and handler.

use futures_core::future::BoxFuture;
use rmcp::{
    ErrorData, Peer, RoleServer,
    model::{
        CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult, ErrorCode,
        GetPromptRequestParams, GetPromptResponse, GetTaskResult, InputResponses, Prompt,
        ReadResourceRequestParams, ReadResourceResponse, Resource, ResourceTemplate, ServerConfig,
        SubscriptionFilter, Tool,
    },
    service::SubscriptionContext,
};

use super::visitor::{Asking, Visitor};

/// What is answered, later.
pub(super) type Later<'a, T> = BoxFuture<'a, Result<T, ErrorData>>;

/// What a server offers.
pub(super) trait Offer: Send + Sync + 'static {
    /// What the server says of itself.
    fn about(&self) -> ServerConfig;

    /// The tools for this visitor, in an order that stays.
    fn tools(&self, visitor: &Visitor) -> Vec<Tool>;

    /// The tool of that name, whoever asks.
    fn tool(&self, name: &str) -> Option<Tool>;

    /// Calls a tool.
    fn call(&self, params: CallToolRequestParams, asking: Asking) -> Later<'_, CallToolResponse>;

    /// The resources for this visitor, in an order that stays.
    fn resources(&self, visitor: &Visitor) -> Vec<Resource>;

    /// The templates of resources for this visitor, in an order that stays.
    fn templates(&self, visitor: &Visitor) -> Vec<ResourceTemplate>;

    /// Reads a resource.
    fn read(&self, params: ReadResourceRequestParams, asking: Asking) -> Later<'_, ReadResourceResponse>;

    /// The prompts, in an order that stays.
    fn prompts(&self, visitor: &Visitor) -> Vec<Prompt>;

    /// Fills in a prompt.
    fn prompt(&self, params: GetPromptRequestParams, asking: Asking) -> Later<'_, GetPromptResponse>;

    /// Completes an argument of a prompt or a template.
    fn complete(&self, params: CompleteRequestParams, asking: Asking) -> Later<'_, CompleteResult>;

    /// What of these changes a client can be told of; `None`: of nothing.
    fn subscribable(&self, wanted: &SubscriptionFilter) -> Option<SubscriptionFilter>;

    /// Tells a client of changes until it is gone (from revision 2026-07-28 on).
    fn listen(&self, subscription: SubscriptionContext, visitor: Visitor) -> Later<'_, ()>;

    /// A session has begun, or was taken up again (before that revision).
    fn began(&self, _visitor: Visitor, _peer: Peer<RoleServer>) {}

    /// Begins to tell a client of changes to a resource (before that revision).
    fn subscribe(&self, uri: String, asking: Asking) -> Later<'_, ()>;

    /// Ends that.
    fn unsubscribe(&self, uri: String, asking: Asking) -> Later<'_, ()>;

    /// Sets from which severity on a session hears log lines (before revision 2026-07-28): 0 is `debug`, 7 is `emergency`.
    /// An offer that logs nothing to its clients does not know the request.
    fn set_level(&self, _severity: u8, _asking: Asking) -> Later<'_, ()> {
        without("logging/setLevel")
    }

    /// How far a task is. This and the two below are asked only of an offer that says that it has tasks.
    fn task(&self, _id: String, _asking: Asking) -> Later<'_, GetTaskResult> {
        without("tasks/get")
    }

    /// Gives a task what it asked for.
    fn answer_task(&self, _id: String, _answers: InputResponses, _asking: Asking) -> Later<'_, ()> {
        without("tasks/update")
    }

    /// Ends a task before it is done.
    fn cancel_task(&self, _id: String, _asking: Asking) -> Later<'_, ()> {
        without("tasks/cancel")
    }
}

/// The answer of a server that does not know the method.
pub(super) fn without<'a, T: Send + 'a>(method: &'static str) -> Later<'a, T> {
    Box::pin(std::future::ready(Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method, None))))
}

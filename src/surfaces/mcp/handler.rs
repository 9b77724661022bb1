//! The protocol's requests, each passed on to the offer with who asks. Lists are cut into pages here.

use std::sync::Arc;

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CancelTaskParams, CompleteRequestParams,
        CompleteResult, Extensions, GetPromptRequestParams, GetPromptResponse, GetTaskParams, GetTaskResult,
        InitializeRequestParams, InitializeResult, ListPromptsResult, ListResourceTemplatesResult,
        ListResourcesResult, ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams,
        ReadResourceResponse, ServerConfig, SubscribeRequestParams, SubscriptionFilter, Tool,
        UnsubscribeRequestParams, UpdateTaskParams,
    },
    service::{NotificationContext, RequestContext, SubscriptionContext},
};

#[expect(deprecated, reason = "the revisions before 2026-07-28 know no other way to log to a client")]
use rmcp::model::SetLevelRequestParams;

use super::{
    offer::{Offer, without},
    opening,
    visitor::{Asking, Visitor, nobody},
};

/// Items of a page. Some clients read the first one only, so that it should hold what they need.
const PAGE: usize = 250;

/// How long a client may take a list for true, in milliseconds: rights and settings change seldom.
const LIST_TTL_MS: u64 = 60_000;

/// The protocol's side of a connection or a session.
pub(super) struct Handler {
    offer: Arc<dyn Offer>,
    /// Who asks, where the transport has one caller for all its messages.
    fixed: Option<Visitor>,
}

impl Handler {
    /// For messages that come over HTTP, each with its caller.
    pub(super) fn new(offer: Arc<dyn Offer>) -> Self {
        Self { offer, fixed: None }
    }

    /// For a transport that one caller uses for all its messages.
    pub(super) fn of(offer: Arc<dyn Offer>, visitor: Visitor) -> Self {
        Self { offer, fixed: Some(visitor) }
    }

    fn asking(&self, context: RequestContext<RoleServer>) -> Result<Asking, ErrorData> {
        Ok(Asking { visitor: self.visitor(&context.extensions)?, context })
    }

    fn visitor(&self, extensions: &Extensions) -> Result<Visitor, ErrorData> {
        Visitor::of(extensions).or(self.fixed.as_ref()).cloned().ok_or_else(nobody)
    }
}

/// One page of a list, and where the next one begins.
fn page<T>(
    items: Vec<T>,
    request: Option<PaginatedRequestParams>,
) -> Result<(Vec<T>, Option<String>), ErrorData> {
    let cursor = request.and_then(|request| request.cursor);
    let from = cursor.map_or(Ok(0), |cursor| {
        let known = cursor.parse().ok().filter(|&from| from <= items.len());
        known.ok_or_else(|| ErrorData::invalid_params("the cursor is none that this list gave out", None))
    })?;
    let next = from + PAGE;
    let more = (items.len() > next).then(|| next.to_string());
    Ok((items.into_iter().skip(from).take(PAGE).collect(), more))
}

/// The answer of a list: what a caller sees is its own.
macro_rules! listed {
    ($result:ident, $field:ident, $items:expr, $request:expr) => {{
        let ($field, next_cursor) = page($items, $request)?;
        let mut result = $result::with_all_items($field);
        result.next_cursor = next_cursor;
        result.ttl_ms = Some(LIST_TTL_MS);
        result.cache_scope = Some(CacheScope::Private);
        Ok(result)
    }};
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        self.offer.about()
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        // A transport for one caller alone is of this machine, and nothing of it is written down.
        if self.fixed.is_none() {
            opening::check(&request)?;
        }
        let result = self.negotiate_initialize(&request);
        context.peer.set_peer_info(request);
        result
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.offer.tool(name)
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let asking = self.asking(context)?;
        listed!(ListToolsResult, tools, self.offer.tools(&asking.visitor), request)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.offer.call(request, self.asking(context)?).await
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let asking = self.asking(context)?;
        listed!(ListResourcesResult, resources, self.offer.resources(&asking.visitor), request)
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let asking = self.asking(context)?;
        let templates = self.offer.templates(&asking.visitor);
        listed!(ListResourceTemplatesResult, resource_templates, templates, request)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        self.offer.read(request, self.asking(context)?).await
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let asking = self.asking(context)?;
        listed!(ListPromptsResult, prompts, self.offer.prompts(&asking.visitor), request)
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        self.offer.prompt(request, self.asking(context)?).await
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        self.offer.complete(request, self.asking(context)?).await
    }

    #[expect(deprecated, reason = "the revisions before 2026-07-28 know no other way to log to a client")]
    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let asking = self.asking(context)?;
        if asking.is_stateless() {
            return without("logging/setLevel").await;
        }
        self.offer.set_level(request.level as u8, asking).await
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        self.offer.task(request.task_id, self.asking(context)?).await
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.offer.answer_task(request.task_id, request.input_responses, self.asking(context)?).await
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.offer.cancel_task(request.task_id, self.asking(context)?).await
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        self.offer.subscribable(requested)
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let visitor = self.visitor(&context.request_context().extensions)?;
        self.offer.listen(context, visitor).await
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        if let Ok(visitor) = self.visitor(&context.extensions) {
            self.offer.began(visitor, context.peer);
        }
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.offer.subscribe(request.uri, self.asking(context)?).await
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.offer.unsubscribe(request.uri, self.asking(context)?).await
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn a_list_is_read_page_by_page_to_its_end() {
        let all: Vec<usize> = (0..2 * PAGE + 7).collect();
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let request = PaginatedRequestParams::default().with_cursor(cursor);
            let (items, next) = page(all.clone(), Some(request)).unwrap();
            seen.extend(items);
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn cursors_of_others_are_refused() {
        for cursor in ["", "-1", "8", "abc"] {
            let request = PaginatedRequestParams::default().with_cursor(Some(cursor.to_owned()));
            assert!(page(vec![1, 2, 3], Some(request)).is_err(), "{cursor}");
        }
    }
}

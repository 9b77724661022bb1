//! The hub's own offer: its operations as tools.

use std::{future::Future, sync::Arc, time::Duration};

use operations::{
    Definition,
    aliases::{Alias, Meaning},
    mcp::CallOutcome,
};
use rmcp::{
    ErrorData,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestParams, CompleteResult,
        ContentBlock, GetPromptRequestParams, GetPromptResponse, Implementation, JsonObject,
        ProgressNotificationParam, Prompt, ReadResourceRequestParams, ReadResourceResponse, Resource,
        ResourceTemplate, ServerCapabilities, ServerConfig, SubscriptionFilter, Tool,
    },
    service::SubscriptionContext,
};
use serde_json::{Value, json};

use super::{
    super::Handles,
    offer::{Later, Offer},
    profile,
    record::Record,
    results, search, tools,
    visitor::{Asking, Visitor},
};
use crate::{
    engine::{
        Engine,
        settings::{Mcp, ToolProfile},
    },
    ops::{
        registry::{Asked, Registry},
        tool_calls::ToolCalls,
    },
};

const INSTRUCTIONS: &str = "\
Trivium routes requests to many accounts at many model providers. Ask it how it is (`get_health`), what it can do \
(`list_models`, `list_combos`), what is left (`list_quotas`), where a request would go (`simulate_route`) and why one went \
where it did (`explain_route`). Which tools you see depends on the rights of your key; `search_tools` finds those that are \
not listed. What cannot be taken back wants `confirm: true`.";

/// How often a client is told that a call is still being worked on: many give up after a minute without a word.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// How long a client may take to hear that.
const HEARING: Duration = Duration::from_secs(5);

/// The operations of a hub.
pub(super) struct Operations {
    registry: Arc<Registry>,
    engine: Arc<Engine>,
    calls: Arc<ToolCalls>,
}

impl Operations {
    pub(super) fn new(handles: &Handles) -> Self {
        let (registry, engine) = (Arc::clone(&handles.operations), Arc::clone(&handles.engine));
        Self { registry, engine, calls: Arc::clone(handles.mcp.calls()) }
    }

    fn settings(&self) -> Arc<Mcp> {
        Arc::clone(&self.engine.snapshot().settings.mcp)
    }

    /// The tools that this visitor may call.
    fn callable<'a>(
        settings: &'a Mcp,
        visitor: &'a Visitor,
    ) -> impl Iterator<Item = (&'static Definition, &'static Tool)> + use<'a> {
        let all = tools::ALL.iter().map(|(definition, tool)| (*definition, tool));
        all.filter(|(definition, _)| {
            let (caller, name) = (&visitor.caller, definition.name);
            caller.may(definition.scope) && caller.may_call(name) && settings.offers(name)
        })
    }

    /// Calls a tool, and puts that on record however it ends.
    async fn recorded(
        &self,
        params: CallToolRequestParams,
        asking: Asking,
    ) -> Result<CallToolResponse, ErrorData> {
        let mut record = Record::begin(&self.calls, &params, &asking);
        let answered = self.do_call(params, asking, &mut record).await;
        record.end(&answered).await;
        answered
    }

    async fn do_call(
        &self,
        params: CallToolRequestParams,
        asking: Asking,
        record: &mut Record,
    ) -> Result<CallToolResponse, ErrorData> {
        let settings = self.settings();
        let args = params.arguments.unwrap_or_default();
        if params.name == search::NAME {
            record.is_of(search::NAME);
            return Ok(found(&settings, &asking.visitor, args)?.into());
        }
        let (definition, args) = match meant(&settings, &params.name, args) {
            Ok(meant) => meant,
            Err(reason) => {
                record.failed(CallOutcome::Error, "unknown_tool");
                return reason.map_or_else(|| Err(unknown(&params.name)), |told| Ok((*told).into()));
            }
        };
        let visitor = &asking.visitor;
        let asked = Asked::new(visitor.caller.clone(), "mcp", visitor.request.clone());
        let as_given = Value::Object(args.clone());
        record.is_of_operation(definition, &self.registry, &as_given);
        if !visitor.caller.may_call(definition.name) {
            record.failed(CallOutcome::Denied, NOT_ALLOWED);
            self.registry.deny(asked, definition, &as_given, NOT_ALLOWED).await;
            return Ok(not_allowed(definition).into());
        }
        let args = match confirmed(definition, args) {
            Ok(args) => args,
            Err(result) => {
                record.failed(CallOutcome::Error, "unconfirmed");
                return Ok((*result).into());
            }
        };
        record.asks(&asked);
        let work = self.registry.call(asked, definition, args);
        let done = attended(&asking, work).await;
        if done.is_err() {
            record.failed(CallOutcome::Cancelled, "cancelled");
        }
        let result = match done? {
            Ok(value) => results::answered(value, settings.result_bytes),
            Err(error) => {
                record.refused(&error);
                results::failed(&error)
            }
        };
        Ok(result.into())
    }
}

/// The code of a call that the list of its caller's key leaves out.
const NOT_ALLOWED: &str = "tool_not_allowed";

fn not_allowed(definition: &Definition) -> CallToolResult {
    results::told(format!(
        "The key's list of tools leaves `{}` out ({NOT_ALLOWED}). Use another key, or have its policy changed.",
        definition.name
    ))
}

/// The operation that is meant by a name, with the arguments as it calls them. Otherwise what is to be told of the name, if
/// anything is known of it.
fn meant(
    settings: &Mcp,
    name: &str,
    args: JsonObject,
) -> Result<(&'static Definition, JsonObject), Option<Box<CallToolResult>>> {
    let offered = |name: &str| tools::named(name).filter(|(definition, _)| settings.offers(definition.name));
    if let Some((definition, _)) = offered(name) {
        return Ok((definition, args));
    }
    let alias = Alias::named(name).filter(|_| settings.aliases).ok_or(None)?;
    match alias.meaning {
        Meaning::Operation(name) => {
            let (definition, _) = offered(name).ok_or(None)?;
            Ok((definition, alias.translated(args)))
        }
        Meaning::Absent(reason) => {
            Err(Some(Box::new(results::told(format!("There is no tool `{}` here: {reason}.", alias.name)))))
        }
    }
}

/// Waits for `work`, tells a client that wants to know that it goes on, and stops when the client does not wait any more.
async fn attended<T>(asking: &Asking, work: impl Future<Output = T>) -> Result<T, ErrorData> {
    let context = &asking.context;
    let token = context.meta.get_progress_token();
    let mut work = Box::pin(work);
    let mut signs = tokio::time::interval(SIGN_OF_LIFE);
    signs.tick().await;
    let mut seconds = 0.0;
    loop {
        tokio::select! {
            done = &mut work => return Ok(done),
            () = context.ct.cancelled() => return Err(ErrorData::internal_error("the call was cancelled", None)),
            _ = signs.tick() => {
                seconds += SIGN_OF_LIFE.as_secs_f64();
                let Some(token) = token.clone() else { continue };
                let progress = ProgressNotificationParam::new(token, seconds)
                    .with_message(format!("at work for {seconds} s"));
                // A client that does not read must not hold the work up.
                drop(tokio::time::timeout(HEARING, context.peer.notify_progress(progress)).await);
            }
        }
    }
}

/// The arguments without the word that allows what cannot be taken back; the result that asks for it, if it is missing.
fn confirmed(definition: &Definition, mut args: JsonObject) -> Result<Value, Box<CallToolResult>> {
    if !definition.hints.destructive {
        return Ok(Value::Object(args));
    }
    let said = args.remove(tools::CONFIRM);
    let args = Value::Object(args);
    if said == Some(Value::Bool(true)) {
        Ok(args)
    } else {
        Err(Box::new(results::unconfirmed(definition, &args)))
    }
}

fn found(settings: &Mcp, visitor: &Visitor, args: JsonObject) -> Result<CallToolResult, ErrorData> {
    let search: search::Search = match serde_json::from_value(Value::Object(args)) {
        Ok(search) => search,
        Err(error) => return Ok(results::told(format!("The arguments could not be read: {error}."))),
    };
    let tools = search.among(Operations::callable(settings, visitor).map(|(_, tool)| tool));
    let value = json!({ "tools": tools });
    let mut result = CallToolResult::success(vec![ContentBlock::text(value.to_string())]);
    result.structured_content = Some(value);
    Ok(result)
}

fn unknown(name: &str) -> ErrorData {
    let name: String = name.chars().take(64).collect();
    ErrorData::invalid_params(
        format!("there is no tool `{name}`; `tools/list` and `search_tools` name them"),
        None,
    )
}

impl Offer for Operations {
    fn about(&self) -> ServerConfig {
        let mut me = Implementation::new("trivium", env!("CARGO_PKG_VERSION"));
        me.title = Some("Trivium".to_owned());
        me.description = Some(env!("CARGO_PKG_DESCRIPTION").to_owned());
        let capabilities = ServerCapabilities::builder().enable_tools().build();
        ServerConfig::new(capabilities).with_server_info(me).with_instructions(INSTRUCTIONS)
    }

    fn tools(&self, visitor: &Visitor) -> Vec<Tool> {
        let settings = self.settings();
        let profile = visitor.profile.unwrap_or(settings.profile);
        let listed = Self::callable(&settings, visitor)
            .filter(|(definition, _)| profile::lists(profile, definition))
            .map(|(_, tool)| tool.clone());
        let search = (profile != ToolProfile::Full).then(|| search::TOOL.clone());
        search.into_iter().chain(listed).collect()
    }

    fn tool(&self, name: &str) -> Option<Tool> {
        if name == search::NAME {
            return Some(search::TOOL.clone());
        }
        tools::named(name).map(|(_, tool)| tool.clone())
    }

    fn call(&self, params: CallToolRequestParams, asking: Asking) -> Later<'_, CallToolResponse> {
        Box::pin(self.recorded(params, asking))
    }

    fn resources(&self, _visitor: &Visitor) -> Vec<Resource> {
        Vec::new()
    }

    fn templates(&self, _visitor: &Visitor) -> Vec<ResourceTemplate> {
        Vec::new()
    }

    fn read(&self, params: ReadResourceRequestParams, _asking: Asking) -> Later<'_, ReadResourceResponse> {
        let error = ErrorData::resource_not_found(format!("there is no resource `{}`", params.uri), None);
        Box::pin(std::future::ready(Err(error)))
    }

    fn prompts(&self, _visitor: &Visitor) -> Vec<Prompt> {
        Vec::new()
    }

    fn prompt(&self, params: GetPromptRequestParams, _asking: Asking) -> Later<'_, GetPromptResponse> {
        let error = ErrorData::invalid_params(format!("there is no prompt `{}`", params.name), None);
        Box::pin(std::future::ready(Err(error)))
    }

    fn complete(&self, _params: CompleteRequestParams, _asking: Asking) -> Later<'_, CompleteResult> {
        Box::pin(std::future::ready(Ok(CompleteResult::default())))
    }

    fn subscribable(&self, _wanted: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        None
    }

    fn listen(&self, subscription: SubscriptionContext) -> Later<'_, ()> {
        Box::pin(async move {
            subscription.cancelled().await;
            Ok(())
        })
    }

    fn subscribe(&self, uri: String, _asking: Asking) -> Later<'_, ()> {
        let error = ErrorData::resource_not_found(format!("there is no resource `{uri}`"), None);
        Box::pin(std::future::ready(Err(error)))
    }

    fn unsubscribe(&self, _uri: String, _asking: Asking) -> Later<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }
}

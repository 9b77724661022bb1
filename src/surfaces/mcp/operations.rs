//! The hub's own offer: its operations as tools.

use std::sync::Arc;

use operations::{
    Definition,
    aliases::{Alias, Meaning},
    mcp::CallOutcome,
};
use rmcp::{
    ErrorData, Peer, RoleServer,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestParams, CompleteResult,
        ContentBlock, GetPromptRequestParams, GetPromptResponse, Implementation, JsonObject, Prompt,
        ReadResourceRequestParams, ReadResourceResponse, Resource, ResourceTemplate, ServerCapabilities,
        ServerConfig, SubscriptionFilter, Tool,
    },
    service::SubscriptionContext,
};
use serde_json::{Value, json};

use super::{
    super::Handles,
    attended::attended,
    changes::Changes,
    completion,
    metadata::Place,
    offer::{Later, Offer},
    profile, prompts,
    record::Record,
    resources::Resources,
    results, search,
    subscriptions::Subscriptions,
    tools,
    visitor::{Asking, Visitor},
};
use crate::{
    engine::{
        Engine,
        settings::{Mcp, ToolProfile},
    },
    observe::events,
    ops::{
        registry::{Asked, Registry},
        tool_calls::ToolCalls,
    },
};

const INSTRUCTIONS: &str = "\
Trivium routes requests to many accounts at many model providers. Ask it how it is (`get_health`), what it can do \
(`list_models`, `list_combos`), what is left (`list_quotas`), where a request would go (`simulate_route`) and why one went \
where it did (`explain_route`). The same can be read as resources (`trivium://health`), and prompts lead through common tasks. Which tools you see depends on the rights of your key; `search_tools` finds those that are \
not listed. What cannot be taken back wants `confirm: true`.";

/// The operations of a hub.
pub(super) struct Operations {
    registry: Arc<Registry>,
    engine: Arc<Engine>,
    calls: Arc<ToolCalls>,
    place: Place,
    resources: Resources,
    subscriptions: Arc<Subscriptions>,
}

impl Operations {
    pub(super) fn new(handles: &Handles) -> Self {
        let (registry, engine) = (Arc::clone(&handles.operations), Arc::clone(&handles.engine));
        let resources = Resources::new(Arc::clone(&engine), Arc::clone(&registry));
        let subscriptions = Subscriptions::new(Changes::new(Arc::clone(&engine)));
        let (calls, place) = (Arc::clone(handles.mcp.calls()), Place::new(handles));
        Self { registry, engine, calls, place, resources, subscriptions }
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
        let as_given = Value::Object(args);
        record.is_of_operation(definition, &self.registry, &as_given);
        if !visitor.caller.may_call(definition.name) {
            record.failed(CallOutcome::Denied, NOT_ALLOWED);
            self.registry.deny(asked, definition, &as_given, NOT_ALLOWED).await;
            return Ok(not_allowed(definition).into());
        }
        // Who may not call it hears that, and not that a word is missing.
        let may = visitor.caller.may(definition.scope);
        let args = match if may { confirmed(definition, as_given) } else { Ok(as_given) } {
            Ok(args) => args,
            Err(result) => {
                record.failed(CallOutcome::Error, "unconfirmed");
                return Ok((*result).into());
            }
        };
        record.asks(&asked);
        let work = attended(&asking.context, |progress| {
            let asked = match progress {
                Some(progress) => asked.with_progress(progress),
                None => asked,
            };
            self.registry.call(asked, definition, args)
        });
        let done = match work.await {
            Ok(done) => done,
            Err(error) => {
                record.failed(CallOutcome::Cancelled, "cancelled");
                return Err(error);
            }
        };
        events::tool_called(definition.name, visitor.transport, &visitor.caller.id, done.is_ok());
        let result = match done {
            Ok(value) => {
                let (shelf, owner) = (&self.resources.shelf, &visitor.caller.id);
                results::answered(value, settings.result_bytes, shelf, owner)
            }
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

/// The arguments without the word that allows what cannot be taken back; the result that asks for it, if it is missing.
fn confirmed(definition: &Definition, mut args: Value) -> Result<Value, Box<CallToolResult>> {
    if !definition.hints.destructive {
        return Ok(args);
    }
    let said = args.as_object_mut().and_then(|args| args.remove(tools::CONFIRM));
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
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_tool_list_changed()
            .enable_resources()
            .enable_resources_list_changed()
            .enable_resources_subscribe()
            .enable_prompts()
            .enable_completions()
            .build();
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

    fn resources(&self, visitor: &Visitor) -> Vec<Resource> {
        self.resources.listed(visitor)
    }

    fn templates(&self, visitor: &Visitor) -> Vec<ResourceTemplate> {
        self.resources.templates(visitor)
    }

    fn read(&self, params: ReadResourceRequestParams, asking: Asking) -> Later<'_, ReadResourceResponse> {
        Box::pin(async move {
            let reading = self.resources.read(&asking.visitor, &params.uri);
            Ok(attended(&asking.context, |_| reading).await??.into())
        })
    }

    fn prompts(&self, _visitor: &Visitor) -> Vec<Prompt> {
        prompts::all()
    }

    fn prompt(&self, params: GetPromptRequestParams, asking: Asking) -> Later<'_, GetPromptResponse> {
        Box::pin(async move {
            let filling = prompts::filled(&self.resources, &self.place, params, &asking);
            Ok(attended(&asking.context, |_| filling).await??.into())
        })
    }

    fn complete(&self, params: CompleteRequestParams, asking: Asking) -> Later<'_, CompleteResult> {
        Box::pin(async move { completion::complete(&self.resources, &asking.visitor, params).await })
    }

    fn subscribable(&self, wanted: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(Subscriptions::known(wanted))
    }

    fn listen(&self, subscription: SubscriptionContext, visitor: Visitor) -> Later<'_, ()> {
        Box::pin(async move { self.subscriptions.stream(&self.resources, &visitor, subscription).await })
    }

    fn began(&self, visitor: Visitor, peer: Peer<RoleServer>) {
        if let Some(session) = &visitor.session {
            self.subscriptions.began(session, peer);
        }
    }

    fn subscribe(&self, uri: String, asking: Asking) -> Later<'_, ()> {
        let (visitor, peer) = (&asking.visitor, &asking.context.peer);
        let done = self.subscriptions.wish(&self.resources, visitor, &uri, peer);
        Box::pin(std::future::ready(done))
    }

    fn unsubscribe(&self, uri: String, asking: Asking) -> Later<'_, ()> {
        self.subscriptions.unwish(&asking.visitor, &uri);
        Box::pin(std::future::ready(Ok(())))
    }
}

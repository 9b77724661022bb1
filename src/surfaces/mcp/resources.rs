//! What can be read: which operations answer for it, and how it is listed. Reading goes through the registry as a tool does,
//! so that rights, ownership and audit are the same.

use std::sync::Arc;

use operations::Definition;
use rmcp::{
    ErrorData,
    model::{
        Annotations, CacheScope, Icon, ReadResourceResult, Resource, ResourceContents, ResourceTemplate, Role,
    },
};
use serde_json::{Map, Value, json};

use super::{
    super::operation::refused,
    address::{Address, written},
    shelf::{Page, Shelf, page},
    visitor::Visitor,
};
use crate::{
    engine::{Engine, settings::Mcp},
    ops::{
        OpError,
        registry::{Asked, Registry},
    },
};

pub(super) const JSON: &str = "application/json";

/// Items of a list that is read as a resource.
const ITEMS: u32 = 500;

/// Combos that are listed one by one. There may be more: they can be read all the same.
const LISTED_COMBOS: usize = 200;

/// Where results are that were too large to be sent.
pub(super) const RESULTS: &str = "results";

/// A kind of resource.
pub(super) struct Kind {
    pub(super) noun: &'static str,
    title: &'static str,
    text: &'static str,
    /// The argument that says which one is meant; `None`: there is one.
    pub(super) which: Option<&'static str>,
    /// The operations that answer, with the key that each has in the text; the first has to be allowed. A single one without a
    /// key is the text itself.
    answers: &'static [(&'static str, &'static str)],
    /// Whether it is a list in pages.
    pages: bool,
    /// How much it matters to an agent, from 0 to 1.
    priority: f32,
    /// How long it may be taken for true, in milliseconds.
    ttl: u64,
    audience: &'static [Role],
}

const BOTH: &[Role] = &[Role::User, Role::Assistant];
const AGENT: &[Role] = &[Role::Assistant];

const LIST: Kind = Kind {
    noun: "",
    title: "",
    text: "",
    which: None,
    answers: &[],
    pages: true,
    priority: 0.5,
    ttl: 60_000,
    audience: BOTH,
};

/// All kinds, in the order in which they are listed.
pub(super) const KINDS: [Kind; 8] = [
    Kind {
        noun: "health",
        title: "Health",
        text: "How connections and hosts stand, and the hub itself. Changes are told.",
        answers: &[("", "get_health")],
        priority: 0.9,
        ttl: 5_000,
        ..LIST
    },
    Kind {
        noun: "quotas",
        title: "Quotas",
        text: "What is used of each window of each connection. Changes are told.",
        answers: &[("", "list_quotas")],
        priority: 0.8,
        ttl: 5_000,
        ..LIST
    },
    Kind {
        noun: "models",
        title: "Models",
        text: "The models that can be asked, and what they are made for.",
        answers: &[("", "list_models")],
        priority: 0.8,
        ..LIST
    },
    Kind {
        noun: "combos",
        title: "Combos",
        text: "The combos, with their definitions.",
        answers: &[("", "list_combos")],
        priority: 0.7,
        ..LIST
    },
    Kind {
        noun: "providers",
        title: "Providers",
        text: "The providers that the hub knows.",
        answers: &[("", "list_providers")],
        priority: 0.4,
        ..LIST
    },
    Kind {
        noun: "combos",
        title: "A combo",
        text: "One combo with its definition.",
        which: Some("id"),
        answers: &[("", "get_combo")],
        pages: false,
        ..LIST
    },
    Kind {
        noun: "requests",
        title: "A request",
        text: "What became of one request, given by the value of x-request-id: what was tried and left out, tokens, cost \
               and times (`trace`), and why it was routed so (`explanation`).",
        which: Some("request_id"),
        answers: &[("trace", "get_trace"), ("explanation", "explain_route")],
        pages: false,
        priority: 0.6,
        ..LIST
    },
    Kind {
        noun: RESULTS,
        title: "A large result",
        text: "A result that was too large to be sent, in pages; for ten minutes, for who asked for it.",
        which: Some("id"),
        pages: false,
        priority: 0.2,
        audience: AGENT,
        ..LIST
    },
];

/// What clients can be told the changes of.
pub(super) const TOLD: [&str; 2] = ["trivium://health", "trivium://quotas"];

impl Kind {
    /// Whether the visitor may read such a thing.
    pub(super) fn is_open(&self, settings: &Mcp, visitor: &Visitor) -> bool {
        self.answers.first().is_none_or(|(_, name)| is_open(settings, visitor, name))
    }

    fn name(&self) -> String {
        self.which.map_or_else(|| self.noun.to_owned(), |_| self.noun.trim_end_matches('s').to_owned())
    }

    /// The pattern of its addresses.
    fn pattern(&self) -> String {
        let variable = if self.noun == "combos" { "name" } else { "id" };
        match self.which {
            Some(_) => format!("{}/{{{variable}}}", written(self.noun, None)),
            None => written(self.noun, None),
        }
    }

    fn listed(&self, uri: String) -> Resource {
        Resource::new(uri, self.name())
            .with_title(self.title)
            .with_description(self.text)
            .with_mime_type(JSON)
            .with_icons(vec![icon()])
            .with_annotations(self.annotations())
    }

    fn template(&self) -> ResourceTemplate {
        ResourceTemplate::new(self.pattern(), self.name())
            .with_title(self.title)
            .with_description(self.text)
            .with_mime_type(JSON)
            .with_icons(vec![icon()])
            .with_annotations(self.annotations())
    }

    fn annotations(&self) -> Annotations {
        Annotations::default().with_audience(self.audience.to_vec()).with_priority(self.priority)
    }
}

/// A sheet of paper.
fn icon() -> Icon {
    let svg = "data:image/svg+xml,%3Csvg%20xmlns='http://www.w3.org/2000/svg'%20viewBox='0%200%2016%2016'%3E%3Cpath%20d='\
               M3%201h7l3%203v11H3zM10%201v3h3M5%207h6M5%2010h6'%20fill='none'%20stroke='gray'/%3E%3C/svg%3E";
    let mut icon = Icon::new(svg);
    icon.mime_type = Some("image/svg+xml".to_owned());
    icon
}

/// Whether the visitor may call an operation.
pub(super) fn is_open(settings: &Mcp, visitor: &Visitor, name: &str) -> bool {
    Definition::named(name).is_some_and(|definition| {
        let caller = &visitor.caller;
        caller.may(definition.scope) && caller.may_call(name) && settings.offers(name)
    })
}

/// The kind of an address.
pub(super) fn kind(address: &Address) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.noun == address.noun && kind.which.is_some() == address.which.is_some())
}

/// What can be read, and how.
pub(super) struct Resources {
    engine: Arc<Engine>,
    registry: Arc<Registry>,
    pub(super) shelf: Shelf,
}

impl Resources {
    pub(super) fn new(engine: Arc<Engine>, registry: Arc<Registry>) -> Self {
        Self { engine, registry, shelf: Shelf::default() }
    }

    pub(super) fn settings(&self) -> Arc<Mcp> {
        Arc::clone(&self.engine.snapshot().settings.mcp)
    }

    /// What there is for this visitor, combos one by one.
    pub(super) fn listed(&self, visitor: &Visitor) -> Vec<Resource> {
        let snapshot = self.engine.snapshot();
        let settings = &snapshot.settings;
        let open = KINDS.iter().filter(|kind| kind.is_open(&settings.mcp, visitor));
        let (many, single): (Vec<_>, Vec<_>) = open.partition(|kind| kind.which.is_some());
        let mut listed: Vec<_> =
            single.into_iter().map(|kind| kind.listed(written(kind.noun, None))).collect();
        for kind in many.into_iter().filter(|kind| kind.noun == "combos") {
            listed.extend(settings.combos.iter().take(LISTED_COMBOS).map(|combo| {
                let mut resource = kind.listed(written(kind.noun, Some(&combo.id)));
                resource.name = combo.id.to_string();
                resource.title = Some(format!("Combo {}", combo.id));
                resource.description = combo.description.clone().or(resource.description);
                resource
            }));
        }
        listed
    }

    /// The patterns that this visitor may fill in.
    pub(super) fn templates(&self, visitor: &Visitor) -> Vec<ResourceTemplate> {
        let settings = self.settings();
        let many = KINDS.iter().filter(|kind| kind.which.is_some() && kind.is_open(&settings, visitor));
        many.map(Kind::template).collect()
    }

    /// Reads a resource.
    pub(super) async fn read(&self, visitor: &Visitor, uri: &str) -> Result<ReadResourceResult, ErrorData> {
        let most = self.settings().result_bytes;
        let address = Address::read(uri).ok_or_else(|| unknown(uri))?;
        let kind = kind(&address).ok_or_else(|| unknown(uri))?;
        let contents = if let Some(id) = address.which.as_deref().filter(|_| kind.noun == RESULTS) {
            let text = self.shelf.get(&visitor.caller.id, id).ok_or_else(|| unknown(uri))?;
            let from = address.said("offset").map_or(Ok(0), str::parse).map_err(|_| no_offset(text.len()))?;
            let page = page(&text, from, most).ok_or_else(|| no_offset(text.len()))?;
            contents(uri, id, page)
        } else {
            let text = self.answer(visitor, kind, &address, uri).await?;
            self.fit(visitor, uri, text, most)?
        };
        Ok(ReadResourceResult::new(contents).with_ttl_ms(kind.ttl).with_cache_scope(CacheScope::Private))
    }

    /// All of a resource that there is one of, however long.
    pub(super) async fn text(&self, visitor: &Visitor, uri: &str) -> Result<String, ErrorData> {
        let address = Address::read(uri).ok_or_else(|| unknown(uri))?;
        let kind = kind(&address).filter(|kind| kind.which.is_none()).ok_or_else(|| unknown(uri))?;
        self.answer(visitor, kind, &address, uri).await
    }

    /// A text as it is, or the first page of it with the rest on the shelf.
    fn fit(
        &self,
        visitor: &Visitor,
        uri: &str,
        text: String,
        most: usize,
    ) -> Result<Vec<ResourceContents>, ErrorData> {
        if text.len() <= most {
            return Ok(vec![ResourceContents::text(text, uri).with_mime_type(JSON)]);
        }
        let id = self.shelf.put(&visitor.caller.id, text.as_str());
        let first = page(&text, 0, most);
        match (id, first) {
            (Some(id), Some(first)) => Ok(contents(uri, &id, first)),
            _ => Err(ErrorData::internal_error("it is too large to be read", None)),
        }
    }

    /// What the operations of a kind answer, as text.
    async fn answer(
        &self,
        visitor: &Visitor,
        kind: &Kind,
        address: &Address,
        uri: &str,
    ) -> Result<String, ErrorData> {
        let settings = self.settings();
        let mut args = Map::new();
        if let (Some(name), Some(which)) = (kind.which, &address.which) {
            args.insert(name.to_owned(), which.as_str().into());
        }
        if kind.pages {
            args.insert("limit".to_owned(), ITEMS.into());
            args.extend(address.said("cursor").map(|cursor| ("cursor".to_owned(), cursor.into())));
        }
        let mut whole = Map::new();
        for (nth, (key, name)) in kind.answers.iter().enumerate() {
            if nth > 0 && !is_open(&settings, visitor, name) {
                continue;
            }
            if !settings.offers(name) || !visitor.caller.may_call(name) {
                return Err(unknown(uri));
            }
            let answer = self.call(visitor, name, Value::Object(args.clone())).await;
            let answer = answer.map_err(|error| told(&error, uri))?;
            if key.is_empty() {
                return Ok(answer.to_string());
            }
            whole.insert((*key).to_owned(), answer);
        }
        Ok(Value::Object(whole).to_string())
    }

    /// Calls an operation for this visitor.
    pub(super) async fn call(&self, visitor: &Visitor, name: &str, args: Value) -> Result<Value, OpError> {
        let missing = || OpError::NotFound { noun: "operation", name: name.to_owned() };
        let definition = Definition::named(name).ok_or_else(missing)?;
        let asked = Asked::new(visitor.caller.clone(), "mcp", visitor.request.clone());
        self.registry.call(asked, definition, args).await
    }
}

/// A page, and beside it where the next one is, for who reads texts alone.
fn contents(uri: &str, id: &str, page: Page) -> Vec<ResourceContents> {
    let whole = page.from == 0 && page.next.is_none();
    let (from, bytes) = (page.from, page.bytes);
    let end = from + page.text.len();
    let next = page.next.map(|next| format!("{}?offset={next}", written(RESULTS, Some(id))));
    let mut meta = rmcp::model::MetaObject::default();
    let facts = json!({ "offset": from, "bytes": bytes, "next": next });
    meta.insert("trivium/page".to_owned(), facts);
    // A piece of JSON is none.
    let kind = if whole { JSON } else { "text/plain" };
    let mut contents = vec![ResourceContents::text(page.text, uri).with_mime_type(kind).with_meta(meta)];
    if let Some(next) = next {
        let note = format!("These were the bytes {from} to {end} of {bytes}. The next page is {next}");
        contents.push(ResourceContents::text(note, next));
    }
    contents
}

fn unknown(uri: &str) -> ErrorData {
    let uri: String = uri.chars().take(256).collect();
    ErrorData::resource_not_found(
        format!("there is no resource `{uri}`; `resources/list` and `resources/templates/list` name them"),
        Some(json!({ "uri": uri })),
    )
}

fn no_offset(bytes: usize) -> ErrorData {
    let text = format!(
        "no page begins at that offset; the result has {bytes} bytes, and each page says where the next begins"
    );
    ErrorData::invalid_params(text, None)
}

/// Why a resource could not be read.
fn told(error: &OpError, uri: &str) -> ErrorData {
    if matches!(error, OpError::NotFound { .. }) {
        return unknown(uri);
    }
    let refusal = refused(error);
    let text = format!("{} ({}) {}", refusal.message, refusal.code.as_str(), refusal.code.remedy());
    let data = Some(json!({ "code": refusal.code.as_str() }));
    match error {
        OpError::Store(_) | OpError::NoEntropy(_) | OpError::Interrupted => {
            ErrorData::internal_error(text, data)
        }
        _ => ErrorData::invalid_params(text, data),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_answered_by_operations_that_only_look() {
        for kind in &KINDS {
            for (_, name) in kind.answers {
                let definition = Definition::named(name);
                assert!(definition.is_some_and(|definition| definition.hints.read_only), "{name}");
            }
            assert!(!kind.answers.is_empty() || kind.noun == RESULTS, "{}", kind.noun);
        }
    }
}

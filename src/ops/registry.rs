//! One way through all operations: rights, arguments, execution, audit. Surfaces know an operation by its name and carry
//! arguments and results as JSON; who executes it was bound here once.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_core::future::BoxFuture;
use operations::{Definition, Operation, audit::AuditOutcome};
use serde_json::{Value, json};
use tokio::{runtime::Handle, task::JoinHandle};

use super::{
    OpError,
    error::require,
    ports::{AuditLog, Configuration, EntryDetail, NewEntry, Progress},
};
use crate::{
    engine::{caller::Caller, ports::Clock},
    observe::events,
};

/// Bytes of arguments, as JSON, that an entry keeps of what was done, and of what failed. Of what was denied it keeps none:
/// anybody with a key can be denied something, as often as they like.
const DONE: usize = 64 * 1024;
const FAILED: usize = 4 * 1024;

/// Bytes of the name of what something was about. PostgreSQL's indexes take no texts of any length.
const TARGET: usize = 256;

/// Who asks, and by which way.
#[derive(Clone)]
pub struct Asked {
    /// Who.
    pub caller: Caller,
    /// The surface that the request came in by: `rest`, `cli`, `mcp`, `a2a` or `dashboard`; `hub` where nobody asked.
    pub surface: &'static str,
    /// The request's id.
    pub request_id: Option<Arc<str>>,
    /// Who listens while it is worked on, if anybody does.
    pub progress: Option<Arc<dyn Progress>>,
    definition: Option<&'static Definition>,
    noted: Arc<AtomicBool>,
    caused: Arc<Mutex<Vec<String>>>,
}

/// Ids of requests that one operation tells of. A combo has fewer targets.
const MOST_CAUSED: usize = 64;

impl Asked {
    /// Who asks, and by which way.
    #[must_use]
    pub fn new(caller: Caller, surface: &'static str, request_id: Option<Arc<str>>) -> Self {
        let (noted, caused) = (Arc::default(), Arc::default());
        Self { caller, surface, request_id, progress: None, definition: None, noted, caused }
    }

    /// The same, with somebody who listens while it is worked on.
    #[must_use]
    pub fn with_progress(self, progress: Arc<dyn Progress>) -> Self {
        Self { progress: Some(progress), ..self }
    }

    /// Says that a request to a model was made for this.
    pub(super) fn caused(&self, request_id: &str) {
        let mut caused = self.caused.lock().unwrap_or_else(PoisonError::into_inner);
        if caused.len() < MOST_CAUSED {
            caused.push(request_id.to_owned());
        }
    }

    /// The ids of requests to models that were made for this, or for a copy of it.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.caused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The entry of a change whose parts are known.
    pub(super) fn changed(
        &self,
        at: i64,
        target: &str,
        before: Option<Value>,
        after: Option<Value>,
    ) -> NewEntry {
        let detail = EntryDetail { before, after, can_undo: true, ..EntryDetail::default() };
        self.entry(at, Some(target), AuditOutcome::Done, detail)
    }

    /// Says that the entry of this was written already.
    pub(super) fn noted(&self) {
        self.noted.store(true, Ordering::Relaxed);
    }

    fn entry(&self, at: i64, target: Option<&str>, outcome: AuditOutcome, detail: EntryDetail) -> NewEntry {
        let definition = self.definition;
        NewEntry {
            at,
            caller: Arc::clone(&self.caller.id),
            caller_name: Arc::clone(&self.caller.name),
            operation: definition.map_or("", |definition| definition.name),
            outcome,
            target: target.map(named),
            detail: EntryDetail {
                address: self.caller.address.map(|address| address.to_string()),
                surface: self.surface.to_owned(),
                request_id: self.request_id.as_deref().map(str::to_owned),
                scope: definition.map_or_else(String::new, |definition| definition.scope.to_string()),
                ..detail
            },
        }
    }
}

type Executor = Box<dyn Fn(Asked, Value) -> BoxFuture<'static, Result<Value, OpError>> + Send + Sync>;

/// Every operation with who executes it.
pub struct Registry {
    executors: HashMap<&'static str, (Definition, Executor)>,
    log: Arc<dyn AuditLog>,
    configuration: Arc<dyn Configuration>,
    clock: Arc<dyn Clock>,
}

impl Registry {
    /// Nothing yet.
    #[must_use]
    pub fn new(log: Arc<dyn AuditLog>, configuration: Arc<dyn Configuration>, clock: Arc<dyn Clock>) -> Self {
        Self { executors: HashMap::new(), log, configuration, clock }
    }

    /// Binds an operation to who executes it.
    pub fn bind<O, F, Done>(&mut self, execute: F)
    where
        O: Operation,
        O::Args: Send + 'static,
        F: Fn(Asked, O::Args) -> Done + Send + Sync + 'static,
        Done: Future<Output = Result<O::Result, OpError>> + Send + 'static,
    {
        let execute = move |asked: Asked, args: Value| -> BoxFuture<'static, Result<Value, OpError>> {
            let args = serde_json::from_value::<O::Args>(args)
                .map_err(|error| OpError::Malformed(error.to_string()))
                .and_then(|args| Ok(O::check(args)?));
            match args {
                Ok(args) => {
                    let done = execute(asked, args);
                    Box::pin(async move { told(&done.await?) })
                }
                Err(error) => Box::pin(std::future::ready(Err(error))),
            }
        };
        self.executors.insert(O::NAME, (Definition::of::<O>(), Box::new(execute)));
    }

    /// The operations that nobody executes. For the composition to see that there are none.
    #[must_use]
    pub fn unbound(&self) -> Vec<&'static str> {
        let all = Definition::all().iter().map(|definition| definition.name);
        all.filter(|name| !self.executors.contains_key(name)).collect()
    }

    /// Executes an operation. What changes something leaves an entry in the audit log, and so does what is denied. Dropping
    /// this gives up what only looks or [ends with its caller](Operation::ENDS_WITH_CALLER); anything else goes on to its end.
    ///
    /// # Errors
    /// [`OpError`].
    pub async fn call(
        self: &Arc<Self>,
        asked: Asked,
        definition: &'static Definition,
        args: Value,
    ) -> Result<Value, OpError> {
        if definition.hints.read_only {
            return self.execute(asked, definition, args).await;
        }
        if definition.ends_with_caller {
            return self.execute_while_wanted(asked, definition, args).await;
        }
        // To its end even if the caller leaves: what was done is to be noted.
        let registry = Arc::clone(self);
        let done = tokio::spawn(async move { registry.execute(asked, definition, args).await });
        done.await.unwrap_or(Err(OpError::Interrupted))
    }

    /// Notes that an operation was denied for another reason than a scope; `code` says which.
    pub async fn deny(
        &self,
        asked: Asked,
        definition: &'static Definition,
        args: &Value,
        code: &'static str,
    ) {
        let asked = Asked { definition: Some(definition), ..asked };
        let shown = self.shown(definition, args);
        self.note(&asked, definition, shown, (AuditOutcome::Denied, Some(code))).await;
    }

    async fn execute(
        &self,
        asked: Asked,
        definition: &'static Definition,
        args: Value,
    ) -> Result<Value, OpError> {
        let asked = Asked { definition: Some(definition), ..asked };
        let shown = self.shown(definition, &args);
        let done = self.perform(&asked, definition, args).await;
        let denied = matches!(done, Err(OpError::Forbidden { .. }));
        if (denied || !definition.hints.read_only) && !asked.noted.load(Ordering::Relaxed) {
            self.note(&asked, definition, shown, ended(done.as_ref().err())).await;
        }
        done
    }

    /// The same for what ends when its caller leaves; that leaves an entry too.
    async fn execute_while_wanted(
        self: &Arc<Self>,
        asked: Asked,
        definition: &'static Definition,
        args: Value,
    ) -> Result<Value, OpError> {
        let asked = Asked { definition: Some(definition), ..asked };
        let shown = self.shown(definition, &args);
        let work = Work { registry: Arc::clone(self), asked: asked.clone(), definition, shown: Some(shown) };
        let done = self.perform(&asked, definition, args).await;
        if let Some(noting) = work.end(ended(done.as_ref().err())) {
            // It fails only when the runtime stops.
            drop(noting.await);
        }
        done
    }

    async fn perform(&self, asked: &Asked, definition: &Definition, args: Value) -> Result<Value, OpError> {
        require(&asked.caller, definition.scope)?;
        match self.executors.get(definition.name) {
            Some((_, execute)) => execute(asked.clone(), args).await,
            None => Err(OpError::NotFound { noun: "operation", name: definition.name.to_owned() }),
        }
    }

    async fn note(&self, asked: &Asked, definition: &Definition, args: Value, (outcome, error): Ended) {
        let named = definition.route.parameters().next().unwrap_or("name");
        let target =
            args.get(named).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        let arguments = kept(args, outcome);
        let detail = EntryDetail { error: error.map(str::to_owned), arguments, ..EntryDetail::default() };
        let entry = asked.entry(self.clock.now(), target.as_deref(), outcome, detail);
        if self.log.append(entry).await.is_err() {
            events::audit_failed(definition.name, &asked.caller.id);
        }
    }

    /// The arguments without secrets, and without what people say.
    #[must_use]
    pub fn shown(&self, definition: &Definition, args: &Value) -> Value {
        let mut args = args.as_object().cloned().unwrap_or_default();
        for name in definition.words {
            if let Some(value) = args.get_mut(*name) {
                *value = format!("[{} bytes]", value.to_string().len()).into();
            }
        }
        Value::Object(self.configuration.masked(&args))
    }
}

/// How something ended, and the error's code.
type Ended = (AuditOutcome, Option<&'static str>);

fn ended(error: Option<&OpError>) -> Ended {
    let outcome = match error {
        None => AuditOutcome::Done,
        Some(OpError::Forbidden { .. }) => AuditOutcome::Denied,
        Some(_) => AuditOutcome::Failed,
    };
    (outcome, error.map(OpError::code))
}

/// A caller's text as the name of what something was about: short, and without what PostgreSQL does not take in a text.
fn named(target: &str) -> String {
    let mut target = target.replace('\0', "\u{fffd}");
    target.truncate(target.floor_char_boundary(TARGET));
    target
}

/// The arguments that an entry keeps.
fn kept(args: Value, outcome: AuditOutcome) -> Option<Value> {
    let most = match outcome {
        AuditOutcome::Done => DONE,
        AuditOutcome::Failed => FAILED,
        AuditOutcome::Denied => return None,
    };
    let bytes = args.to_string().len();
    Some(if bytes > most { json!({ "omitted_bytes": bytes }) } else { args })
}

/// Something that is worked on for as long as its caller wants it. Dropped before its end, it is noted as given up.
struct Work {
    registry: Arc<Registry>,
    asked: Asked,
    definition: &'static Definition,
    shown: Option<Value>,
}

impl Work {
    /// Notes how it ended.
    fn end(mut self, ended: Ended) -> Option<JoinHandle<()>> {
        self.note(ended)
    }

    /// On a task of its own: nobody who leaves now can leave the entry out.
    fn note(&mut self, ended: Ended) -> Option<JoinHandle<()>> {
        let shown = self.shown.take()?;
        let (registry, asked, definition) = (Arc::clone(&self.registry), self.asked.clone(), self.definition);
        let note = async move { registry.note(&asked, definition, shown, ended).await };
        Some(Handle::try_current().ok()?.spawn(note))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        drop(self.note((AuditOutcome::Failed, Some("cancelled"))));
    }
}

/// A result as JSON.
fn told(result: &impl serde::Serialize) -> Result<Value, OpError> {
    serde_json::to_value(result).map_err(|error| OpError::Store(Box::new(error)))
}

//! Operations on connections in daily life: tests, discovery of models, and what is shown of them.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use operations::{
    accounts::{
        AcceptModels, ConnectionTested, DiscoverModels, Discovered, ModelsAccepted, TestConnection, TestStep,
    },
    documents::{DocumentView, NameDocument, PutDocument, UpdateDocument, connections, settings},
    models::{HiddenModels, ModelVisibility},
};
use serde_json::Value;
use tokio::time::Instant;

use super::{OpError, documents::Documents, ports::Prober, registry::Asked};
use crate::engine::{
    Engine,
    fault::{Fault, FaultKind, Scope},
    settings::{Connection, Timeouts},
};

/// The setting that hides models.
pub(super) const HIDDEN: &str = "routing.hidden";

/// Most entries of it.
const MOST_HIDDEN: usize = 5000;

/// Executes the operations on connections in daily life.
pub struct Accounts {
    engine: Arc<Engine>,
    documents: Arc<Documents>,
    prober: Arc<dyn Prober>,
}

impl Accounts {
    /// The operations on the connections of an engine, which `prober` can ask.
    #[must_use]
    pub const fn new(engine: Arc<Engine>, documents: Arc<Documents>, prober: Arc<dyn Prober>) -> Self {
        Self { engine, documents, prober }
    }

    /// Tries whether a connection works.
    ///
    /// # Errors
    /// When there is no such connection. That it does not work is no error.
    pub async fn test(&self, args: TestConnection) -> Result<ConnectionTested, OpError> {
        let connection = self.connection(&args.id)?;
        let connect = self.timeouts().connect;
        let mut test = Report(ConnectionTested { id: args.id, works: true, ..ConnectionTested::default() });
        for one in self.prober.reach(Arc::clone(&connection), connect).await {
            test.step(one.step, Some(one.took), one.error.map_or(Ok(None), Err));
        }
        if !test.0.works {
            return Ok(test.0);
        }
        if args.model.is_none() {
            let began = Instant::now();
            match self.prober.models(Arc::clone(&connection), connect).await {
                Ok(models) => {
                    test.0.listed = Some(u32::try_from(models.len()).unwrap_or(u32::MAX));
                    let found = format!("the provider lists {} models", models.len());
                    test.step("auth", Some(began.elapsed()), Ok(Some(found)));
                    return Ok(test.0);
                }
                Err(fault) if is_of_account(&fault) => {
                    test.step("auth", Some(began.elapsed()), Err(words(&fault)));
                    return Ok(test.0);
                }
                // Not every provider has such a list.
                Err(_) => {}
            }
        }
        let model = args.model.or_else(|| connection.models.listed.first().map(ToString::to_string));
        match model {
            Some(model) => self.ask(&mut test, connection, model).await,
            None => {
                let error = "the provider has no list of models, and the connection lists none: name a model";
                test.step("model", None, Err(error.to_owned()));
            }
        }
        Ok(test.0)
    }

    /// Puts a short question to a model.
    async fn ask(&self, test: &mut Report, connection: Arc<Connection>, model: String) {
        test.0.model = Some(model.clone());
        let began = Instant::now();
        match self.prober.ask(connection, model, self.timeouts()).await {
            Ok(answer) => {
                test.step("auth", None, Ok(None));
                test.step("model", Some(began.elapsed()), Ok(Some("it answers".to_owned())));
                test.0.input_tokens = answer.input_tokens;
                test.0.output_tokens = answer.output_tokens;
            }
            Err(fault) if is_of_account(&fault) => {
                test.step("auth", Some(began.elapsed()), Err(words(&fault)));
            }
            Err(fault) => {
                if fault.status.is_some() {
                    test.step("auth", None, Ok(None));
                }
                test.step("model", Some(began.elapsed()), Err(words(&fault)));
            }
        }
    }

    /// Compares the provider's list of models with the connection's.
    ///
    /// # Errors
    /// When there is no such connection, or its provider gives no list.
    pub async fn discover(&self, args: DiscoverModels) -> Result<Discovered, OpError> {
        let connection = self.connection(&args.id)?;
        let connect = self.timeouts().connect;
        let found = self.prober.models(Arc::clone(&connection), connect).await.map_err(|fault| {
            OpError::Conflict(format!("the provider gives no list of models: {}", words(&fault)))
        })?;
        let listed: BTreeSet<&str> = connection.models.listed.iter().map(|model| &**model).collect();
        let served: BTreeSet<&str> = found.iter().map(String::as_str).collect();
        let owned = |names: BTreeSet<&&str>| names.into_iter().map(|name| (*name).to_owned()).collect();
        Ok(Discovered {
            id: args.id,
            known: owned(listed.intersection(&served).collect()),
            new: owned(served.difference(&listed).collect()),
            gone: owned(listed.difference(&served).collect()),
        })
    }

    /// Takes models into the list of a connection.
    ///
    /// # Errors
    /// When there is no such connection, or the file declares it.
    pub async fn accept(&self, asked: &Asked, args: AcceptModels) -> Result<ModelsAccepted, OpError> {
        let connection = self.connection(&args.id)?;
        let document = self.documents.get(&connections::NOUN, NameDocument { id: args.id.clone() })?;
        let mut models = written(&document, &connection);
        let mut known: BTreeSet<String> = models.iter().filter_map(name_of).collect();
        let fresh = args.models.into_iter().filter(|model| known.insert(model.clone()));
        let accepted: Vec<String> = fresh.collect();
        models.extend(accepted.iter().cloned().map(Value::from));
        let count = u32::try_from(models.len()).unwrap_or(u32::MAX);
        let changes = [("models".to_owned(), Value::Array(models))].into_iter().collect();
        let update = UpdateDocument { id: args.id, changes, version: Some(document.version) };
        let view = self.documents.update(&connections::NOUN, asked, update).await?;
        Ok(ModelsAccepted { id: view.id, accepted, models: count, version: view.version })
    }

    /// The list of a connection with one more model, as it would be written; `None` where there is no such connection.
    pub(super) fn models_with(&self, id: &str, model: &str) -> Option<Vec<Value>> {
        let connection = self.connection(id).ok()?;
        let document = self.documents.get(&connections::NOUN, NameDocument { id: id.to_owned() }).ok()?;
        let mut models = written(&document, &connection);
        models.push(model.into());
        Some(models)
    }

    /// Hides a model.
    ///
    /// # Errors
    /// When the file says what is hidden, or too much is.
    pub async fn hide(&self, asked: &Asked, args: ModelVisibility) -> Result<HiddenModels, OpError> {
        let entry = entry(args);
        let mut hidden = self.hidden();
        if hidden.contains(&entry) {
            return Ok(HiddenModels { hidden });
        }
        if hidden.len() >= MOST_HIDDEN {
            return Err(OpError::Conflict(format!("at most {MOST_HIDDEN} entries can be hidden; use `*`")));
        }
        hidden.push(entry);
        self.put_hidden(asked, hidden).await
    }

    /// Shows a model that was hidden.
    ///
    /// # Errors
    /// When it is not hidden by an entry of its own, or the file says what is hidden.
    pub async fn show(&self, asked: &Asked, args: ModelVisibility) -> Result<HiddenModels, OpError> {
        let entry = entry(args);
        let mut hidden = self.hidden();
        let before = hidden.len();
        hidden.retain(|one| *one != entry);
        if hidden.len() == before {
            return Err(OpError::NotFound { noun: "hidden model", name: entry });
        }
        self.put_hidden(asked, hidden).await
    }

    fn hidden(&self) -> Vec<String> {
        self.engine.snapshot().settings.routing.hidden.written().to_vec()
    }

    async fn put_hidden(&self, asked: &Asked, hidden: Vec<String>) -> Result<HiddenModels, OpError> {
        let there = self.documents.get(&settings::NOUN, NameDocument { id: HIDDEN.to_owned() });
        // What somebody else changed meanwhile is not undone by this.
        let version = there.map_or(0, |document| document.version);
        let definition = [("value".to_owned(), Value::from(hidden.clone()))].into_iter().collect();
        let put = PutDocument { id: HIDDEN.to_owned(), definition, version: Some(version) };
        self.documents.put(&settings::NOUN, asked, put).await?;
        Ok(HiddenModels { hidden })
    }

    fn timeouts(&self) -> Timeouts {
        self.engine.snapshot().settings.timeouts.clone()
    }

    /// One that can be asked: those that are switched off, or have no key, are not in use.
    fn connection(&self, id: &str) -> Result<Arc<Connection>, OpError> {
        let snapshot = self.engine.snapshot();
        let found = snapshot.settings.connections.iter().find(|one| *one.id == *id).cloned();
        found.ok_or_else(|| OpError::NotFound { noun: "connection in use", name: id.to_owned() })
    }
}

/// A test in the making.
struct Report(ConnectionTested);

impl Report {
    fn step(&mut self, step: &str, took: Option<Duration>, done: Result<Option<String>, String>) {
        let works = done.is_ok();
        if !works {
            self.0.works = false;
            self.0.failed = Some(step.to_owned());
        }
        let took_ms = took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        let message = done.unwrap_or_else(Some);
        self.0.steps.push(TestStep { step: step.to_owned(), works, took_ms, message });
    }
}

/// Whether a failure speaks of the account rather than of a model or the way. A limit that is used up proves the key.
fn is_of_account(fault: &Fault) -> bool {
    let refused = fault.kind.scope() == Scope::Connection && fault.kind != FaultKind::RateLimited;
    refused || fault.kind == FaultKind::NoToken
}

fn words(fault: &Fault) -> String {
    format!("{}: {}", fault.kind, fault.message)
}

/// The list that a definition writes. Without one the connection has the catalogue's: that is what is added to.
fn written(document: &DocumentView, connection: &Connection) -> Vec<Value> {
    let written = document.definition.get("models").and_then(Value::as_array).cloned();
    let listed = || connection.models.listed.iter().map(|model| Value::from(model.to_string())).collect();
    written.unwrap_or_else(listed)
}

fn name_of(model: &Value) -> Option<String> {
    model.as_str().or_else(|| model.get("id")?.as_str()).map(str::to_owned)
}

fn entry(args: ModelVisibility) -> String {
    match args.connection {
        Some(connection) => format!("{connection}/{}", args.model),
        None => args.model,
    }
}

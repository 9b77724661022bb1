//! Finds out about connections what their owners would otherwise learn from failing requests, and suggests what to do about it.
//! What one connection's provider says is found out in `examine`, where else a list may be is guessed in `ways`, what becomes of
//! findings is in `settle`, and when the hub does this by itself in `upkeep`. People decide; the hub itself hides models that are
//! gone for certain, where its owner lets it, and deletes nothing.

mod examine;
mod settle;
mod upkeep;
mod ways;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_core::future::BoxFuture;
use futures_util::StreamExt;
use operations::{
    accounts::AcceptModels,
    diagnosis::{
        DiagnoseConnections, DiagnosisReport, DiagnosisRun, ListSuggestions, MAX_REPORTED, NameSuggestion,
        SuggestedChange, SuggestionKind, SuggestionPage, SuggestionState, SuggestionView,
    },
    documents::{UpdateDocument, connections},
    models::ModelVisibility,
};
use serde_json::Value;
use tokio::{
    sync::{Mutex as Turns, watch},
    time::{Instant, timeout_at},
};

use self::examine::{Examined, Examiner, entry, rest};
use super::{
    OpError,
    accounts::Accounts,
    documents::Documents,
    page::page,
    ports::{Prober, Suggestion, SuggestionStore, SuggestionStoreError},
    registry::Asked,
};
use crate::engine::{Engine, settings::Connection};

/// Hosts that are asked at the same time.
const AT_ONCE: usize = 4;

/// The longest that a diagnosis takes. What it did not come to is counted, and comes first next time.
const LONGEST: Duration = Duration::from_secs(240);

/// Executes the operations on suggestions.
pub struct Diagnosis {
    engine: Arc<Engine>,
    documents: Arc<Documents>,
    accounts: Arc<Accounts>,
    prober: Arc<dyn Prober>,
    store: Arc<dyn SuggestionStore>,
    /// Taken by whoever reads suggestions to change them.
    turns: Turns<()>,
    /// Taken by the diagnosis that is under way.
    running: Turns<()>,
    /// The connections that the last one did not come to.
    behind: Mutex<HashSet<Arc<str>>>,
    /// What the last one did.
    last: Mutex<Option<DiagnosisRun>>,
    /// Of the changes that the last look at each connection found: the connection, and the account that was asked.
    vouched: Mutex<HashMap<String, (String, u64)>>,
    stop: watch::Sender<bool>,
}

impl Diagnosis {
    /// The operations on the connections of an engine, whose providers `prober` can ask.
    #[must_use]
    pub fn new(
        engine: Arc<Engine>,
        documents: Arc<Documents>,
        accounts: Arc<Accounts>,
        prober: Arc<dyn Prober>,
        store: Arc<dyn SuggestionStore>,
    ) -> Self {
        Self {
            engine,
            documents,
            accounts,
            prober,
            store,
            turns: Turns::default(),
            running: Turns::default(),
            behind: Mutex::default(),
            last: Mutex::default(),
            vouched: Mutex::default(),
            stop: watch::Sender::new(false),
        }
    }

    /// Ends the diagnosis that is under way: the hub stops.
    pub fn close(&self) {
        self.stop.send_replace(true);
    }

    /// Asks the providers.
    ///
    /// # Errors
    /// When there is no such connection, another diagnosis is under way, the store fails, or the hub stops.
    pub async fn run(&self, args: DiagnoseConnections) -> Result<DiagnosisReport, OpError> {
        let under_way =
            || OpError::Conflict("a diagnosis is under way already; wait for it to end".to_owned());
        let running = self.running.try_lock().map_err(|_| under_way())?;
        let mut connections = self.engine.snapshot().settings.connections.clone();
        if let Some(id) = args.connection {
            connections.retain(|one| *one.id == *id);
            if connections.is_empty() {
                return Err(OpError::NotFound { noun: "connection in use", name: id });
            }
        }
        let began_at = self.engine.clock().now();
        let mut stop = self.stop.subscribe();
        let (examined, unfinished) = tokio::select! {
            examined = self.examine(&connections) => examined?,
            _ = stop.wait_for(|stops| *stops) => return Err(OpError::Interrupted),
        };
        let left_out = self.settle(&examined).await?;
        let ended_at = self.engine.clock().now();
        let asked: HashSet<&str> = examined.iter().map(|one| one.told.id.as_str()).collect();
        let mut open = self.all().await?;
        open.retain(|one| one.state == SuggestionState::Open && asked.contains(one.connection.as_str()));
        open.sort_by_key(|one| settle::is_offer(one.kind));
        let suggestions = open.iter().take(MAX_REPORTED).map(|one| self.view(one)).collect();
        let connections = examined.into_iter().map(|one| one.told).collect();
        let run = DiagnosisRun { began_at, ended_at, connections, unfinished, left_out };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(run.clone());
        drop(running);
        Ok(DiagnosisReport { run, suggestions })
    }

    /// Examines connections, those at one host one after the other; says how many there was no time for.
    async fn examine(&self, connections: &[Arc<Connection>]) -> Result<(Vec<Examined>, u32), OpError> {
        let retired = settle::retired(&self.all().await?);
        let examiner = Examiner { engine: &self.engine, prober: &*self.prober, retired: &retired };
        let mut hosts: BTreeMap<String, Vec<Arc<Connection>>> = BTreeMap::new();
        let behind = self.behind.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut ordered: Vec<_> = connections.iter().collect();
        ordered.sort_by_key(|one| !behind.contains(&one.id));
        for connection in ordered {
            let base = connection.endpoints.values().next().map_or("", String::as_str);
            hosts.entry(ways::host(base)).or_default().push(Arc::clone(connection));
        }
        let done = Mutex::new(Vec::with_capacity(connections.len()));
        let turns: Vec<_> = hosts.into_values().map(|here| one_by_one(&examiner, here, &done)).collect();
        let mut turns = futures_util::stream::iter(turns).buffer_unordered(AT_ONCE);
        let end = Instant::now() + LONGEST;
        while let Ok(Some(())) = timeout_at(end, turns.next()).await {}
        drop(turns);
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by(|one, other| one.told.id.cmp(&other.told.id));
        let came: HashSet<&str> = done.iter().map(|one| one.told.id.as_str()).collect();
        let left = connections.iter().filter(|one| !came.contains(&*one.id)).map(|one| Arc::clone(&one.id));
        let left: HashSet<Arc<str>> = left.collect();
        let unfinished = u32::try_from(left.len()).unwrap_or(u32::MAX);
        // Those of connections that were not asked about this time wait on.
        let mut behind = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
        behind.retain(|id| !connections.iter().any(|one| one.id == *id));
        behind.extend(left);
        Ok((done, unfinished))
    }

    /// Lists suggestions.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self, args: &ListSuggestions) -> Result<SuggestionPage, OpError> {
        let mut all = self.all().await?;
        let only = args.connection.as_deref();
        all.retain(|one| one.state == args.state && only.is_none_or(|only| only == one.connection));
        let rows = all.into_iter().map(|one| (one.id.clone(), one)).collect();
        let (rows, next_cursor) = page::<Suggestion>(rows, args.cursor.as_deref(), args.limit);
        let last_run = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(SuggestionPage {
            suggestions: rows.iter().map(|one| self.view(one)).collect(),
            next_cursor,
            last_run,
        })
    }

    /// Does what a suggestion says.
    ///
    /// # Errors
    /// When there is no such suggestion, it was decided, there is nothing to change, or the file declares what is to be changed.
    pub async fn accept(&self, asked: &Asked, args: NameSuggestion) -> Result<SuggestionView, OpError> {
        let turn = self.turns.lock().await;
        let suggestion = self.open(&args.suggestion).await?;
        self.carry_out(asked, &suggestion).await?;
        let decided = self.decide(asked, suggestion, SuggestionState::Accepted).await;
        drop(turn);
        decided
    }

    /// Lets a suggestion be.
    ///
    /// # Errors
    /// When there is no such suggestion, or it was decided.
    pub async fn dismiss(&self, asked: &Asked, args: NameSuggestion) -> Result<SuggestionView, OpError> {
        let turn = self.turns.lock().await;
        let suggestion = self.open(&args.suggestion).await?;
        let decided = self.decide(asked, suggestion, SuggestionState::Dismissed).await;
        drop(turn);
        decided
    }

    async fn carry_out(&self, asked: &Asked, suggestion: &Suggestion) -> Result<(), OpError> {
        let id = suggestion.connection.clone();
        let Some(model) = suggestion.model.clone() else {
            let nothing = || {
                let text =
                    "the hub has no setting for this: look at what was seen, and dismiss the suggestion";
                OpError::Conflict(text.to_owned())
            };
            let changes = suggestion.patch.clone().ok_or_else(nothing)?;
            let update = UpdateDocument { id, changes, version: None };
            // A provider may name another host, and the key is meant for that provider.
            let vouched = || self.is_vouched(suggestion);
            return self.documents.update_if(&connections::NOUN, asked, update, vouched).await.map(drop);
        };
        let visibility = || ModelVisibility { model: model.clone(), connection: Some(id.clone()) };
        match suggestion.kind {
            SuggestionKind::ModelGone => self.accounts.hide(asked, visibility()).await.map(drop),
            SuggestionKind::ModelNew => {
                let accept = AcceptModels { id, models: vec![model] };
                self.accounts.accept(asked, accept).await.map(drop)
            }
            _ => {
                if self.hides(&suggestion.connection, &model) {
                    self.accounts.show(asked, visibility()).await?;
                }
                let snapshot = self.engine.snapshot();
                let here = snapshot.settings.connections.iter().find(|one| *one.id == *suggestion.connection);
                here.map(|connection| self.engine.health().reset(connection, Some(&model)));
                Ok(())
            }
        }
    }

    /// Whether the account is the one of which this was found out. Another one's provider has not said so: somebody may have let a
    /// host of their own name the place, and then put the key back.
    fn is_vouched(&self, suggestion: &Suggestion) -> bool {
        let vouched = self.vouched.lock().unwrap_or_else(PoisonError::into_inner);
        let account = vouched.get(&suggestion.id).map(|(_, account)| *account);
        let snapshot = self.engine.snapshot();
        let here = snapshot.settings.connections.iter().find(|one| *one.id == *suggestion.connection);
        account.is_some() && here.map(|connection| connection.fingerprint) == account
    }

    /// Whether a model is hidden by an entry of exactly this connection and model.
    fn hides(&self, connection: &str, model: &str) -> bool {
        self.engine.snapshot().settings.routing.hidden.written().contains(&entry(connection, model))
    }

    /// The suggestion of that id, if nobody has decided it yet.
    async fn open(&self, id: &str) -> Result<Suggestion, OpError> {
        let found = self.all().await?.into_iter().find(|one| one.id == id);
        let found = found.ok_or_else(|| OpError::NotFound { noun: "suggestion", name: id.to_owned() })?;
        match found.state {
            SuggestionState::Open => Ok(found),
            decided => {
                Err(OpError::Conflict(format!("the suggestion `{id}` is {} already", decided.as_str())))
            }
        }
    }

    async fn decide(
        &self,
        asked: &Asked,
        suggestion: Suggestion,
        state: SuggestionState,
    ) -> Result<SuggestionView, OpError> {
        let decided = Suggestion {
            state,
            decided_at: Some(self.engine.clock().now()),
            decided_by: Some(asked.caller.id.to_string()),
            ..suggestion
        };
        self.store.change(vec![decided.clone()], Vec::new()).await.map_err(failed)?;
        Ok(self.view(&decided))
    }

    async fn all(&self) -> Result<Vec<Suggestion>, OpError> {
        self.store.all().await.map_err(failed)
    }

    fn view(&self, suggestion: &Suggestion) -> SuggestionView {
        let is_open = suggestion.state == SuggestionState::Open;
        SuggestionView {
            id: suggestion.id.clone(),
            connection: suggestion.connection.clone(),
            kind: suggestion.kind,
            model: suggestion.model.clone(),
            seen: suggestion.seen.clone(),
            times: suggestion.times,
            first_at: suggestion.first_at,
            last_at: suggestion.last_at,
            state: suggestion.state,
            decided_at: suggestion.decided_at,
            decided_by: suggestion.decided_by.clone(),
            change: if is_open { self.change_of(suggestion) } else { None },
        }
    }

    /// What accepting a suggestion changes, as things are.
    fn change_of(&self, suggestion: &Suggestion) -> Option<SuggestedChange> {
        let id = suggestion.connection.as_str();
        let of_connection =
            |changes| SuggestedChange { section: "providers".to_owned(), id: id.to_owned(), changes };
        let Some(model) = suggestion.model.as_deref() else {
            return suggestion.patch.clone().map(of_connection);
        };
        let mut hidden = self.engine.snapshot().settings.routing.hidden.written().to_vec();
        match suggestion.kind {
            SuggestionKind::ModelNew => {
                let models = Value::from(self.accounts.models_with(id, model)?);
                return Some(of_connection([("models".to_owned(), models)].into_iter().collect()));
            }
            SuggestionKind::ModelGone => hidden.push(entry(id, model)),
            _ => {
                let before = hidden.len();
                hidden.retain(|one| *one != entry(id, model));
                // Where it is only locked, there is nothing of the configuration to change.
                (hidden.len() < before).then_some(())?;
            }
        }
        let changes = [("value".to_owned(), Value::from(hidden))].into_iter().collect();
        Some(SuggestedChange {
            section: "settings".to_owned(),
            id: super::accounts::HIDDEN.to_owned(),
            changes,
        })
    }
}

/// Examines connections at one host.
fn one_by_one<'a>(
    examiner: &'a Examiner<'a>,
    connections: Vec<Arc<Connection>>,
    done: &'a Mutex<Vec<Examined>>,
) -> BoxFuture<'a, ()> {
    Box::pin(async move {
        for connection in connections {
            let examined = examiner.examine(&connection).await;
            done.lock().unwrap_or_else(PoisonError::into_inner).push(examined);
            rest(&connection).await;
        }
    })
}

fn failed(error: SuggestionStoreError) -> OpError {
    OpError::Store(Box::new(error))
}

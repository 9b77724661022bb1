//! The configuration that is in force: the file's and, behind it, what was made over the API. Changes of either come
//! through here, one at a time.

use std::sync::{Arc, Mutex, PoisonError};

use futures_core::future::BoxFuture;
use operations::documents::connections;
use tokio::sync::Mutex as Turns;

use crate::{
    config::{self, Declared, Loaded, Loader, Managed, Origin, Problem, SetAside, Severity, Source},
    engine::Engine,
    observe::events,
    ops::ports::{Checked, Configuration, DeclaredItem, Definition, Document, OutOfForce, Turn},
};

/// Where the configuration comes from, and what it said.
#[derive(Debug, Clone)]
pub struct Configured {
    /// Reads it.
    pub loader: Loader,
    /// From here.
    pub source: Source,
    /// What it said.
    pub loaded: Loaded,
}

impl Configured {
    /// The same with what was made over the API, as far as it does not contradict the file.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn with(self, documents: &[Document]) -> Result<Self, Vec<Problem>> {
        let managed = managed(documents);
        if managed.is_empty() {
            return Ok(self);
        }
        let loaded = self.loader.load_setting_aside(&self.source, &managed)?;
        Ok(Self { loaded, ..self })
    }
}

/// Puts configurations in force.
pub struct Live {
    loader: Loader,
    source: Source,
    engine: Arc<Engine>,
    turns: Arc<Turns<()>>,
    state: Mutex<State>,
}

struct State {
    documents: Vec<Document>,
    declared: Arc<[DeclaredItem]>,
    set_aside: Arc<[OutOfForce]>,
}

impl Live {
    /// What runs now: `configured` with these documents.
    #[must_use]
    pub fn new(configured: &Configured, engine: Arc<Engine>, documents: Vec<Document>) -> Self {
        let loaded = &configured.loaded;
        tell_set_aside(&loaded.set_aside);
        let state = State {
            documents,
            declared: declared(&loaded.declared),
            set_aside: loaded.set_aside.iter().map(out_of_force).collect(),
        };
        Self {
            loader: configured.loader.clone(),
            source: configured.source.clone(),
            engine,
            turns: Arc::default(),
            state: Mutex::new(state),
        }
    }

    /// Puts a file that was read anew in force, with the documents behind it. Answers what holds.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn take_over(&self, loaded: Loaded) -> Result<Loaded, Vec<Problem>> {
        let turn = self.turn().await;
        let managed = managed(&self.documents());
        let loaded = if managed.is_empty() {
            loaded
        } else {
            let source = loaded.file.clone().map_or_else(|| self.source.clone(), Source::File);
            let warnings = loaded.warnings;
            let mut again = self.loader.load_setting_aside(&source, &managed)?;
            again.warnings = warnings;
            again
        };
        tell_set_aside(&loaded.set_aside);
        {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.declared = declared(&loaded.declared);
            state.set_aside = loaded.set_aside.iter().map(out_of_force).collect();
        }
        self.engine.reload(loaded.settings.clone());
        drop(turn);
        Ok(loaded)
    }

    fn documents(&self) -> Vec<Document> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).documents.clone()
    }
}

impl Configuration for Live {
    fn turn(&self) -> BoxFuture<'_, Turn> {
        Box::pin(async { Turn(Arc::clone(&self.turns).lock_owned().await) })
    }

    fn declared(&self) -> Arc<[DeclaredItem]> {
        Arc::clone(&self.state.lock().unwrap_or_else(PoisonError::into_inner).declared)
    }

    fn set_aside(&self) -> Arc<[OutOfForce]> {
        Arc::clone(&self.state.lock().unwrap_or_else(PoisonError::into_inner).set_aside)
    }

    fn check(&self, documents: Vec<Document>) -> BoxFuture<'_, Result<Checked, Vec<String>>> {
        let (before, known) = (self.documents(), self.set_aside());
        let (loader, source) = (self.loader.clone(), self.source.clone());
        Box::pin(async move {
            let managed = managed(&documents);
            let read = move || loader.load_setting_aside(&source, &managed);
            // Fails only when the runtime shuts down.
            let loaded = tokio::task::spawn_blocking(read).await;
            let loaded = loaded.map_err(|_| vec!["the hub is stopping".to_owned()])?;
            let loaded = loaded.map_err(|problems| sentences(&problems))?;
            // What was out of force before may stay so; what is new or was in force must be right.
            let was_aside = |one: &SetAside| {
                let same = |documents: &[Document]| {
                    let found = documents.iter().find(|d| d.section == one.section && d.id == one.id);
                    found.map(|document| document.version)
                };
                known.iter().any(|aside| aside.section == one.section && aside.id == one.id)
                    && same(&before) == same(&documents)
            };
            let new: Vec<String> =
                loaded.set_aside.iter().filter(|one| !was_aside(one)).map(sentence).collect();
            if !new.is_empty() {
                return Err(new);
            }
            let of_documents = |problem: &&Problem| matches!(problem.origin, Origin::Managed { .. });
            Ok(Checked {
                warnings: loaded.warnings.iter().filter(of_documents).map(words).collect(),
                set_aside: loaded.set_aside.iter().map(out_of_force).collect(),
                settings: loaded.settings,
                documents,
            })
        })
    }

    fn apply(&self, checked: Checked) {
        {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.documents = checked.documents;
            state.set_aside = checked.set_aside.into();
        }
        self.engine.reload(checked.settings);
    }

    fn masked(&self, definition: &Definition) -> Definition {
        config::masked(definition)
    }

    fn with_kept_secrets(&self, new: Definition, old: &Definition) -> Definition {
        config::with_kept_secrets(new, old)
    }

    fn check_kept(
        &self,
        section: &str,
        given: &Definition,
        old: &Definition,
        new: &Definition,
    ) -> Result<(), String> {
        if let Some(place) = config::unknown_mask(given, new) {
            return Err(format!(
                "says `[redacted]` at `{place}`, where nothing can be put in its place: give the value itself"
            ));
        }
        let moved =
            (section == connections::NOUN.section).then(|| config::moved_secret(given, old, new)).flatten();
        moved.map_or(Ok(()), Err)
    }
}

fn managed(documents: &[Document]) -> Vec<Managed> {
    let living = documents.iter().filter_map(|document| {
        let definition = document.definition.clone()?;
        let (section, id) = (Arc::clone(&document.section), Arc::clone(&document.id));
        Some(Managed { section, id, definition })
    });
    living.collect()
}

fn declared(declared: &[Declared]) -> Arc<[DeclaredItem]> {
    let items = declared.iter().map(|one| DeclaredItem {
        section: one.section,
        id: one.id.clone(),
        definition: one.definition.clone(),
        whole: one.whole.clone(),
        place: one.place.to_string(),
    });
    items.collect()
}

fn out_of_force(one: &SetAside) -> OutOfForce {
    let (section, id) = (Arc::clone(&one.section), Arc::clone(&one.id));
    OutOfForce { section, id, reason: one.reason.clone() }
}

fn tell_set_aside(set_aside: &[SetAside]) {
    for one in set_aside {
        events::set_aside(&one.section, &one.id, &one.reason);
    }
}

fn sentences(problems: &[Problem]) -> Vec<String> {
    problems.iter().filter(|problem| problem.severity == Severity::Error).map(words).collect()
}

fn words(problem: &Problem) -> String {
    format!("{} ({}): {}", problem.message, problem.origin, problem.remedy)
}

fn sentence(one: &SetAside) -> String {
    format!("`{}` of {}: {}", one.id, one.section, one.reason)
}

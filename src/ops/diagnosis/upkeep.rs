//! Diagnoses that the hub makes by itself, and what it does about them where its owner lets it: models that are gone for certain
//! are hidden, and those that it hid are shown when they are back. All else waits for a person.

use std::{collections::HashSet, sync::Arc, time::Duration};

use operations::{
    Definition, Operation, Scope,
    diagnosis::{
        Accept, DiagnoseConnections, DiagnosisReport, SuggestionKind, SuggestionState, SuggestionView,
    },
};
use serde_json::json;
use tokio::time::sleep;

use super::Diagnosis;
use crate::{
    engine::caller::{Caller, CallerKind},
    observe::events,
    ops::registry::{Asked, Registry},
};

/// Between two looks at the clock and the settings.
const LOOK: Duration = Duration::from_secs(2);

/// In how many diagnoses a model must be gone before the hub believes it.
const CONFIRMED: u32 = 2;

/// How far the first and the last of these must lie apart, in milliseconds.
const APART: i64 = 10 * 60 * 1000;

/// Who the hub is where it does something by itself.
pub(crate) const HUB: &str = "hub";

impl Diagnosis {
    /// Diagnoses all connections again and again, as the settings say. Ends with the hub.
    pub async fn keep(self: Arc<Self>, registry: Arc<Registry>) {
        let started = self.engine.clock().now();
        let mut last = None;
        loop {
            let wanted = self.engine.snapshot().settings.diagnosis;
            let now = self.engine.clock().now();
            let due = match last {
                None => after(started, wanted.start_delay),
                Some(last) => after(last, wanted.interval),
            };
            // A clock that was set back must not put it off for long.
            if wanted.enabled && (now >= due || last.is_some_and(|last| last > now)) {
                last = Some(now);
                self.turn(&registry, wanted.safe_maintenance).await;
            }
            sleep(LOOK).await;
        }
    }

    async fn turn(&self, registry: &Arc<Registry>, maintains: bool) {
        match self.run(DiagnoseConnections::default()).await {
            Ok(report) => {
                events::diagnosed(report.run.connections.len(), report.suggestions.len());
                if maintains {
                    self.maintain(registry, &report).await;
                }
            }
            Err(error) => events::diagnosis_failed(&error),
        }
    }

    /// Accepts what is safe, as an operation like any other: with an entry in the audit log, and to be taken back.
    async fn maintain(&self, registry: &Arc<Registry>, report: &DiagnosisReport) {
        let Some(definition) = Definition::named(Accept::NAME) else { return };
        let ours = self.hidden_by_us().await;
        // Not those of the report, which has room for some.
        let open =
            self.all().await.unwrap_or_default().into_iter().filter(|one| one.state == SuggestionState::Open);
        let open: Vec<SuggestionView> = open.map(|one| self.view(&one)).collect();
        let safe: Vec<String> =
            open.iter().filter(|one| is_safe(one, report, &ours)).map(|one| one.id.clone()).collect();
        for id in safe {
            let asked = Asked::new(hub(), HUB, None);
            let done = registry.call(asked, definition, json!({ "suggestion": id })).await;
            if let Err(error) = done {
                // What the file declares is the owner's: the suggestion stays.
                events::maintenance_failed(&id, &error);
            }
        }
    }

    /// The models that the hub itself has hidden, by connection.
    async fn hidden_by_us(&self) -> HashSet<(String, String)> {
        let all = self.all().await.unwrap_or_default();
        let ours = all
            .into_iter()
            .filter(|one| one.kind == SuggestionKind::ModelGone && one.decided_by.as_deref() == Some(HUB));
        ours.filter_map(|one| Some((one.connection, one.model?))).collect()
    }
}

/// Whether the hub may do this by itself. A connection of which most models seem to be gone has another trouble.
fn is_safe(one: &SuggestionView, report: &DiagnosisReport, ours: &HashSet<(String, String)>) -> bool {
    let Some(model) = &one.model else { return false };
    let told = report.run.connections.iter().find(|told| told.id == one.connection);
    match one.kind {
        SuggestionKind::ModelGone => {
            one.times >= CONFIRMED
                && one.last_at.saturating_sub(one.first_at) >= APART
                && told.is_some_and(|told| told.known >= told.gone)
        }
        // What is only locked changes nothing of the configuration; what people hid is theirs to show.
        SuggestionKind::ModelBack => {
            one.change.is_none() || ours.contains(&(one.connection.clone(), model.clone()))
        }
        _ => false,
    }
}

fn hub() -> Caller {
    Caller {
        id: HUB.into(),
        name: HUB.into(),
        kind: CallerKind::Local,
        scopes: [Scope::WriteConnections].into_iter().collect(),
        address: None,
        policy: None,
    }
}

fn after(at: i64, wait: Duration) -> i64 {
    at.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
}

//! One connection, examined: its provider's list is compared with its own, and looked for nearby where it is not. Only lists, and
//! single entries of them, are asked for: no model answers anything, so nothing is paid.

use std::{collections::HashSet, sync::Arc, time::Duration};

use operations::diagnosis::{ConnectionDiagnosed, SuggestionKind};
use serde_json::Value;
use tokio::time::sleep;

use super::ways;
use crate::{
    engine::{
        Engine,
        fault::FaultKind,
        settings::{Connection, Hidden},
    },
    ops::ports::{Definition, Missed, Prober, Way},
};

/// Between two questions to one host of the internet. Machines of one's own are asked without a pause.
const BREATH: Duration = Duration::from_millis(250);

/// Most new models of one connection that are suggested; hosts of hosts have hundreds.
const NEW: usize = 50;

/// Most models that are asked for one by one when they are not on the list.
const ASKED: usize = 10;

/// What was found out about one connection.
pub(super) struct Examined {
    pub(super) told: ConnectionDiagnosed,
    /// The account that was asked, by its key and where it is ([`Connection::fingerprint`]).
    pub(super) account: u64,
    pub(super) found: Vec<Finding>,
    /// Whether the provider's list was had, so that what is not in `found` of models is not so.
    pub(super) knows_models: bool,
    /// The same of the way there.
    pub(super) knows_way: bool,
}

/// Something to be suggested.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Finding {
    pub(super) kind: SuggestionKind,
    pub(super) model: Option<String>,
    pub(super) patch: Option<Definition>,
    pub(super) seen: String,
}

/// Who examines.
pub(super) struct Examiner<'a> {
    pub(super) engine: &'a Engine,
    pub(super) prober: &'a dyn Prober,
    /// Models that were hidden for being gone, by connection.
    pub(super) retired: &'a HashSet<(String, String)>,
}

impl Examiner<'_> {
    pub(super) async fn examine(&self, connection: &Arc<Connection>) -> Examined {
        let told = ConnectionDiagnosed {
            id: connection.id.to_string(),
            provider: connection.provider.id.clone(),
            ..ConnectionDiagnosed::default()
        };
        let mut examined = Examined {
            told,
            account: connection.fingerprint,
            found: Vec::new(),
            knows_models: false,
            knows_way: false,
        };
        let Some(way) = Way::of(connection) else { return examined };
        match self.look(connection, &way).await {
            Ok(list) => {
                (examined.told.works, examined.knows_models, examined.knows_way) = (true, true, true);
                self.compare(connection, &list, &mut examined).await;
                examined.found.extend(self.encrypted(connection, &way).await);
            }
            Err(missed) => {
                examined.told.error = Some(format!("{}: {}", missed.fault.kind, missed.fault.message));
                // What is away for a moment says nothing.
                examined.knows_way = missed.fault.status.is_some_and(|status| status < 500 && status != 429);
                examined.found = self.elsewhere(connection, &way, &missed).await;
            }
        }
        let endpoint = examined.found.iter().filter(|one| !one.kind.is_of_model()).count();
        examined.told.endpoint = number(endpoint);
        examined
    }

    async fn look(&self, connection: &Arc<Connection>, way: &Way) -> Result<Vec<String>, Missed> {
        let connect = self.engine.snapshot().settings.timeouts.connect;
        self.prober.look(Arc::clone(connection), way.clone(), connect).await
    }

    /// Compares what the provider has with what the connection lists.
    async fn compare(&self, connection: &Arc<Connection>, list: &[String], examined: &mut Examined) {
        let snapshot = self.engine.snapshot();
        let hidden = &snapshot.settings.routing.hidden;
        let mut gone = Vec::new();
        for model in &connection.models.listed {
            if list.iter().any(|one| is_same(one, model)) {
                examined.told.known += 1;
                if let Some(seen) = self.is_back(connection, model, hidden) {
                    examined.told.back += 1;
                    examined.found.push(Finding::of_model(SuggestionKind::ModelBack, model, seen));
                }
            } else {
                gone.push(Arc::clone(model));
            }
        }
        examined.told.listed = number(list.len());
        // An empty list speaks of the account, and not of its models.
        if !list.is_empty() {
            self.gone(connection, gone, hidden, examined).await;
        }
        // Without a list of its own the connection serves whatever is asked for.
        if !connection.models.open {
            let new = list.iter().filter(|one| !connection.models.listed.iter().any(|own| is_same(one, own)));
            let new: Vec<&String> = new.collect();
            examined.told.new = number(new.len());
            let seen = "the provider lists it, and the connection does not";
            let found = new.into_iter().take(NEW);
            examined.found.extend(
                found.map(|model| Finding::of_model(SuggestionKind::ModelNew, model, seen.to_owned())),
            );
        }
    }

    /// Those that are not on the list are asked for one by one: some providers have models that they do not list.
    async fn gone(
        &self,
        connection: &Arc<Connection>,
        gone: Vec<Arc<str>>,
        hidden: &Hidden,
        examined: &mut Examined,
    ) {
        let connect = self.engine.snapshot().settings.timeouts.connect;
        let mut asked = 0;
        for model in gone {
            if hidden.hides(&connection.id, &model) {
                examined.told.gone += 1;
                continue;
            }
            // What is not asked for is not known, and counts as gone where caution is concerned.
            if asked >= ASKED {
                examined.knows_models = false;
                examined.told.gone += 1;
                continue;
            }
            asked += 1;
            rest(connection).await;
            if self.prober.has(Arc::clone(connection), model.to_string(), connect).await {
                examined.told.known += 1;
                continue;
            }
            examined.told.gone += 1;
            let seen =
                "the provider does not list it, and does not tell of it when it is asked for".to_owned();
            examined.found.push(Finding::of_model(SuggestionKind::ModelGone, &model, seen));
        }
    }

    /// Why a model that the provider lists is worth a word: it is hidden or locked as if it were gone.
    fn is_back(&self, connection: &Connection, model: &str, hidden: &Hidden) -> Option<String> {
        let place = (connection.id.to_string(), model.to_owned());
        if self.retired.contains(&place) && hidden.written().contains(&entry(&connection.id, model)) {
            return Some("the provider lists it again; it was hidden for being gone".to_owned());
        }
        let locks = self.engine.health().locks();
        let locked = locks.iter().any(|lock| {
            *lock.connection == *connection.id
                && lock.model.as_deref() == Some(model)
                && lock.kind == FaultKind::ModelNotFound
        });
        locked.then(|| {
            "the provider lists it; it was left alone because the provider did not know it".to_owned()
        })
    }

    /// Whether the same is there over TLS.
    async fn encrypted(&self, connection: &Arc<Connection>, way: &Way) -> Option<Finding> {
        let other = ways::encrypted(way).filter(|_| may_try(connection))?;
        rest(connection).await;
        self.look(connection, &other).await.ok()?;
        let seen = "the provider answers encrypted too, and the key travels in the open".to_owned();
        Some(Finding { kind: SuggestionKind::BaseUrl, model: None, patch: Some(base_url(&other)), seen })
    }

    /// Looks for the list nearby, where the operator wrote the URL.
    async fn elsewhere(&self, connection: &Arc<Connection>, way: &Way, missed: &Missed) -> Vec<Finding> {
        if !ways::is_written(connection) {
            return Vec::new();
        }
        let status = missed.fault.status;
        if let Some(base) = missed.location.as_deref().and_then(|there| ways::moved(way, there)) {
            let there = Way { base, ..way.clone() };
            let seen =
                format!("the provider answered {} and names {}", status.unwrap_or_default(), there.base);
            let patch = Some(base_url(&there));
            return vec![Finding { kind: SuggestionKind::BaseUrl, model: None, patch, seen }];
        }
        if !may_try(connection) {
            return Vec::new();
        }
        let is_odd = missed.fault.kind == FaultKind::Malformed;
        let is_lost = is_odd || matches!(status, Some(404 | 405));
        let is_refused = is_odd || matches!(status, Some(400 | 401 | 403 | 404));
        let paths = if is_lost { ways::other_paths(way) } else { Vec::new() };
        let encrypted = ways::encrypted(way).filter(|_| missed.fault.kind == FaultKind::Unreachable);
        for other in paths.into_iter().chain(encrypted) {
            if let Some(count) = self.tried(connection, &other).await {
                let told = missed.fault.message.as_str();
                let seen =
                    format!("at {} the provider {told}; at {} it lists {count} models", way.base, other.base);
                let patch = Some(base_url(&other));
                return vec![Finding { kind: SuggestionKind::BaseUrl, model: None, patch, seen }];
            }
        }
        let manners =
            if is_refused { ways::other_manners(way, connection.credential.is_some()) } else { Vec::new() };
        for other in manners {
            if let Some(count) = self.tried(connection, &other).await {
                return vec![self.manner(way, &other, count)];
            }
        }
        Vec::new()
    }

    /// How many models there are, if there is a list with any.
    async fn tried(&self, connection: &Arc<Connection>, way: &Way) -> Option<usize> {
        rest(connection).await;
        self.look(connection, way).await.ok().map(|list| list.len()).filter(|count| *count > 0)
    }

    fn manner(&self, usual: &Way, other: &Way, count: usize) -> Finding {
        let same = usual.dialect == other.dialect;
        let kind = if same { SuggestionKind::Auth } else { SuggestionKind::Dialect };
        let what = match same {
            true if ways::is_bearer(&other.auth) => "with the key as `Authorization: Bearer`".to_owned(),
            true => "with the key as `x-api-key`".to_owned(),
            false => format!("in the dialect {}", other.dialect),
        };
        let seen = format!("the provider refuses as it is asked, and lists {count} models {what}");
        let kinds = self.engine.catalogue().providers().iter();
        let fitting = kinds.filter(|one| one.needs_base_url() && one.base_url_dialect == Some(other.dialect));
        let fitting = fitting.filter(|one| {
            one.auth == other.auth || (ways::is_bearer(&one.auth) && ways::is_bearer(&other.auth))
        });
        let patch = fitting.map(|one| one.id.clone()).next().map(|kind| {
            let mut patch = base_url(other);
            patch.insert("type".to_owned(), kind.into());
            patch
        });
        Finding { kind, model: None, patch, seen }
    }
}

impl Finding {
    fn of_model(kind: SuggestionKind, model: &str, seen: String) -> Self {
        Self { kind, model: Some(model.to_owned()), patch: None, seen }
    }
}

/// Leaves the host of a connection alone for a moment.
pub(super) async fn rest(connection: &Connection) {
    let base = connection.endpoints.values().next().map_or("", String::as_str);
    if !ways::is_inside(base) {
        sleep(BREATH).await;
    }
}

/// A token goes where its owner said, and nowhere else.
fn may_try(connection: &Connection) -> bool {
    connection.oauth.is_none() && ways::is_written(connection)
}

/// The entry of the setting that hides a model on one connection.
pub(super) fn entry(connection: &str, model: &str) -> String {
    format!("{connection}/{model}")
}

fn base_url(way: &Way) -> Definition {
    [("base_url".to_owned(), Value::from(way.base.as_str()))].into_iter().collect()
}

/// Whether two names mean one model at one provider, who may write it with a path in front.
fn is_same(listed: &str, own: &str) -> bool {
    let ends = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|rest| rest.ends_with('/'));
    let (listed, own) = (listed.to_ascii_lowercase(), own.to_ascii_lowercase());
    listed == own || ends(&listed, &own) || ends(&own, &listed)
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn a_path_in_front_of_a_name_does_not_count() {
        assert!(is_same("accounts/fireworks/models/llama", "llama") && is_same("GPT-4", "gpt-4"));
        assert!(is_same("llama", "meta/llama"));
        assert!(!is_same("my-llama", "llama") && !is_same("llama-2", "llama"));
    }
}

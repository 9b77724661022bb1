//! Changes of the catalogue. A route that is disabled is hidden (`hide_model`), and stays on its connection's list with all that is
//! said of it. Ranks, tags and new routes are changes of the list `models`, which is written anew with the version that was read, so
//! that nothing that somebody else does meanwhile is lost. What the configuration file declares is changed there.

use std::{collections::BTreeMap, sync::Arc};

use operations::Scope;
use serde_json::{Map, Value, json};

use super::{
    super::{Call, Problem, invalid},
    catalogue::{Catalogue, Entry},
    find, shown, unknown,
};
use crate::engine::{code::Code, policy, refusal::Refusal, settings::Connection};

/// A connection's list, and the version that was read.
struct Models {
    connection: String,
    version: Value,
    list: Vec<Value>,
    /// Whether the API may change it.
    ours: bool,
}

impl Models {
    async fn read(call: &Call<'_>, connection: &str) -> Result<Self, Problem> {
        let document = call.operation("get_connection", json!({ "id": connection })).await?;
        let written = document.pointer("/definition/models").and_then(Value::as_array).cloned();
        let list = written.unwrap_or_else(|| listed(call, connection));
        Ok(Self {
            connection: connection.to_owned(),
            version: document.get("version").cloned().unwrap_or_default(),
            list,
            ours: document.get("owner").is_some_and(|owner| owner == "api"),
        })
    }

    async fn write(self, call: &Call<'_>) -> Result<(), Problem> {
        let args = json!({
            "id": self.connection, "changes": { "models": self.list }, "version": self.version,
        });
        call.operation("update_connection", args).await.map(drop)
    }
}

/// What a connection without a list of its own serves: the catalogue's.
fn listed(call: &Call<'_>, connection: &str) -> Vec<Value> {
    let snapshot = call.compat.engine.snapshot();
    let found = snapshot.settings.connections.iter().find(|one| *one.id == *connection);
    found.map(|one| one.models.listed.iter().map(|model| Value::from(&**model)).collect()).unwrap_or_default()
}

/// A model's name in an entry of the list.
fn name(entry: &Value) -> &str {
    entry.get("id").unwrap_or(entry).as_str().unwrap_or_default()
}

/// An entry with this said of it; what is null is taken away.
fn saying(entry: &Value, said: &[(&str, Value)]) -> Value {
    let mut fields = entry.as_object().cloned().unwrap_or_else(|| {
        [("id".to_owned(), name(entry).into())].into_iter().collect::<Map<String, Value>>()
    });
    for (key, value) in said {
        if value.is_null() {
            fields.shift_remove(*key);
        } else {
            fields.insert((*key).to_owned(), value.clone());
        }
    }
    // The short form, where nothing is said of it.
    if fields.len() == 1 { name(entry).into() } else { Value::Object(fields) }
}

/// Gives every route the rank that `rank` has for it, on connections that were made over the API.
pub(super) async fn rank(call: &Call<'_>, rank: impl Fn(&str) -> Option<u32>) -> Result<(), Problem> {
    let snapshot = call.compat.engine.snapshot();
    let ids: Vec<Arc<str>> =
        snapshot.settings.connections.iter().map(|connection| Arc::clone(&connection.id)).collect();
    drop(snapshot);
    // The right first: without connections of one's own nothing would ask for it.
    let mut asked = false;
    for id in ids {
        let mut models = Models::read(call, &id).await?;
        if !models.ours {
            continue;
        }
        let ranked =
            |entry: &Value| saying(entry, &[("rank", json!(rank(&format!("{id}/{}", name(entry)))))]);
        models.list = models.list.iter().map(ranked).collect();
        models.write(call).await?;
        asked = true;
    }
    if asked {
        return Ok(());
    }
    let text = "Every connection is declared in the configuration file: give ranks to its models there.";
    Err(Refusal::new(Code::Conflict, text).into())
}

/// Leaves a route out: its model is hidden on the connection.
pub(super) async fn disable(call: &Call<'_>, route: &str) -> Result<Value, Problem> {
    let entry = find(call, route)?;
    hide(call, &entry.connection.id, &entry.model).await?;
    Ok(shown(call, &find(call, route)?))
}

/// Puts a route in: its model is shown again, or put on the connection's list if it is not there.
pub(super) async fn enable(call: &Call<'_>, route: &str) -> Result<Value, Problem> {
    let snapshot = call.compat.engine.snapshot();
    let (connection, model) = split(route, &snapshot.settings.connections).ok_or_else(|| unknown(route))?;
    if find(call, route).is_err() {
        let args = json!({ "id": connection.id, "models": [model] });
        call.operation("accept_models", args).await?;
    }
    show(call, &connection.id, model).await?;
    Ok(shown(call, &find(call, route)?))
}

async fn hide(call: &Call<'_>, connection: &str, model: &str) -> Result<(), Problem> {
    let args = json!({ "connection": connection, "model": model });
    call.operation("hide_model", args).await.map(drop)
}

/// Shows a model that was hidden on its connection. One that is hidden by what is said of several is not shown by this.
async fn show(call: &Call<'_>, connection: &str, model: &str) -> Result<(), Problem> {
    let snapshot = call.compat.engine.snapshot();
    let hidden = &snapshot.settings.routing.hidden;
    if !hidden.hides(connection, model) {
        // Nothing is to be done, for those who might have done it.
        return Ok(policy::require(&call.caller, Scope::WriteModels)?);
    }
    if hidden.written().contains(&format!("{connection}/{model}")) {
        let args = json!({ "connection": connection, "model": model });
        return call.operation("show_model", args).await.map(drop);
    }
    let text =
        format!("`{model}` is hidden by an entry of `routing.hidden` that hides others too: take that away.");
    Err(Refusal::new(Code::Conflict, text).into())
}

/// The connection of a route and its model. Ids may hold slashes too: the longest one counts.
fn split<'a>(route: &'a str, connections: &'a [Arc<Connection>]) -> Option<(&'a Arc<Connection>, &'a str)> {
    let fits = |connection: &'a Arc<Connection>| {
        let model = route.strip_prefix(&*connection.id)?.strip_prefix('/')?;
        (!model.is_empty()).then_some((connection, model))
    };
    connections.iter().filter_map(fits).max_by_key(|(connection, _)| connection.id.len())
}

/// Puts routes in place of what the connections that they name serve. What is not among them is hidden, and nothing is deleted;
/// connections that are not named stay as they are.
pub(super) async fn replace(call: &Call<'_>, routes: &[Value]) -> Result<(), Problem> {
    let snapshot = call.compat.engine.snapshot();
    let mut wanted: BTreeMap<&str, Vec<(&str, &Value)>> = BTreeMap::new();
    for route in routes {
        let id = route.get("route_id").and_then(Value::as_str);
        let id = id.ok_or_else(|| invalid("route_id", "Every route needs a `route_id`."))?;
        let (connection, model) = split(id, &snapshot.settings.connections).ok_or_else(|| unknown(id))?;
        wanted.entry(&connection.id).or_default().push((model, route));
    }
    let before = Catalogue::of(&call.compat.engine);
    for (connection, routes) in wanted {
        let mut models = Models::read(call, connection).await?;
        let list = edited(&before, &models.list, &routes);
        if list != models.list {
            models.list.clone_from(&list);
            models.write(call).await?;
        }
        for entry in &list {
            let model = name(entry);
            let route = routes.iter().find(|(wanted, _)| *wanted == model);
            let enabled =
                route.is_some_and(|(_, route)| route.get("enabled").is_none_or(|enabled| *enabled == true));
            let hidden = call.compat.engine.snapshot().settings.routing.hidden.hides(connection, model);
            match (enabled, hidden) {
                (true, true) => show(call, connection, model).await?,
                (false, false) => hide(call, connection, model).await?,
                _ => {}
            }
        }
    }
    Ok(())
}

/// The list with what the routes say of its models, and those that are new behind it.
fn edited(before: &Catalogue, list: &[Value], routes: &[(&str, &Value)]) -> Vec<Value> {
    let of = |model: &str| {
        routes.iter().find(|(wanted, _)| *wanted == model).map(|(_, route)| said(before, route))
    };
    let mut edited: Vec<Value> = list
        .iter()
        .map(|entry| of(name(entry)).map_or_else(|| entry.clone(), |said| saying(entry, &said)))
        .collect();
    for (model, route) in routes {
        if !edited.iter().any(|entry| name(entry) == *model) {
            edited.push(saying(&Value::from(*model), &said(before, route)));
        }
    }
    edited
}

/// What a route says that a model's entry can say. A rank that was only shown for want of one is not written down.
fn said(before: &Catalogue, route: &Value) -> Vec<(&'static str, Value)> {
    let id = route.get("route_id").and_then(Value::as_str).unwrap_or_default();
    let known = before.entries.iter().find(|entry| entry.id() == id);
    let mut said = Vec::new();
    if let Some(rank) = route.get("rank") {
        let given = |entry: &&Entry| {
            let about = entry.connection.models.about.get(&entry.model);
            about.is_some_and(|about| about.rank.is_some())
        };
        let only_shown = known.filter(|entry| !given(entry)).is_some_and(|entry| *rank == entry.rank);
        if !only_shown {
            said.push(("rank", rank.clone()));
        }
    }
    if let Some(tags) = route.get("tags").and_then(Value::as_array) {
        said.push(("tags", if tags.is_empty() { Value::Null } else { json!(tags) }));
    }
    said
}

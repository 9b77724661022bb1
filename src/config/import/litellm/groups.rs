//! Groups: all deployments of a name. A group whose name is its model's own needs nothing; others become an alias or a
//! combo, and what a group falls back on becomes the steps behind it. LiteLLM allows groups that fall back on each
//! other, so what is behind a group leads to the deployments of another and never to its fallbacks.

use std::collections::HashMap;

use serde_json::{Value as JsonValue, json};

use super::{
    super::{
        account::literal,
        draft::{Draft, plain_name},
        part::Part,
    },
    deployment::Deployment,
};
use crate::config::{Origin, mask::shown};

/// The deployments of one name.
pub(super) struct Group {
    name: String,
    deployments: Vec<Deployment>,
    fallbacks: Vec<String>,
}

/// How a group is reached.
enum Form {
    /// By its name: every account lists the model under it.
    Plain,
    /// One deployment.
    Single,
    /// Several, in a combo of this name.
    Pool(String),
}

/// All groups, in the order of the file.
pub(super) struct Groups {
    groups: Vec<Group>,
    by_name: HashMap<String, usize>,
    strategy: &'static str,
}

/// LiteLLM's strategies, and the nearest of ours.
const STRATEGIES: [(&str, &str); 6] = [
    ("simple-shuffle", "random"),
    ("least-busy", "p2c"),
    ("latency-based-routing", "p2c"),
    ("usage-based-routing", "least-used"),
    ("usage-based-routing-v2", "least-used"),
    ("cost-based-routing", "cost-optimized"),
];

impl Groups {
    pub(super) fn new(deployments: Vec<Deployment>, strategy: Option<&str>) -> Self {
        let ours = STRATEGIES.iter().find(|(theirs, _)| Some(*theirs) == strategy);
        let mut groups: Vec<Group> = Vec::new();
        let mut by_name = HashMap::new();
        for deployment in deployments {
            // A name for everything that a provider has: reached below the connection's id.
            if deployment.any {
                continue;
            }
            let index = *by_name.entry(deployment.name.clone()).or_insert(groups.len());
            match groups.get_mut(index) {
                Some(group) => group.deployments.push(deployment),
                None => {
                    let name = deployment.name.clone();
                    groups.push(Group { name, deployments: vec![deployment], fallbacks: Vec::new() });
                }
            }
        }
        Self { groups, by_name, strategy: ours.map_or("random", |(_, ours)| ours) }
    }

    /// Adds a list of `{name: [name, …]}`.
    pub(super) fn with_fallbacks(mut self, part: Part<'_>, draft: &mut Draft<'_>) -> Self {
        for (key, names) in part.items().flat_map(Part::entries) {
            let behind: Vec<String> = names.texts().into_iter().map(str::to_owned).collect();
            let Some(index) = self.by_name.get(&key.name).copied() else {
                let message = format!(
                    "fallbacks of {}, which is in no `model_list` that was taken over",
                    shown(&key.name)
                );
                draft.note(&key.origin, message, "remove them, or give the name a deployment");
                continue;
            };
            for name in behind {
                if !self.by_name.contains_key(&name) {
                    let message = format!(
                        "{} falls back on {}, which was not taken over",
                        shown(&key.name),
                        shown(&name)
                    );
                    draft.note(&key.origin, message, "give that name a deployment, and import again");
                } else if let Some(group) = self.groups.get_mut(index)
                    && !group.fallbacks.contains(&name)
                    && group.name != name
                {
                    group.fallbacks.push(name);
                }
            }
        }
        self
    }

    /// What groups without fallbacks of their own fall back on.
    pub(super) fn with_default(mut self, names: Vec<String>) -> Self {
        let known: Vec<String> = names.into_iter().filter(|name| self.by_name.contains_key(name)).collect();
        for group in self.groups.iter_mut().filter(|group| group.fallbacks.is_empty()) {
            group.fallbacks = known.iter().filter(|name| **name != group.name).cloned().collect();
        }
        self
    }

    /// Whether several accounts serve a model under its own name, so that it matters who goes first.
    pub(super) fn takes_turns(&self) -> bool {
        self.groups.iter().any(|group| group.deployments.len() > 1 && matches!(group.form(), Form::Plain))
    }

    /// The strategy between those accounts.
    pub(super) const fn between_accounts(&self) -> &'static str {
        self.strategy
    }

    /// The combos and aliases that say all this.
    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        for group in &self.groups {
            let Some(first) = group.deployments.first() else { continue };
            let place = &first.place;
            let pool = match group.form() {
                Form::Pool(name) => Some(name),
                Form::Plain if group.fallbacks.is_empty() => continue,
                Form::Single if group.fallbacks.is_empty() => {
                    let name = draft.name(&group.name, place);
                    draft.alias(&name, &[first.address()], None, place);
                    continue;
                }
                Form::Plain | Form::Single => None,
            };
            if let Some(pool) = pool {
                let name = draft.name(if group.fallbacks.is_empty() { &group.name } else { &pool }, place);
                let (strategy, steps) = group.pool(self.strategy);
                draft.combo(&name, strategy, steps, place);
            }
            if !group.fallbacks.is_empty() {
                self.write_fallbacks(group, place, draft);
            }
        }
    }

    fn write_fallbacks(&self, group: &Group, place: &Origin, draft: &mut Draft<'_>) {
        let behind = group.fallbacks.iter().filter_map(|name| self.step(name));
        let steps: Vec<JsonValue> = self.step(&group.name).into_iter().chain(behind).collect();
        let name = draft.name(&group.name, place);
        draft.combo(&name, "priority", steps, place);
    }

    /// A step that leads to the deployments of a group.
    fn step(&self, name: &str) -> Option<JsonValue> {
        let group = self.groups.get(*self.by_name.get(name)?)?;
        Some(match group.form() {
            Form::Plain => literal(name).into(),
            Form::Single => group.deployments.first()?.step(None),
            Form::Pool(pool) => format!("combo/{}", literal(&pool)).into(),
        })
    }

    /// The name under which a group is asked for here, for aliases of it.
    pub(super) fn target(&self, name: &str) -> Option<String> {
        let group = self.groups.get(*self.by_name.get(name)?)?;
        let plain = matches!(group.form(), Form::Plain) && group.fallbacks.is_empty();
        Some(if plain { name.to_owned() } else { format!("combo/{}", tidy(name)) })
    }
}

impl Group {
    fn form(&self) -> Form {
        let ordered = self.deployments.iter().any(|one| one.order.is_some());
        let weighted = self.deployments.len() > 1 && self.deployments.iter().any(|one| one.weight.is_some());
        if !ordered && !weighted && self.deployments.iter().all(|one| one.model == self.name) {
            Form::Plain
        } else if self.deployments.len() == 1 {
            Form::Single
        } else if self.fallbacks.is_empty() {
            Form::Pool(tidy(&self.name))
        } else {
            Form::Pool(tidy(&format!("{}-pool", self.name)))
        }
    }

    /// The strategy and the steps of several deployments.
    fn pool(&self, strategy: &'static str) -> (&'static str, Vec<JsonValue>) {
        let mut all: Vec<&Deployment> = self.deployments.iter().collect();
        if all.iter().any(|one| one.order.is_some()) {
            all.sort_by_key(|one| one.order.unwrap_or(u64::MAX));
            return ("priority", all.into_iter().map(|one| one.step(None)).collect());
        }
        if strategy == "random" && all.iter().any(|one| one.weight.is_some()) {
            return (
                "weighted",
                all.into_iter().map(|one| one.step(Some(one.weight.unwrap_or(1)))).collect(),
            );
        }
        (strategy, all.into_iter().map(|one| one.step(None)).collect())
    }
}

/// A name as combos can have it.
fn tidy(name: &str) -> String {
    plain_name(name).unwrap_or_else(|| name.to_owned())
}

impl Deployment {
    /// The deployment as a name: its model below its connection.
    fn address(&self) -> String {
        format!("{}/{}", self.connection, self.model)
    }

    fn step(&self, weight: Option<u64>) -> JsonValue {
        let mut step = json!({"model": literal(&self.model), "connection": self.connection});
        if let (Some(weight), Some(step)) = (weight, step.as_object_mut()) {
            step.insert("weight".to_owned(), weight.into());
        }
        step
    }
}

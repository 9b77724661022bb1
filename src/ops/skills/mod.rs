//! What other agents can have done: the skills of the hub, and every operation under its own name. Each skill calls operations
//! as its caller, so that rights, budgets and the audit are those of every surface. How a task lives is said in `ops/tasks`,
//! how it is told in `surfaces/a2a`.

mod answer;
mod ask;
mod choose;
mod conversation;
mod operation;
mod reports;
mod routing;
mod voice;

#[cfg(feature = "conformance")]
mod fixtures;

use std::sync::{Arc, Weak};

use a2a::model::TaskState;
use futures_core::future::BoxFuture;
use operations::Definition;

use self::{ask::Ask, choose::Chosen, voice::Voice};
use super::{
    OpError,
    registry::Registry,
    tasks::{TaskExecutor, Work},
};
use crate::engine::{caller::Caller, code::Code};

/// The extension by which tasks and results say how they came about. `docs/a2a.md` describes it.
pub const EXTENSION: &str = "urn:trivium:a2a:routing:1";

/// A skill of the hub.
#[derive(Debug, Clone, Copy)]
pub struct Skill {
    /// What clients ask for.
    pub id: &'static str,
    /// For people.
    pub name: &'static str,
    /// For people and other agents.
    pub about: &'static str,
    /// Words to find it by.
    pub tags: &'static [&'static str],
    /// What one might say.
    pub examples: &'static [&'static str],
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Routing,
    Quotas,
    Providers,
    Cost,
    Health,
    Capabilities,
}

/// The skills of the hub; the first one does what nobody else was asked for.
pub const ALL: [Skill; 6] = [
    Skill {
        id: "smart-routing",
        name: "Smart routing",
        about: "Answers a chat: the best target is found, others take over where it fails, and the result says who answered, \
            why, and what it cost. Messages of one context are one conversation. `model`, `combo`, `budget`, `role` and \
            `max_tokens` in the metadata say more; without them the hub chooses the model.",
        tags: &["chat", "llm", "routing", "fallback"],
        examples: &["Explain TCP slow start in three sentences", "Write a function that reverses a list"],
        kind: Kind::Routing,
    },
    Skill {
        id: "quota-management",
        name: "Quotas",
        about: "Says what is left of the quotas of the accounts and of budgets, and when they begin anew. `connection` and \
            `provider` in the metadata choose some.",
        tags: &["quota", "limits", "budget"],
        examples: &["Summarize quota status", "Give me a short quota summary"],
        kind: Kind::Quotas,
    },
    Skill {
        id: "provider-discovery",
        name: "Providers and models",
        about: "Says which providers are configured and which models they serve. `search`, `provider` and `capability` in the \
            metadata choose some.",
        tags: &["providers", "models", "discovery"],
        examples: &["Which models can I use?", "Who serves embeddings?"],
        kind: Kind::Providers,
    },
    Skill {
        id: "cost-analysis",
        name: "Costs",
        about: "Says what was spent, by provider and by model, and what is left of budgets. `period` in the metadata, or the word \
            in the text, is `session`, `day`, `week` or `month`.",
        tags: &["cost", "usage", "budget"],
        examples: &["What did we spend this week?", "Cost report of the month"],
        kind: Kind::Cost,
    },
    Skill {
        id: "health-report",
        name: "Health",
        about: "Says how the connections stand, which are locked and until when, and what went wrong lately.",
        tags: &["health", "resilience", "status"],
        examples: &["How are the providers doing?", "What went wrong today?"],
        kind: Kind::Health,
    },
    Skill {
        id: "list-capabilities",
        name: "Capabilities",
        about: "Lists the skills, and the operations that this caller may have done.",
        tags: &["capabilities", "skills", "help"],
        examples: &["What can you do?"],
        kind: Kind::Capabilities,
    },
];

/// Operations that take or show a secret: what is said in a task is kept and told to webhooks, so these are no skills.
const SECRET: [&str; 8] = [
    "create_key",
    "rotate_key",
    "start_login",
    "finish_login",
    "put_connection",
    "update_connection",
    "put_setting",
    "update_setting",
];

/// The operations that a caller may have done, as skills of their own names.
pub fn operations_for(caller: &Caller) -> impl Iterator<Item = &'static Definition> {
    let all = Definition::all().iter().filter(|definition| !SECRET.contains(&definition.name));
    all.filter(|definition| caller.may(definition.scope))
}

/// Who works on the tasks of a hub, by its operations.
#[must_use]
pub fn executor(registry: &Arc<Registry>) -> Arc<dyn TaskExecutor> {
    let own: Arc<dyn TaskExecutor> = Arc::new(Skills { registry: Arc::downgrade(registry) });
    #[cfg(feature = "conformance")]
    let own = fixtures::in_place_of(own);
    own
}

/// Some operations are on tasks: those who work on tasks do not keep them alive.
struct Skills {
    registry: Weak<Registry>,
}

impl TaskExecutor for Skills {
    fn may_begin_again(&self, skill: Option<&str>) -> bool {
        skill.and_then(Definition::named).is_none_or(|definition| definition.hints.read_only)
    }

    fn run(&self, work: Work) -> BoxFuture<'static, ()> {
        let registry = self.registry.upgrade();
        Box::pin(async move {
            let voice = Voice::of(&work);
            let Some(registry) = registry else {
                voice.end(TaskState::Failed, "The hub stops: send the message again.").await;
                return;
            };
            let chosen = choose::skill(&work);
            if let Chosen::Unknown(name) = &chosen {
                voice.end(TaskState::Rejected, &choose::unknown(name, &work.asked.caller)).await;
                return;
            }
            voice.begin(&chosen).await;
            let Ok(context) = work.conversation().await else {
                voice.end(TaskState::Failed, "What was said before could not be read.").await;
                return;
            };
            let ask = Ask::new(registry, &work, context);
            let done = match &chosen {
                Chosen::Hub(skill, _) => match skill.kind {
                    Kind::Routing => routing::route(&ask, &voice).await,
                    Kind::Quotas => reports::quotas(&ask).await,
                    Kind::Providers => reports::providers(&ask).await,
                    Kind::Cost => reports::cost(&ask).await,
                    Kind::Health => reports::health(&ask).await,
                    Kind::Capabilities => reports::capabilities(&ask).await,
                },
                Chosen::Operation(definition) => operation::perform(&ask, definition).await,
                Chosen::Unknown(_) => return,
            };
            if let Err(OpError::Denied(refusal)) = &done
                && refusal.code == Code::ShuttingDown
            {
                work.leave();
                return;
            }
            answer::tell(&voice, &chosen, done).await;
        })
    }
}

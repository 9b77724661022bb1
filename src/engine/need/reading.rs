//! Reads a request's needs from its facts, and from its body where the targets at hand make that worth a closer look.

use canon::{look, names};

use super::{Need, Wishes};
use crate::engine::{
    cost,
    plan::{Group, Node},
    ports::{Request, Task},
    settings::Strategy,
    task,
};

/// What the targets of a group make worth knowing.
#[derive(Debug, Clone, Copy, Default)]
struct Worth {
    /// Somebody cannot see pictures.
    pictures: bool,
    /// The smallest window that is known.
    window: Option<u64>,
    /// Somebody orders by what the request is about.
    task: bool,
    /// Somebody orders by how the request begins.
    beginning: bool,
    /// Somebody orders by what the request will cost.
    cost: bool,
}

impl Need {
    /// What a request needs of the targets in `group`.
    #[must_use]
    pub fn of(request: &Request, group: &Group, wishes: Option<Box<Wishes>>) -> Self {
        let facts = &request.facts;
        let mut need = Self {
            tools: facts.tools,
            structured: facts.structured,
            answer: facts.max_output,
            wishes,
            ..Self::default()
        };
        let worth = Worth::of(group);
        if worth.cost || need.wishes.as_ref().is_some_and(|wishes| wishes.max_cost.is_some()) {
            need.prompt = cost::prompt_tokens(&request.body);
        }
        if !matches!(request.task, Task::Generate) {
            need.answer = need.answer.filter(|_| request.task != Task::Embed).or(Some(0));
            return need;
        }
        let body = || std::str::from_utf8(&request.body).unwrap_or_default();
        let turns = || facts.spans.turns.clone().and_then(|span| body().get(span)).unwrap_or_default();
        if worth.pictures || worth.task {
            need.vision = look::shows_pictures(body());
        }
        // Half of what is estimated is certain. No token is shorter than a byte: a body of fewer bytes than twice the
        // window need not be looked at. Who asks for a longer window, or for being cut, is not to be told that it is too long.
        let long = |window| request.body.len() as u64 / 2 > window;
        if worth.window.is_some_and(long) && !is_made_to_fit(request) {
            need.prompt_at_least = look::tokens_of(body()) / 2;
        }
        if worth.task {
            let said = need.wishes.as_ref().and_then(|wishes| wishes.task);
            let detect = || task::detect(look::said_last(turns()), need.vision);
            need.task = Some(group.task.or(said).unwrap_or_else(detect));
        }
        if worth.beginning {
            need.beginning = Some(names::hash(look::beginning(turns())));
        }
        need
    }
}

/// Whether the provider is asked for a longer window than usual, or to cut what is too long.
fn is_made_to_fit(request: &Request) -> bool {
    let betas = request.headers.get_all("anthropic-beta").iter();
    let longer = betas.filter_map(|beta| beta.to_str().ok()).any(|beta| beta.contains("context-"));
    let body = std::str::from_utf8(&request.body).unwrap_or_default();
    longer || look::says(body, "truncation", "\"auto\"") || look::says(body, "context_management", "{")
}

impl Worth {
    fn of(group: &Group) -> Self {
        let mut worth = Self::default();
        worth.add(group);
        worth
    }

    fn add(&mut self, group: &Group) {
        self.task |= group.strategy == Strategy::Auto;
        self.cost |= matches!(group.strategy, Strategy::Auto | Strategy::CostOptimized);
        self.beginning |= group.strategy == Strategy::CacheOptimized;
        for member in &group.members {
            match &member.node {
                Node::Group(inner) => self.add(inner),
                Node::Target(target) => {
                    self.pictures |= target.facts.vision == Some(false);
                    self.window = [self.window, target.facts.context].into_iter().flatten().min();
                }
            }
        }
    }
}

//! What is best for a kind of work: a small table of how good families of models are at it, what was seen of them lately, and
//! prices. Nothing is asked and no turn is taken.

use std::collections::BTreeSet;

use canon::Dialect;
use operations::reports::{BestForTask, BestForTaskArgs, Suitable};

use super::Reports;
use crate::{
    engine::{
        caller::Caller,
        cost,
        need::Need,
        ports::Target,
        settings::Usd,
        task::{self, TaskKind},
    },
    ops::completions,
};

/// Tokens of the request that is thought of.
const PROMPT: u64 = 2000;
/// Tokens of its answer.
const ANSWER: u64 = 500;
/// Combos and models that are looked at.
const MOST: usize = 500;
/// Alternatives that are told.
const ALTERNATIVES: usize = 5;
/// What a family of models that the table does not know is taken for, in thousandths.
const UNKNOWN: u32 = 500;
/// What a model of which nothing was seen is taken for, in thousandths.
const UNSEEN: u32 = 900;

impl Reports {
    /// What is best for a kind of work, within bounds.
    #[must_use]
    pub fn best(&self, caller: &Caller, args: &BestForTaskArgs) -> BestForTask {
        let kind = completions::task(args.task_type);
        let snapshot = self.engine.snapshot();
        let combos: Vec<String> =
            snapshot.settings.combos.iter().map(|combo| combo.id.to_string()).take(MOST).collect();
        let listed = snapshot.settings.connections.iter().flat_map(|connection| {
            let hidden = &snapshot.settings.routing.hidden;
            let shown = move |model: &&std::sync::Arc<str>| !hidden.hides(&connection.id, model);
            connection.models.listed.iter().filter(shown)
        });
        let models: BTreeSet<&str> = listed.map(|model| &**model).take(MOST).collect();
        let named = combos
            .iter()
            .map(|name| (name.as_str(), true))
            .chain(models.into_iter().map(|name| (name, false)));
        let mut suitable: Vec<Suitable> =
            named.filter_map(|(name, is_combo)| self.suitable(caller, name, is_combo, kind)).collect();
        suitable.retain(|one| within(one, args));
        // The best first; of equals a combo, which has somebody to fall back on, and then the cheaper one.
        suitable.sort_by(|a, b| {
            let dear = |one: &Suitable| one.cost_usd.unwrap_or(f64::MAX);
            let order = (score(b), b.is_combo).cmp(&(score(a), a.is_combo));
            order.then(dear(a).total_cmp(&dear(b)))
        });
        let free = suitable.iter().find(|one| one.free).cloned();
        let mut suitable = suitable.into_iter();
        let recommended = suitable.next();
        BestForTask {
            task_type: args.task_type,
            reason: reason(recommended.as_ref(), kind),
            recommended,
            alternatives: suitable.take(ALTERNATIVES).collect(),
            free,
        }
    }

    /// What would answer first under a name; `None` where nobody can now, or the caller may not ask.
    fn suitable(&self, caller: &Caller, name: &str, is_combo: bool, kind: TaskKind) -> Option<Suitable> {
        let need = Need { prompt: PROMPT, answer: Some(ANSWER), task: Some(kind), ..Need::default() };
        let asked = if is_combo { format!("combo/{name}") } else { name.to_owned() };
        let plan = self.engine.simulate(caller, &asked, Dialect::Chat, &need).ok()?;
        let target: &Target = plan.targets.first()?;
        let seen = self.engine.seen(target);
        Some(Suitable {
            name: name.to_owned(),
            is_combo,
            model: target.model.to_string(),
            provider: target.connection.provider.id.clone(),
            fit: task::fit(&target.model, kind),
            success: seen.success,
            p95_ms: seen.p95_ms,
            cost_usd: cost::expected(&target.facts, PROMPT, ANSWER).map(Usd::dollars),
            free: target.connection.is_free(&target.facts),
        })
    }
}

fn within(one: &Suitable, args: &BestForTaskArgs) -> bool {
    let cheap = args.max_cost.is_none_or(|most| one.free || one.cost_usd.is_some_and(|cost| cost <= most));
    cheap && args.max_latency_ms.is_none_or(|most| one.p95_ms.is_none_or(|p95| p95 <= most))
}

/// How good it is at the work, times how often it succeeds.
fn score(one: &Suitable) -> u32 {
    one.fit.map_or(UNKNOWN, u32::from) * one.success.map_or(UNSEEN, u32::from)
}

fn reason(best: Option<&Suitable>, kind: TaskKind) -> String {
    let Some(best) = best else {
        return "nothing that the caller may ask can be used now within these bounds".to_owned();
    };
    let kind = kind.as_str();
    let fit = match best.fit {
        Some(fit) => format!("`{}` is rated {fit} of 1000 at {kind}", best.model),
        None => format!("nothing is known of how good `{}` is at {kind}", best.model),
    };
    let seen = match (best.success, best.p95_ms) {
        (Some(success), Some(p95)) => {
            format!("{success} of 1000 of its last attempts succeeded, the first content within {p95} ms")
        }
        (Some(success), None) => format!("{success} of 1000 of its last attempts succeeded"),
        (None, _) => "it was not asked in the last hour".to_owned(),
    };
    let cost = match best.cost_usd {
        _ if best.free => "it costs nothing".to_owned(),
        Some(cost) => {
            format!("a request of {PROMPT} tokens and an answer of {ANSWER} costs about ${cost:.4}")
        }
        None => "its price is not known".to_owned(),
    };
    format!("{fit}; {seen}; {cost}")
}

//! Operations that answer "why". Both ask the planner itself: a simulation of what is known now, an explanation of what was
//! known then.

use std::{collections::BTreeMap, sync::Arc};

use operations::{
    Invalid, Operation,
    routing::{
        Attempt, CandidateView, Decision, Explain, ExplainRoute, Explanation, LeftOut, Simulate,
        SimulateRoute,
    },
};

use super::{
    OpError,
    error::require,
    own,
    ports::{ReceiptLog, ReceiptRow},
};
use crate::engine::{
    Engine,
    caller::Caller,
    code::Code,
    need::{self, Need, Wishes},
    plan::{self, Leaf, Made, Signals, State, auto::Score},
    task,
};

/// Executes the operations on routing.
#[derive(Clone)]
pub struct Routing {
    engine: Arc<Engine>,
    receipts: Arc<dyn ReceiptLog>,
}

impl Routing {
    /// Operations on an engine and the receipts that it wrote.
    #[must_use]
    pub fn new(engine: Arc<Engine>, receipts: Arc<dyn ReceiptLog>) -> Self {
        Self { engine, receipts }
    }

    /// Says where a request would go.
    ///
    /// # Errors
    /// [`OpError`]; not found when the name means nothing here.
    pub fn simulate(&self, caller: &Caller, args: SimulateRoute) -> Result<Decision, OpError> {
        require(caller, Simulate::SCOPE)?;
        let args = Simulate::check(args)?;
        let dialect = need::dialect(args.dialect.as_deref())
            .ok_or_else(|| Invalid::new("dialect", "must be one of chat, responses, messages and gemini"))?;
        let need = need(&args);
        let plan =
            self.engine.simulate(caller, &args.model, dialect, &need).map_err(|refusal| {
                match refusal.code {
                    Code::ModelNotAllowed => OpError::Denied(Box::new(refusal)),
                    _ => OpError::Refused(refusal.message.into()),
                }
            })?;
        let mut decision = match &plan.made {
            Some(made) => decision(made),
            None => Decision {
                order: plan
                    .targets
                    .iter()
                    .map(|target| CandidateView {
                        connection: target.connection.id.to_string(),
                        model: target.model.to_string(),
                        ..CandidateView::default()
                    })
                    .collect(),
                ..Decision::default()
            },
        };
        decision.task = need.task.map(|task| task.as_str().to_owned());
        decision.model = args.model;
        plan.strategy.as_str().clone_into(&mut decision.strategy);
        decision.left_out = plan.skipped.iter().map(|skip| left_out(&skip.record())).collect();
        Ok(decision)
    }

    /// Says what happened to a request.
    ///
    /// # Errors
    /// [`OpError`]; not found when there is no receipt of it that the caller sees.
    pub async fn explain(&self, caller: &Caller, args: ExplainRoute) -> Result<Explanation, OpError> {
        explain(&*self.receipts, caller, args).await
    }
}

/// Says what happened to a request, by the receipts alone.
///
/// # Errors
/// As [`Routing::explain`].
pub async fn explain(
    receipts: &dyn ReceiptLog,
    caller: &Caller,
    args: ExplainRoute,
) -> Result<Explanation, OpError> {
    require(caller, Explain::SCOPE)?;
    let ExplainRoute { request_id } = Explain::check(args)?;
    let failed = |error| OpError::Store(Box::new(error));
    let row = receipts.by_id(request_id.clone()).await.map_err(failed)?;
    let Some(row) = row.filter(|row| own::sees(caller, &row.caller)) else {
        return Err(OpError::NotFound { noun: "receipt of the request", name: request_id });
    };
    let kept = receipts.plan_of(request_id).await.map_err(failed)?;
    // A plan that another version wrote may not be readable: what else is known is told all the same.
    let made = kept.and_then(|kept| serde_json::from_str::<Made>(&kept).ok());
    Ok(explanation(row, made.as_ref()))
}

fn explanation(row: ReceiptRow, made: Option<&Made>) -> Explanation {
    let detail = row.detail;
    let mut decision = made.map(decision).unwrap_or_default();
    decision.model = row.model;
    decision.strategy = detail.strategy;
    decision.left_out = detail.skipped.into_iter().map(super::traces::left_out).collect();
    let attempts: Vec<Attempt> = detail.attempts.into_iter().map(super::traces::attempt).collect();
    if made.is_none() {
        // One place to go, and so no plan to keep: it was what was tried.
        let mut order: Vec<CandidateView> = Vec::new();
        for attempt in &attempts {
            if !order.iter().any(|one| one.connection == attempt.connection && one.model == attempt.model) {
                order.push(CandidateView {
                    connection: attempt.connection.clone(),
                    model: attempt.model.clone(),
                    ..CandidateView::default()
                });
            }
        }
        decision.order = order;
    }
    Explanation {
        request_id: row.id,
        arrived_at: row.at,
        caller: row.caller,
        status: row.status,
        outcome: row.outcome,
        error: detail.error,
        decision,
        attempts,
        input_tokens: row.input_tokens,
        output_tokens: row.output_tokens,
        cost_usd: row.cost.map(crate::engine::settings::Usd::dollars),
        first_content_ms: detail.first_content_ms,
        total_ms: row.total_ms,
        edits: detail.edits,
        losses: detail.losses,
    }
}

/// The needs of a request that is not made.
fn need(args: &SimulateRoute) -> Need {
    let wishes = Wishes {
        order: args.order.clone(),
        only: args.only.clone(),
        ignore: args.ignore.clone(),
        ..Wishes::default()
    };
    let prompt = args.prompt_tokens.unwrap_or_default();
    Need {
        tools: args.tools,
        vision: args.vision,
        structured: args.structured,
        prompt,
        prompt_at_least: prompt,
        answer: args.max_tokens,
        task: args.text.as_deref().map(|text| task::detect(text, args.vision)),
        wishes: (wishes != Wishes::default()).then(|| Box::new(wishes)),
        ..Need::default()
    }
}

/// Tells a decision, which is made again for that.
fn decision(kept: &Made) -> Decision {
    let inputs = &kept.inputs;
    let made = plan::decide(inputs);
    let leaves: Vec<&Leaf> = inputs.root.leaves().collect();
    let candidate = |at: &usize| {
        let leaf = leaves.get(*at)?;
        let score = made.scores.iter().find(|(scored, _)| scored == at).map(|(_, score)| score);
        Some(CandidateView {
            connection: leaf.connection.to_string(),
            model: leaf.model.to_string(),
            recovering: leaf.state == State::Recovering,
            signals: signals(&leaf.signals),
            score: score.map(factors).unwrap_or_default(),
        })
    };
    let by_session = inputs.affine.is_some_and(|affine| kept.order.first() == Some(&affine));
    Decision {
        order: kept.order.iter().filter_map(candidate).collect(),
        differs: made.order != kept.order,
        weights: inputs.root.scoring.as_deref().map(weights).unwrap_or_default(),
        by_session,
        seed: Some(format!("{:016x}", inputs.seed)),
        ..Decision::default()
    }
}

fn weights(scoring: &plan::auto::Scoring) -> BTreeMap<String, u32> {
    let weights = scoring.weights;
    [
        ("quota", weights.quota),
        ("health", weights.health),
        ("cost", weights.cost),
        ("latency", weights.latency),
        ("task", weights.task),
        ("stability", weights.stability),
    ]
    .map(|(name, weight)| (name.to_owned(), u32::from(weight)))
    .into()
}

fn factors(score: &Score) -> BTreeMap<String, u32> {
    [
        ("quota", u32::from(score.quota)),
        ("health", u32::from(score.health)),
        ("cost", u32::from(score.cost)),
        ("latency", u32::from(score.latency)),
        ("task", u32::from(score.task)),
        ("stability", u32::from(score.stability)),
        ("total", score.total),
    ]
    .map(|(name, factor)| (name.to_owned(), factor))
    .into()
}

/// What was known, without what was not.
fn signals(signals: &Signals) -> BTreeMap<String, i64> {
    let wide = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let of_share = |share: Option<plan::Share>| share.map(|share| i64::from(share.used));
    [
        ("in_flight", (signals.in_flight > 0).then_some(i64::from(signals.in_flight))),
        ("used", (signals.used > 0).then_some(i64::from(signals.used))),
        ("p95_ms", signals.p95_ms.map(i64::from)),
        ("success", signals.success.map(i64::from)),
        ("breaker", signals.breaker.map(i64::from)),
        ("left", signals.left.map(i64::from)),
        ("five_hours_used", of_share(signals.five_hours)),
        ("week_used", of_share(signals.week)),
        ("resets_at", signals.resets_at),
        ("cost", signals.cost.map(wide)),
        ("context", signals.context.map(wide)),
        ("rank", signals.rank.map(i64::from)),
        ("task_fit", signals.task_fit.map(i64::from)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect()
}

fn left_out(skip: &crate::engine::receipt::SkipRecord) -> LeftOut {
    LeftOut {
        connection: skip.connection.to_string(),
        model: skip.model.to_string(),
        reason: skip.reason.clone(),
        until_at: skip.until,
    }
}

//! `trivium simulate-route` and `trivium explain`: what was decided, for people to read.

use std::process::ExitCode;

use clap::Args;
use operations::routing::{
    CandidateView, Decision, Explain, ExplainRoute, Explanation, LeftOut, Simulate, SimulateRoute,
};

use super::{
    Common,
    output::{bold, print, say},
    place::at_place,
};

#[derive(Args)]
pub(super) struct SimulateArgs {
    /// The model, combo or `auto…`, as a client would name it
    model: String,
    /// The client's dialect: chat, responses, messages or gemini
    #[arg(long, value_name = "DIALECT")]
    dialect: Option<String>,
    /// The request brings tools
    #[arg(long)]
    tools: bool,
    /// The request shows pictures
    #[arg(long)]
    vision: bool,
    /// The request wants an answer after a schema
    #[arg(long)]
    structured: bool,
    /// The tokens of its prompt
    #[arg(long, value_name = "TOKENS")]
    prompt_tokens: Option<u64>,
    /// The most tokens that its answer may have
    #[arg(long, value_name = "TOKENS")]
    max_tokens: Option<u64>,
    /// What its last message says, for strategies that look at what a request is about
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Providers or connections that may be used (commas between them)
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<String>,
    /// Providers or connections that may not be used (commas between them)
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Providers or connections that go first (commas between them)
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    order: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct ExplainArgs {
    /// The value of `x-request-id` in the answer
    request_id: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn simulate(args: SimulateArgs, common: &Common) -> ExitCode {
    let json = args.json;
    let asked = SimulateRoute {
        model: args.model,
        dialect: args.dialect,
        tools: args.tools,
        vision: args.vision,
        structured: args.structured,
        prompt_tokens: args.prompt_tokens,
        max_tokens: args.max_tokens,
        text: args.text,
        order: args.order,
        only: args.only,
        ignore: args.ignore,
    };
    at_place(common, async |place| {
        let decision = place.call::<Simulate>(asked).await?;
        if json {
            return print(&decision);
        }
        show(&decision);
        Ok(())
    })
}

pub(super) fn explain(args: ExplainArgs, common: &Common) -> ExitCode {
    let ExplainArgs { request_id, json } = args;
    at_place(common, async |place| {
        let explanation = place.call::<Explain>(ExplainRoute { request_id }).await?;
        if json {
            return print(&explanation);
        }
        tell(&explanation);
        Ok(())
    })
}

fn show(decision: &Decision) {
    let task = decision.task.as_ref().map_or_else(String::new, |task| format!(", about {task}"));
    say(&bold(&format!("{} by {}{task}", decision.model, decision.strategy)));
    if !decision.weights.is_empty() {
        let weights: Vec<String> =
            decision.weights.iter().map(|(name, weight)| format!("{name} {weight}")).collect();
        say(&format!("  weights: {}", weights.join(", ")));
    }
    if decision.order.is_empty() {
        say("  nowhere to go");
    }
    for (nth, candidate) in decision.order.iter().enumerate() {
        let why = if nth == 0 && decision.by_session { "  its session belongs there" } else { "" };
        say(&format!("{:>3}. {}{why}", nth + 1, candidate_line(candidate)));
    }
    for LeftOut { connection, model, reason, .. } in &decision.left_out {
        say(&format!("   - {connection} {model}: {reason}"));
    }
}

fn candidate_line(candidate: &CandidateView) -> String {
    let mut line = format!("{} {}", candidate.connection, candidate.model);
    if candidate.recovering {
        line.push_str("  (failed a moment ago)");
    }
    if let Some(total) = candidate.score.get("total") {
        let factors: Vec<String> = candidate
            .score
            .iter()
            .filter(|(name, _)| *name != "total")
            .map(|(name, factor)| format!("{name} {}", thousandths(*factor)))
            .collect();
        line.push_str(&format!("  score {} ({})", thousandths(total / 1000), factors.join(", ")));
    } else if !candidate.signals.is_empty() {
        let signals: Vec<String> =
            candidate.signals.iter().map(|(name, value)| format!("{name} {value}")).collect();
        line.push_str(&format!("  {}", signals.join(", ")));
    }
    line
}

fn thousandths(number: u32) -> String {
    format!("{}.{:03}", number / 1000, number % 1000)
}

fn tell(explanation: &Explanation) {
    let error = explanation.error.as_ref().map_or_else(String::new, |error| format!(" ({error})"));
    say(&bold(&format!("{}: {} {}{error}", explanation.request_id, explanation.status, explanation.outcome)));
    let tokens = match (explanation.input_tokens, explanation.output_tokens) {
        (Some(input), Some(output)) => format!(", {input} tokens in, {output} out"),
        _ => String::new(),
    };
    let cost = explanation.cost_usd.map_or_else(String::new, |cost| format!(", ${cost}"));
    say(&format!("  {} ms, asked by {}{tokens}{cost}", explanation.total_ms, explanation.caller));
    say(&bold("planned"));
    show(&explanation.decision);
    say(&bold("tried"));
    for attempt in &explanation.attempts {
        let outcome = match (&attempt.fault, &attempt.message) {
            (None, _) => "served the answer".to_owned(),
            (Some(fault), None) => fault.clone(),
            (Some(fault), Some(message)) => format!("{fault}: {message}"),
        };
        say(&format!(
            "  after {} ms: {} {} ({} ms): {outcome}",
            attempt.started_ms, attempt.connection, attempt.model, attempt.took_ms
        ));
    }
    for (what, list) in [("changed", &explanation.edits), ("lost in translation", &explanation.losses)] {
        if !list.is_empty() {
            say(&format!("  {what}: {}", list.join(", ")));
        }
    }
}

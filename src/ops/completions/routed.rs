//! What became of a request, for whoever had it made: the answer, and the receipt in the words of operations.

use operations::{
    Scope,
    completions::{RoutedAnswer, RoutedBy, SpokenAnswer, TokenCounts},
    routing::Attempt,
};

use super::Outcome;
use crate::{
    engine::{
        caller::Caller,
        receipt::{AttemptRecord, Receipt, Reuse},
        refusal::Refusal,
        settings::Usd,
    },
    ops::OpError,
};

/// The answer with how it came about; or why there is none.
pub(super) fn answer(done: Outcome, combo: Option<String>, caller: &Caller) -> Result<RoutedAnswer, OpError> {
    let Outcome { id, said, receipt } = done;
    let said = said.map_err(|refusal| OpError::Denied(Box::new(named(*refusal, &id))))?;
    let usage = receipt.as_ref().and_then(|receipt| receipt.usage);
    let tokens =
        TokenCounts { input: usage.map(|usage| usage.input), output: usage.map(|usage| usage.output) };
    let routing = receipt.as_ref().map(|receipt| routing(receipt, combo, caller)).unwrap_or_default();
    let served = receipt.as_ref().and_then(|receipt| Some(receipt.attempts.last()?.model.to_string()));
    Ok(RoutedAnswer {
        request_id: id,
        response: SpokenAnswer {
            content: said.text,
            model: said.model.or(served).unwrap_or_default(),
            finish_reason: said.finish,
            tokens,
        },
        routing,
    })
}

/// A refusal that names its request. It is told in the hub's words and with its status: nobody here speaks the provider's
/// dialect.
fn named(refusal: Refusal, id: &str) -> Refusal {
    let message = format!("{} The request is `{id}`.", refusal.message);
    Refusal { message: message.into_boxed_str(), passed_on: None, upstream_status: None, ..refusal }
}

fn routing(receipt: &Receipt, combo: Option<String>, caller: &Caller) -> RoutedBy {
    let last = receipt.attempts.last().filter(|attempt| attempt.fault.is_none());
    let failed = receipt.attempts.iter().filter(|attempt| attempt.fault.is_some()).count();
    RoutedBy {
        provider: last.map(|attempt| attempt.provider.to_string()),
        connection: last.map(|attempt| attempt.connection.to_string()),
        combo,
        attempts: receipt.attempts.iter().map(|record| attempt(record, caller)).collect(),
        fallbacks_triggered: u64::try_from(failed).unwrap_or(u64::MAX),
        cost_usd: receipt.cost.map(Usd::dollars),
        cost_estimated: receipt.cost_estimated,
        reused: receipt.reused.map(Reuse::as_str).map(str::to_owned),
        latency_ms: receipt.total_ms,
        explanation: explanation(receipt),
    }
}

/// An attempt as `explain_route` tells it. What providers say of accounts is for those who may see how they stand.
fn attempt(record: &AttemptRecord, caller: &Caller) -> Attempt {
    Attempt {
        connection: record.connection.to_string(),
        provider: record.provider.to_string(),
        model: record.model.to_string(),
        started_ms: record.started_ms,
        took_ms: record.took_ms,
        fault: record.fault.map(|fault| fault.as_str().to_owned()),
        status: record.status,
        message: record.message.clone().filter(|_| caller.may(Scope::ReadHealth)),
    }
}

/// The decision in a few words.
fn explanation(receipt: &Receipt) -> String {
    if let Some(reused) = receipt.reused {
        return format!(
            "{}: the answer was made for a request like it, and nobody was asked",
            reused.as_str()
        );
    }
    let mut parts = Vec::new();
    if !receipt.strategy.is_empty() {
        parts.push(format!("`{}` ordered the targets", receipt.strategy));
    }
    let shapes: Vec<&str> = receipt.shaped.iter().map(|shape| shape.as_str()).collect();
    if !shapes.is_empty() {
        parts.push(format!("sent elsewhere as {}", shapes.join(", ")));
    }
    parts.extend(receipt.attempts.iter().map(|attempt| match attempt.fault {
        Some(fault) => format!("{}/{} failed ({fault})", attempt.connection, attempt.model),
        None => format!("{}/{} answered", attempt.connection, attempt.model),
    }));
    if !receipt.skipped.is_empty() {
        let kind = |reason: &str| reason.split(':').next().unwrap_or_default().to_owned();
        let skips = receipt.skipped.iter().take(8);
        let skips: Vec<String> =
            skips.map(|skip| format!("{} ({})", skip.connection, kind(&skip.reason))).collect();
        parts.push(format!("left out: {}", skips.join(", ")));
    }
    parts.join("; ")
}

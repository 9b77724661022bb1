//! What a client is told when there is nowhere to go: every target is left out, or every one that was tried failed.

use std::{collections::BTreeMap, time::Duration};

use super::{
    code::Code,
    fault::{Fault, FaultKind},
    health::Cooldown,
    plan::{Bar, Skip},
    ports::Target,
    refusal::Refusal,
};

/// No target of a plan can be used.
pub(super) fn left_out(model: &str, skipped: &[Skip], now: i64) -> Refusal {
    let cooling: Vec<&Cooldown> = skipped.iter().filter_map(Skip::cooldown).collect();
    if cooling.is_empty() {
        return unfit(model, skipped);
    }
    if cooling.iter().all(|cooldown| cooldown.kind == FaultKind::ModelNotFound) {
        let who = names(skipped.iter().filter(|skip| skip.cooldown().is_some()).map(|skip| &skip.target));
        return Refusal::new(Code::ModelNotFound, format!("The model `{model}` is unknown to {who}."))
            .about("model");
    }
    let exhausted = cooling.iter().all(|cooldown| cooldown.kind.is_exhaustion());
    let until = cooling.iter().map(|cooldown| cooldown.until).min().unwrap_or(now);
    let wait = Duration::from_millis((until - now).max(0).unsigned_abs());
    let (code, what) = if exhausted {
        (Code::RateLimited, "has used up its limits")
    } else {
        (Code::AllCoolingDown, "is out of use for a while")
    };
    let text = format!(
        "Every connection that serves `{model}` {what} ({}). The first one is back in {} s.",
        kinds(&cooling),
        wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)),
    );
    Refusal::new(code, text).retry_after(wait)
}

/// Nobody is cooling down: it is the request itself that no target fits.
fn unfit(model: &str, skipped: &[Skip]) -> Refusal {
    if !skipped.is_empty() && skipped.iter().all(|skip| skip.bar == Bar::NotAllowed) {
        let text = format!("Your key may not use anything that `{model}` means.");
        return Refusal::new(Code::ModelNotAllowed, text).about("model");
    }
    let windows = skipped.iter().map(|skip| match skip.bar {
        Bar::TooSmall { window, needs } => Some((window, needs)),
        _ => None,
    });
    // Only where size alone is in the way is it what the client should hear of.
    if let Some((window, needs)) = windows.collect::<Option<Vec<_>>>().and_then(|all| all.into_iter().max()) {
        let text = format!(
            "The request needs about {needs} tokens or more, and the largest context window that serves `{model}` has {window}."
        );
        return Refusal::new(Code::ContextLengthExceeded, text);
    }
    let mut reasons: Vec<String> = skipped.iter().map(|skip| skip.bar.to_string()).collect();
    reasons.sort();
    reasons.dedup();
    let text =
        format!("No target that `{model}` means can be used for this request: {}.", reasons.join("; "));
    Refusal::new(Code::NoExecutableTargets, text)
}

/// Every target that was tried failed.
pub(super) fn all_failed(model: &str, failed: &[(Target, Fault)]) -> Refusal {
    if failed.iter().all(|(_, fault)| fault.kind == FaultKind::Unserved && fault.status == Some(404)) {
        let who = names(failed.iter().map(|(target, _)| target));
        let text = format!("The model `{model}` is unknown to {who}, or cannot do this there.");
        return Refusal::new(Code::ModelNotFound, text).about("model");
    }
    let timed_out = failed.iter().all(|(_, fault)| matches!(fault.kind, FaultKind::TimedOut(_)));
    let code = if timed_out { Code::DeadlineExceeded } else { Code::AllFailed };
    let who = names(failed.iter().map(|(target, _)| target));
    Refusal::new(code, format!("No connection could answer for `{model}`; tried: {who}."))
}

/// No account had a turn for the request.
pub(super) fn no_turn(code: Code, model: &str) -> Refusal {
    let text = format!("Every connection that serves `{model}` is used at its pace, and others are waiting.");
    Refusal::new(code, text).retry_after(Duration::from_secs(1))
}

/// How many are left alone for which reason. Which ones they are is for callers who may see the topology.
fn kinds(cooling: &[&Cooldown]) -> String {
    let mut counts = BTreeMap::new();
    for cooldown in cooling {
        *counts.entry(cooldown.kind.as_str()).or_insert(0_usize) += 1;
    }
    counts.into_iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", ")
}

/// Which providers were tried. Connections' ids are for callers who may see the topology, so they are not named.
fn names<'a>(targets: impl Iterator<Item = &'a Target>) -> String {
    let mut names: Vec<&str> = targets.map(|target| target.connection.provider.name.as_str()).collect();
    names.dedup();
    names.join(", ")
}

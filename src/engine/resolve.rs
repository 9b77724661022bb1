//! Which targets a request may go to at all: by its model's name, by what it asks for, and by what it goes on from.

use canon::Dialect;

use super::{
    caller::Caller,
    code::Code,
    pipeline::{Inbound, Keeper, Snapshot},
    plan::{Group, Unresolved},
    policy,
    ports::{Target, Task},
    refusal::Refusal,
};

/// The targets that a request may go to, of which its caller may use one at least.
pub(super) fn candidates(snapshot: &Snapshot, inbound: &Inbound) -> Result<Group, Refusal> {
    let candidates = fitting(snapshot, inbound)?;
    policy::choose(&inbound.caller, snapshot, asked(inbound), &candidates)?;
    Ok(candidates)
}

/// The name that the client asked for, which may not be the one that is answered under.
pub(super) fn asked(inbound: &Inbound) -> &str {
    inbound.shaped.asked.as_ref().unwrap_or(&inbound.request.facts.model)
}

/// The targets that a name means, of which `caller` may use one at least.
pub(super) fn named(
    snapshot: &Snapshot,
    caller: &Caller,
    name: &str,
    dialect: Dialect,
) -> Result<Group, Refusal> {
    let found = snapshot.directory.resolve(name, dialect);
    let candidates = found.map_err(|why| unresolved(name, told(why, caller)))?;
    policy::choose(caller, snapshot, name, &candidates)?;
    Ok(candidates)
}

/// Names like an unknown one are not told to those who may not ask for every one.
fn told(why: Unresolved, caller: &Caller) -> Unresolved {
    match why {
        Unresolved::Unknown { .. } | Unresolved::Ambiguous { .. }
            if caller.policy.as_ref().is_some_and(|policy| policy.chooses()) =>
        {
            Unresolved::Unknown { near: Vec::new() }
        }
        why => why,
    }
}

fn fitting(snapshot: &Snapshot, inbound: &Inbound) -> Result<Group, Refusal> {
    let (request, name) = (&inbound.request, &inbound.request.facts.model);
    if let (Task::Kept { .. }, Some(pin)) = (&request.task, &inbound.pin) {
        return snapshot.directory.pinned(pin, request.dialect).ok_or_else(gone);
    }
    let mut candidates = snapshot
        .directory
        .resolve(name, request.dialect)
        .map_err(|why| unresolved(name, told(why, &inbound.caller)))?;
    if !request.task.is_translated() {
        candidates.retain(&|target| target.dialect == request.dialect);
        if candidates.is_empty() {
            let text = format!(
                "No connection that serves `{name}` can do this: it takes the {} dialect.",
                request.dialect
            );
            return Err(Refusal::new(Code::NotSupported, text));
        }
    }
    if let Some(pin) = &inbound.pin {
        candidates.retain(&|target| is_pinned(target, pin) && target.dialect == request.dialect);
        if candidates.is_empty() {
            return Err(gone());
        }
    }
    if let Some(tag) = inbound.tag {
        candidates.retain(&|target| target.connection.models.is_tagged(&target.model, tag));
        if candidates.is_empty() {
            let text = format!(
                "No model that `{name}` means is tagged `{tag}`: tag those that can do it under `models` in the configuration."
            );
            return Err(Refusal::new(Code::NotSupported, text));
        }
    }
    if request.searches {
        candidates.for_each(&prefer_its_search);
    }
    Ok(candidates)
}

/// Chat has no tool for a web search, and the other dialects do: a target that speaks one of them is asked in it, unless
/// its row knows how it is asked in chat.
fn prefer_its_search(target: &mut Target) {
    if target.dialect != Dialect::Chat || target.connection.provider.web_search.is_some() {
        return;
    }
    let connection = &target.connection;
    let others = [
        connection.provider.prefers,
        Some(Dialect::Responses),
        Some(Dialect::Messages),
        Some(Dialect::Gemini),
    ];
    let speaks = |dialect: &Dialect| {
        *dialect != Dialect::Chat && connection.dialect_for(&target.model, *dialect) == Some(*dialect)
    };
    if let Some(dialect) = others.into_iter().flatten().find(speaks) {
        target.dialect = dialect;
    }
}

fn is_pinned(target: &Target, pin: &Keeper) -> bool {
    target.connection.id == pin.connection && target.connection.fingerprint == pin.fingerprint
}

fn gone() -> Refusal {
    Refusal::new(
        Code::PreviousResponseNotFound,
        "The connection that keeps the earlier response is not configured any more, or does not serve this model.",
    )
}

/// What a client is told of a name that means nothing here.
fn unresolved(name: &str, why: Unresolved) -> Refusal {
    let (code, text) = match why {
        Unresolved::NoConnections => {
            (Code::NoConnections, "No connection to a provider is configured.".to_owned())
        }
        Unresolved::Unknown { near } if near.is_empty() => {
            (Code::ModelNotFound, format!("No connection serves a model named `{name}`."))
        }
        Unresolved::Unknown { near } => (
            Code::ModelNotFound,
            format!("No connection serves a model named `{name}`. Near it: `{}`.", near.join("`, `")),
        ),
        Unresolved::Ambiguous { options } => (
            Code::ModelAmbiguous,
            format!("`{name}` means different models here: `{}`.", options.join("` or `")),
        ),
        Unresolved::Declined { name: provider, reason, instead } => {
            (Code::ProviderDeclined, format!("{provider} is not served: {reason} {instead}"))
        }
        Unresolved::EmptyCombo { id } => (
            Code::ModelNotFound,
            format!(
                "None of the steps of the combo `{id}` can be used: their connections are switched off or have no key."
            ),
        ),
        Unresolved::NotConfigured { provider } => (
            Code::ProviderNotConfigured,
            format!("No connection to the provider `{provider}` is configured."),
        ),
    };
    Refusal::new(code, text).about("model")
}

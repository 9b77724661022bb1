//! What a caller may do. Every surface asks here, and operations do too, so that a key means the same everywhere. The order
//! is: whether it is disabled, from where and when it may come, what it may ask for, what it may spend, how often it may
//! ask. A caller of whom nothing of that is said costs a look at an option.

mod preview;
mod rates;

use operations::Scope;

use super::{
    budget::Denied,
    caller::{Caller, Policy},
    code::Code,
    pipeline::{Engine, Inbound, Snapshot},
    plan::Group,
    ports::{Target, Task},
    refusal::Refusal,
    resolve,
    settings::KeyLimits,
};

pub use preview::Preview;
pub use rates::{Gauge, Rates, Ticket, Told};

/// Checks that `caller` holds `scope`.
///
/// # Errors
/// When it does not.
pub fn require(caller: &Caller, scope: Scope) -> Result<(), Refusal> {
    if caller.may(scope) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::InsufficientScope,
        format!("The key `{}` does not hold the scope `{scope}`, which this needs.", caller.name),
    ))
}

/// Checks that `caller` may come in at all at `now` (milliseconds since the Unix epoch), whatever it wants: for whoever
/// identifies callers.
///
/// # Errors
/// When it is disabled, comes from the wrong place, or at the wrong time.
pub fn enter(caller: &Caller, now: i64) -> Result<(), Refusal> {
    let Some(policy) = &caller.policy else { return Ok(()) };
    let name = &caller.name;
    if let Some(reason) = &policy.disabled {
        let text = match &**reason {
            "" => format!("The key `{name}` is disabled."),
            reason => format!("The key `{name}` is disabled: {reason}."),
        };
        return Err(Refusal::new(Code::KeyDisabled, text));
    }
    if !policy.admits(caller.address) {
        let text = format!("The key `{name}` may not be used from your address.");
        return Err(Refusal::new(Code::AddressNotAllowed, text));
    }
    if policy.hours.is_some_and(|hours| !hours.has(now)) {
        return Err(Refusal::new(
            Code::OutsideSchedule,
            format!("The key `{name}` may not be used at this time."),
        ));
    }
    Ok(())
}

/// What a caller's policy says of one name, for asking about its targets.
#[derive(Clone, Copy)]
pub(super) struct Choice<'a> {
    policy: &'a Policy,
    opened: bool,
}

impl Choice<'_> {
    pub(super) fn may_use(&self, target: &Target) -> bool {
        self.policy.may_use(target, self.opened)
    }
}

/// The choice that `caller` has for a name; `None`, as usual, where it has every one.
///
/// # Errors
/// When the name itself may not be asked for.
pub(super) fn choice<'a>(
    caller: &'a Caller,
    snapshot: &Snapshot,
    name: &str,
) -> Result<Option<Choice<'a>>, Refusal> {
    let Some(policy) = caller.policy.as_deref().filter(|policy| policy.chooses()) else { return Ok(None) };
    let (means, several) = (snapshot.meaning(name), snapshot.directory.is_several(name));
    if !policy.may_ask(name, means, several) {
        return Err(not_allowed(caller, name));
    }
    Ok(Some(Choice { policy, opened: policy.opens(name, means, several) }))
}

/// Checks that at least one of `candidates` is for `caller`. The others are left out when the plan is made, with the reason.
///
/// # Errors
/// When none is, or the name itself may not be asked for.
pub(super) fn choose(
    caller: &Caller,
    snapshot: &Snapshot,
    name: &str,
    candidates: &Group,
) -> Result<(), Refusal> {
    match choice(caller, snapshot, name)? {
        Some(choice) if !candidates.any(&|target| choice.may_use(target)) => Err(not_allowed(caller, name)),
        _ => Ok(()),
    }
}

fn not_allowed(caller: &Caller, name: &str) -> Refusal {
    let what = if name.is_empty() { "what keeps it".to_owned() } else { format!("`{name}`") };
    Refusal::new(Code::ModelNotAllowed, format!("The key `{}` may not use {what}.", caller.name))
        .about("model")
}

impl Engine {
    /// Checks everything that holds for the caller of a request that is about to be answered, and counts it. What it
    /// answers is to be held until the request has ended.
    ///
    /// # Errors
    /// When the caller may not ask this, or not now.
    pub(super) fn let_in(&self, inbound: &Inbound, snapshot: &Snapshot) -> Result<Option<Ticket>, Refusal> {
        let caller = &inbound.caller;
        let Some(limits) = concerned(caller, snapshot) else { return Ok(None) };
        require(caller, Scope::ExecuteCompletions)?;
        if caller.policy.as_ref().is_some_and(|policy| policy.chooses()) {
            // Finding them checks it.
            resolve::candidates(snapshot, inbound)?;
        }
        let is_paid = !matches!(inbound.request.task, Task::CountTokens | Task::Kept { .. });
        self.count_in(caller, limits, is_paid)
    }

    /// The same for a request that no provider is asked for, because its answer was made before, or is made here. `is_paid`
    /// says whether it is of a kind that costs something.
    ///
    /// # Errors
    /// As for a request that is.
    pub fn let_in_again(
        &self,
        caller: &Caller,
        model: &str,
        dialect: canon::Dialect,
        is_paid: bool,
    ) -> Result<Option<Ticket>, Refusal> {
        let snapshot = self.snapshot();
        let Some(limits) = concerned(caller, &snapshot) else { return Ok(None) };
        require(caller, Scope::ExecuteCompletions)?;
        resolve::named(&snapshot, caller, model, dialect)?;
        self.count_in(caller, limits, is_paid)
    }

    fn count_in(&self, caller: &Caller, limits: KeyLimits, is_paid: bool) -> Result<Option<Ticket>, Refusal> {
        let budgets = caller.policy.as_ref().map_or(&[][..], |policy| &policy.budgets);
        if is_paid && let Some(denied) = self.budgets().used_up(budgets, caller) {
            return Err(Denied::refusal(denied));
        }
        if limits.is_empty() {
            return Ok(None);
        }
        self.rates().enter(caller, limits).map(Some)
    }

    /// Whether `caller` may ask for a name that is listed, and whether it would get anywhere.
    #[must_use]
    pub fn is_open_to(&self, caller: &Caller, snapshot: &Snapshot, name: &str) -> bool {
        if caller.policy.as_ref().is_none_or(|policy| !policy.chooses()) {
            return true;
        }
        // A name that leads nowhere at present is no secret.
        let found = snapshot.directory.resolve(name, canon::Dialect::Chat);
        found.map_or_else(
            |_| choice(caller, snapshot, name).is_ok(),
            |group| choose(caller, snapshot, name, &group).is_ok(),
        )
    }
}

/// The limits of a caller of whom anything is said.
fn concerned(caller: &Caller, snapshot: &Snapshot) -> Option<KeyLimits> {
    let usual = &snapshot.settings.keys;
    let limited = caller.kind.is_limited() && !usual.is_empty();
    match &caller.policy {
        None if !limited => None,
        None => Some(usual.in_force()),
        Some(policy) if limited => Some(policy.limits.or(usual).in_force()),
        Some(policy) => Some(policy.limits.in_force()),
    }
}

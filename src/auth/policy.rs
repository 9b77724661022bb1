//! From a key's policy as it is kept to one that is quick to ask. Whether its patterns, networks and zones make sense is
//! found out here, before it is kept.

use std::sync::Arc;

use operations::{
    Invalid,
    keys::{Day, KeyPolicy, Schedule},
};

use super::ports::KeyRecord;
use crate::engine::{
    caller::{Policy, Sieve},
    settings::{Budget, Hours, KeyLimits, Mode, Network, Over, Scope, UnknownPrice, Usd, WallClock, Window},
};

/// The part of a key's budget from which on the log warns.
const WARN: f64 = 0.8;

/// What holds for a key; `None` where nothing does. One whose policy cannot be read, because another version of the program
/// wrote it, is disabled: that it might be less limited than it was is the worse mistake.
pub(super) fn of(record: &KeyRecord) -> Option<Arc<Policy>> {
    let mut policy = compiled(&record.policy).unwrap_or_else(|_| Policy {
        disabled: Some("its policy is of another version of this program".into()),
        ..Policy::default()
    });
    if let Some(reason) = &record.disabled {
        policy.disabled = Some(Arc::clone(reason));
    }
    if policy == Policy::default() {
        return None;
    }
    policy.version = record.version;
    Some(Arc::new(policy))
}

/// A policy that is quick to ask.
///
/// # Errors
/// [`Invalid`] names the field that makes no sense.
pub fn compiled(policy: &KeyPolicy) -> Result<Policy, Invalid> {
    Ok(Policy {
        disabled: None,
        hours: policy.schedule.as_ref().map(hours).transpose()?,
        addresses: policy.allow_addresses.as_deref().map(networks).transpose()?,
        models: sieve(policy.allow_models.as_deref(), policy.deny_models.as_deref()),
        providers: sieve(policy.allow_providers.as_deref(), policy.deny_providers.as_deref()),
        connections: sieve(policy.allow_connections.as_deref(), policy.deny_connections.as_deref()),
        tools: policy.tools.as_deref().map(patterns),
        combos: policy.allow_combos.as_deref().map(patterns),
        limits: KeyLimits {
            windows: [
                policy.requests_per_minute,
                policy.requests_per_hour,
                policy.requests_per_day,
                policy.requests_per_week,
                policy.requests_per_month,
                policy.tokens_per_minute,
                policy.tokens_per_day,
            ],
            concurrent: policy.concurrent,
        },
        budgets: budgets(policy),
        no_log: policy.no_log.unwrap_or_default(),
        cache: policy.cache,
        version: 0,
    })
}

fn hours(schedule: &Schedule) -> Result<Hours, Invalid> {
    let (from, until) = schedule.minutes().ok_or_else(|| {
        Invalid::new("schedule", "needs `from` and `until` as `HH:MM`, from 00:00 to 23:59")
    })?;
    let clock = WallClock::named(&schedule.zone).ok_or_else(|| {
        let places: Vec<&str> = WallClock::places().collect();
        let known = places.join(", ");
        Invalid::new(
            "schedule",
            format!("has a zone that is neither an offset such as `+05:30` nor one of {known}"),
        )
    })?;
    let bit = |day: &Day| 1_u8 << Day::ALL.iter().position(|one| one == day).unwrap_or_default();
    let days = schedule.days.iter().fold(0, |days, day| days | bit(day));
    Ok(Hours { from, until, days, clock })
}

fn networks(texts: &[String]) -> Result<Box<[Network]>, Invalid> {
    let network = |text: &String| {
        text.parse().map_err(|_| {
            Invalid::new(
                "allow_addresses",
                format!("has `{text}`, which is neither an address nor a network"),
            )
        })
    };
    texts.iter().map(network).collect()
}

fn sieve(allow: Option<&[String]>, deny: Option<&[String]>) -> Sieve {
    Sieve { allow: allow.map(patterns), deny: patterns(deny.unwrap_or_default()) }
}

fn patterns(texts: &[String]) -> Box<[Box<str>]> {
    texts.iter().map(|text| text.as_str().into()).collect()
}

/// The key's own budgets: strict ones, each for the key alone. No budget of the configuration has a colon in its name.
fn budgets(policy: &KeyPolicy) -> Box<[Arc<Budget>]> {
    let amounts = [
        (Window::Day, policy.usd_per_day),
        (Window::Week, policy.usd_per_week),
        (Window::Month, policy.usd_per_month),
    ];
    let budget = |(window, amount): (Window, Option<f64>)| {
        let limit = amount.and_then(Usd::from_dollars).filter(|limit| *limit > Usd::ZERO)?;
        Some(Arc::new(Budget {
            id: format!("key:{}", window.as_str()).into(),
            scope: Scope::EachCaller,
            limit,
            window,
            reset_minute: 0,
            mode: Mode::Strict,
            warn: WARN,
            over: Over::Warn,
            unknown_price: UnknownPrice::Refuse,
        }))
    };
    amounts.into_iter().filter_map(budget).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use super::*;

    #[test]
    fn what_makes_no_sense_is_told_by_its_field() {
        let field = |policy: KeyPolicy| compiled(&policy).err().map(|invalid| invalid.field);
        let schedule = |zone: &str| Schedule {
            from: "22:00".into(),
            until: "06:00".into(),
            days: vec![Day::Fri],
            zone: zone.into(),
        };
        let zone = |zone: &str| KeyPolicy { schedule: Some(schedule(zone)), ..KeyPolicy::default() };
        assert_eq!(field(zone("Mars/Olympus")), Some("schedule"));
        assert_eq!(compiled(&zone("Europe/Berlin")).unwrap().hours.unwrap().days, 1 << 4);
        let from =
            |text: &str| KeyPolicy { allow_addresses: Some(vec![text.into()]), ..KeyPolicy::default() };
        assert_eq!(field(from("10.0.0.0/99")), Some("allow_addresses"));
        assert_eq!(field(from("10.0.0.0/9")), None);
    }

    #[test]
    fn a_policy_that_says_nothing_is_none_and_nothing_spent_is_no_budget() {
        assert_eq!(compiled(&KeyPolicy::default()).unwrap(), Policy::default());
        let policy = KeyPolicy { usd_per_day: Some(0.0), usd_per_month: Some(2.5), ..KeyPolicy::default() };
        let budgets = compiled(&policy).unwrap().budgets;
        assert_eq!((budgets.len(), &*budgets[0].id), (1, "key:month"));
    }
}

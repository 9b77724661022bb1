//! A key's policy on the command line: its flags, and how it is shown.

use clap::Args;
use operations::keys::{Day, KeyPolicy, KeyView, PolicyField, Schedule};

use crate::cli::output::say;

/// The flags of a policy. Lists may be repeated; 0 is no limit.
#[derive(Args)]
pub(in crate::cli) struct Policy {
    /// A model that may be asked for: `gpt-*`, `openai/*`, a combo's name (may be repeated)
    #[arg(long, value_name = "PATTERN")]
    allow_model: Vec<String>,
    /// A model or combo that may not
    #[arg(long, value_name = "PATTERN")]
    deny_model: Vec<String>,
    /// A provider that requests may go to
    #[arg(long, value_name = "PROVIDER")]
    allow_provider: Vec<String>,
    /// A provider that they may not go to
    #[arg(long, value_name = "PROVIDER")]
    deny_provider: Vec<String>,
    /// A connection that requests may go to
    #[arg(long, value_name = "CONNECTION")]
    allow_connection: Vec<String>,
    /// A connection that they may not go to
    #[arg(long, value_name = "CONNECTION")]
    deny_connection: Vec<String>,
    /// A combo that may be asked for
    #[arg(long, value_name = "COMBO")]
    allow_combo: Vec<String>,
    /// A tool that it may call over MCP: `get_*`
    #[arg(long, value_name = "PATTERN")]
    tool: Vec<String>,
    /// An address or network that the key may be used from
    #[arg(long, value_name = "NETWORK")]
    allow_address: Vec<String>,
    /// When it may be used: `09:00-17:00`, `mon,tue 22:00-06:00 Europe/Berlin`
    #[arg(long, value_name = "HOURS", value_parser = schedule)]
    schedule: Option<Schedule>,
    /// Requests in a minute
    #[arg(long, value_name = "NUMBER")]
    requests_per_minute: Option<u64>,
    /// Requests in an hour
    #[arg(long, value_name = "NUMBER")]
    requests_per_hour: Option<u64>,
    /// Requests in a day
    #[arg(long, value_name = "NUMBER")]
    requests_per_day: Option<u64>,
    /// Requests in a week
    #[arg(long, value_name = "NUMBER")]
    requests_per_week: Option<u64>,
    /// Requests in a month
    #[arg(long, value_name = "NUMBER")]
    requests_per_month: Option<u64>,
    /// Tokens in a minute
    #[arg(long, value_name = "NUMBER")]
    tokens_per_minute: Option<u64>,
    /// Tokens in a day
    #[arg(long, value_name = "NUMBER")]
    tokens_per_day: Option<u64>,
    /// Requests at a time
    #[arg(long, value_name = "NUMBER")]
    concurrent: Option<u64>,
    /// US dollars in a day
    #[arg(long, value_name = "DOLLARS")]
    usd_per_day: Option<f64>,
    /// US dollars in a week
    #[arg(long, value_name = "DOLLARS")]
    usd_per_week: Option<f64>,
    /// US dollars in a month
    #[arg(long, value_name = "DOLLARS")]
    usd_per_month: Option<f64>,
    /// Whether receipts hold names and numbers alone
    #[arg(long, value_name = "true|false")]
    no_log: Option<bool>,
    /// Whether answers are given again from the cache
    #[arg(long, value_name = "true|false")]
    cache: Option<bool>,
}

impl From<Policy> for KeyPolicy {
    fn from(flags: Policy) -> Self {
        let list = |list: Vec<String>| (!list.is_empty()).then_some(list);
        Self {
            schedule: flags.schedule,
            allow_models: list(flags.allow_model),
            deny_models: list(flags.deny_model),
            allow_providers: list(flags.allow_provider),
            deny_providers: list(flags.deny_provider),
            allow_connections: list(flags.allow_connection),
            deny_connections: list(flags.deny_connection),
            allow_combos: list(flags.allow_combo),
            allow_addresses: list(flags.allow_address),
            tools: list(flags.tool),
            requests_per_minute: flags.requests_per_minute,
            requests_per_hour: flags.requests_per_hour,
            requests_per_day: flags.requests_per_day,
            requests_per_week: flags.requests_per_week,
            requests_per_month: flags.requests_per_month,
            tokens_per_minute: flags.tokens_per_minute,
            tokens_per_day: flags.tokens_per_day,
            concurrent: flags.concurrent,
            usd_per_day: flags.usd_per_day,
            usd_per_week: flags.usd_per_week,
            usd_per_month: flags.usd_per_month,
            no_log: flags.no_log,
            cache: flags.cache,
        }
    }
}

/// The name of a part of a policy.
pub(super) fn field(text: &str) -> Result<PolicyField, String> {
    let named = PolicyField::ALL.iter().find(|field| field.as_str() == text.replace('-', "_"));
    named.copied().ok_or_else(|| {
        let all: Vec<&str> = PolicyField::ALL.iter().map(|field| field.as_str()).collect();
        format!("the parts of a policy are {}", all.join(", "))
    })
}

/// `[days ]HH:MM-HH:MM[ zone]`.
fn schedule(text: &str) -> Result<Schedule, String> {
    let wrong = || "expected hours such as `09:00-17:00` or `mon,tue 22:00-06:00 Europe/Berlin`".to_owned();
    let mut words = text.split_whitespace().peekable();
    let days = match words.peek() {
        Some(word) if !word.contains(':') => {
            let named = |word: &str| Day::ALL.into_iter().find(|day| day.as_str().eq_ignore_ascii_case(word));
            word.split(',').map(named).collect::<Option<Vec<Day>>>().ok_or_else(wrong)?
        }
        _ => Vec::new(),
    };
    if !days.is_empty() {
        words.next();
    }
    let (from, until) = words.next().and_then(|hours| hours.split_once('-')).ok_or_else(wrong)?;
    let zone = words.next().unwrap_or("UTC").to_owned();
    let schedule = Schedule { from: from.to_owned(), until: until.to_owned(), days, zone };
    if schedule.minutes().is_none() || words.next().is_some() {
        return Err(wrong());
    }
    Ok(schedule)
}

/// Tells all that is known of a key.
pub(super) fn show(key: &KeyView) -> Result<(), String> {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    say(&format!("{} ({}…), {}, version {}", key.name, key.prefix, key.id, key.version));
    say(&format!("  scopes: {}", scopes.join(" ")));
    if !key.enabled {
        say(&format!("  disabled: {}", key.reason.as_deref().unwrap_or("no reason given")));
    }
    let policy = serde_json::to_value(&key.policy).map_err(|error| error.to_string())?;
    for (name, value) in policy.as_object().into_iter().flatten() {
        say(&format!("  {name}: {value}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_as_people_write_them() {
        let night = schedule("mon,TUE 22:00-06:00 Europe/Berlin");
        assert_eq!(night.as_ref().map(|hours| hours.days.len()), Ok(2));
        assert_eq!(night.map(|hours| hours.zone), Ok("Europe/Berlin".to_owned()));
        assert_eq!(
            schedule("09:00-17:00").map(|hours| (hours.zone, hours.days)),
            Ok(("UTC".to_owned(), vec![]))
        );
        for wrong in ["", "9-17", "someday 09:00-17:00", "09:00-25:00", "09:00-17:00 UTC more"] {
            assert!(schedule(wrong).is_err(), "{wrong}");
        }
        assert_eq!(field("allow-models"), Ok(PolicyField::AllowModels));
        assert!(field("models").is_err());
    }
}

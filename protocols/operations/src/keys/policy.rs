//! What holds for a key beside its scopes: when, from where, for what, how much and how often it may be used. What is left
//! out is not limited, or is what the configuration says for all keys. Whether patterns, networks and zones exist is for
//! who executes; here only forms and bounds are checked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Invalid;

/// Most entries of one list.
const MAX_ENTRIES: usize = 256;
/// Longest entry of a list, in bytes.
const MAX_ENTRY: usize = 256;
/// Largest number of requests or tokens in a window.
const MAX_LIMIT: u64 = 1_000_000_000_000;
/// Most money in a window, in US dollars.
const MAX_USD: f64 = 1_000_000.0;
/// Longest zone name, in bytes.
const MAX_ZONE: usize = 64;

/// Declares the policy, and what treats all of its fields alike.
macro_rules! policy {
    ($($(#[$doc:meta])* $name:ident: $kind:ty = $word:literal / $variant:ident;)*) => {
        /// The policy of a key. Everything may be left out.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct KeyPolicy {
            $($(#[$doc])* #[serde(skip_serializing_if = "Option::is_none")] pub $name: Option<$kind>,)*
        }

        /// A part of a policy, to be taken away.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub enum PolicyField {
            $(#[doc = concat!("`", $word, "`.")] #[serde(rename = $word)] $variant,)*
        }

        impl PolicyField {
            /// Every part, in the order in which they are shown.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The part's name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl KeyPolicy {
            /// The same without the parts in `clear`, and with those that `change` has.
            #[must_use]
            pub fn changed(mut self, clear: &[PolicyField], change: Self) -> Self {
                for field in clear {
                    match field { $(PolicyField::$variant => self.$name = None,)* }
                }
                Self { $($name: change.$name.or(self.$name),)* }
            }
        }
    };
}

policy! {
    /// The hours in which the key may be used.
    schedule: Schedule = "schedule" / Schedule;
    /// Models that may be asked for; `*` stands for any text (`gpt-*`, `openai/*`). A name without `*` may be a combo's or
    /// `auto`, and then opens all that it leads to. What leads to several models otherwise goes to those that are allowed.
    allow_models: Vec<String> = "allow_models" / AllowModels;
    /// Models, combos among them, that may not be asked for, whatever else is allowed.
    deny_models: Vec<String> = "deny_models" / DenyModels;
    /// Providers, by id or prefix, that requests may go to.
    allow_providers: Vec<String> = "allow_providers" / AllowProviders;
    /// Providers that requests may not go to.
    deny_providers: Vec<String> = "deny_providers" / DenyProviders;
    /// Connections, by id, that requests may go to; `*` stands for any text.
    allow_connections: Vec<String> = "allow_connections" / AllowConnections;
    /// Connections that requests may not go to.
    deny_connections: Vec<String> = "deny_connections" / DenyConnections;
    /// Combos, aliases and `auto` names that may be asked for; without it, all of them. Each opens all that it leads to.
    allow_combos: Vec<String> = "allow_combos" / AllowCombos;
    /// Addresses or networks (`10.1.0.0/16`) that the key may be used from.
    allow_addresses: Vec<String> = "allow_addresses" / AllowAddresses;
    /// Tools that the key may call over MCP, with `*` for any text (`get_*`); without it, all that its scopes allow.
    tools: Vec<String> = "tools" / Tools;
    /// Requests in a minute; 0: no limit, whatever holds for all keys. So for every number below.
    requests_per_minute: u64 = "requests_per_minute" / RequestsPerMinute;
    /// Requests in an hour of the clock.
    requests_per_hour: u64 = "requests_per_hour" / RequestsPerHour;
    /// Requests in a day (UTC).
    requests_per_day: u64 = "requests_per_day" / RequestsPerDay;
    /// Requests in a week, from Monday (UTC).
    requests_per_week: u64 = "requests_per_week" / RequestsPerWeek;
    /// Requests in a month (UTC).
    requests_per_month: u64 = "requests_per_month" / RequestsPerMonth;
    /// Tokens of prompts and answers in a minute. When they are used up, no request more is let in.
    tokens_per_minute: u64 = "tokens_per_minute" / TokensPerMinute;
    /// Tokens in a day (UTC).
    tokens_per_day: u64 = "tokens_per_day" / TokensPerDay;
    /// Requests at a time.
    concurrent: u64 = "concurrent" / Concurrent;
    /// What may be spent in a day (UTC), in US dollars.
    usd_per_day: f64 = "usd_per_day" / UsdPerDay;
    /// What may be spent in a week, from Monday (UTC), in US dollars.
    usd_per_week: f64 = "usd_per_week" / UsdPerWeek;
    /// What may be spent in a month (UTC), in US dollars.
    usd_per_month: f64 = "usd_per_month" / UsdPerMonth;
    /// Whether receipts of the key's requests hold names and numbers alone, and nothing that was said.
    no_log: bool = "no_log" / NoLog;
    /// Whether answers are given again from the cache: `true` also where it is off otherwise, `false` nowhere.
    cache: bool = "cache" / Cache;
}

/// The hours in which a key may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// When they begin, `HH:MM`.
    pub from: String,
    /// When they end, `HH:MM`; earlier than `from`: on the next day. The same as `from`: a whole day later.
    pub until: String,
    /// The days on which they begin; none: every day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Day>,
    /// Whose clock: `UTC`, a fixed offset such as `+05:30`, or a place such as `Europe/Berlin`.
    #[serde(default = "utc")]
    pub zone: String,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Day {
    /// The days of a week, from Monday.
    pub const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];

    /// The day's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }
}

impl Schedule {
    /// The minutes after midnight at which the hours begin and end.
    #[must_use]
    pub fn minutes(&self) -> Option<(u16, u16)> {
        Some((minute(&self.from)?, minute(&self.until)?))
    }
}

fn minute(text: &str) -> Option<u16> {
    let digits = |text: &str| {
        (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
    };
    let (hour, minute): (u16, u16) =
        text.split_once(':').and_then(|(hour, minute)| Some((digits(hour)?, digits(minute)?)))?;
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

impl KeyPolicy {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The policy in its usual form.
    ///
    /// # Errors
    /// [`Invalid`] names the first field that is not acceptable.
    pub fn check(mut self) -> Result<Self, Invalid> {
        if let Some(schedule) = &self.schedule {
            if schedule.minutes().is_none() {
                return Err(Invalid::new(
                    "schedule",
                    "needs `from` and `until` as `HH:MM`, from 00:00 to 23:59",
                ));
            }
            if schedule.zone.len() > MAX_ZONE || schedule.days.len() > 7 {
                return Err(Invalid::new("schedule", "has a zone or a list of days that is too long"));
            }
        }
        for (field, entries) in self.lists() {
            let Some(entries) = entries else { continue };
            entries.iter_mut().for_each(|entry| *entry = entry.trim().to_owned());
            if entries.len() > MAX_ENTRIES {
                return Err(Invalid::new(field, format!("has more than {MAX_ENTRIES} entries")));
            }
            if entries.iter().any(|entry| {
                entry.is_empty() || entry.len() > MAX_ENTRY || entry.chars().any(char::is_control)
            }) {
                let wanted = format!("takes names of 1 to {MAX_ENTRY} bytes without control characters");
                return Err(Invalid::new(field, wanted));
            }
        }
        for (field, number) in self.numbers() {
            if number.is_some_and(|number| number > MAX_LIMIT) {
                return Err(Invalid::new(field, format!("must be at most {MAX_LIMIT}; 0 is no limit")));
            }
        }
        for (field, amount) in self.amounts() {
            if amount.is_some_and(|amount| !(0.0..=MAX_USD).contains(&amount)) {
                return Err(Invalid::new(field, format!("must be from 0 (no budget) to {MAX_USD} dollars")));
            }
        }
        Ok(self)
    }

    fn lists(&mut self) -> [(&'static str, &mut Option<Vec<String>>); 9] {
        [
            ("allow_models", &mut self.allow_models),
            ("deny_models", &mut self.deny_models),
            ("allow_providers", &mut self.allow_providers),
            ("deny_providers", &mut self.deny_providers),
            ("allow_connections", &mut self.allow_connections),
            ("deny_connections", &mut self.deny_connections),
            ("allow_combos", &mut self.allow_combos),
            ("allow_addresses", &mut self.allow_addresses),
            ("tools", &mut self.tools),
        ]
    }

    const fn numbers(&self) -> [(&'static str, Option<u64>); 8] {
        [
            ("requests_per_minute", self.requests_per_minute),
            ("requests_per_hour", self.requests_per_hour),
            ("requests_per_day", self.requests_per_day),
            ("requests_per_week", self.requests_per_week),
            ("requests_per_month", self.requests_per_month),
            ("tokens_per_minute", self.tokens_per_minute),
            ("tokens_per_day", self.tokens_per_day),
            ("concurrent", self.concurrent),
        ]
    }

    const fn amounts(&self) -> [(&'static str, Option<f64>); 3] {
        [
            ("usd_per_day", self.usd_per_day),
            ("usd_per_week", self.usd_per_week),
            ("usd_per_month", self.usd_per_month),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_replaces_what_it_says_and_leaves_the_rest() {
        let old = KeyPolicy {
            no_log: Some(true),
            concurrent: Some(3),
            requests_per_day: Some(5),
            ..KeyPolicy::default()
        };
        let change = KeyPolicy { requests_per_day: Some(9), ..KeyPolicy::default() };
        let new = old.changed(&[PolicyField::NoLog], change);
        assert_eq!((new.no_log, new.concurrent, new.requests_per_day), (None, Some(3), Some(9)));
        assert!(new.changed(PolicyField::ALL, KeyPolicy::default()).is_empty());
    }

    #[test]
    fn forms_and_bounds() {
        let field = |policy: KeyPolicy| policy.check().err().map(|invalid| invalid.field);
        let hours = |from: &str, until: &str| KeyPolicy {
            schedule: Some(Schedule { from: from.into(), until: until.into(), days: vec![], zone: utc() }),
            ..KeyPolicy::default()
        };
        assert_eq!(field(hours("22:00", "06:00")), None);
        for (from, until) in [("24:00", "06:00"), ("9:00", "17:00"), ("09:60", "17:00"), ("+9:00", "17:00")] {
            assert_eq!(field(hours(from, until)), Some("schedule"), "{from} {until}");
        }
        let models =
            |entry: &str| KeyPolicy { allow_models: Some(vec![entry.into()]), ..KeyPolicy::default() };
        assert_eq!(models(" gpt-* ").check().ok().and_then(|it| it.allow_models), Some(vec!["gpt-*".into()]));
        assert_eq!(field(models(" ")), Some("allow_models"));
        assert_eq!(field(KeyPolicy { usd_per_day: Some(-1.0), ..KeyPolicy::default() }), Some("usd_per_day"));
        assert_eq!(
            field(KeyPolicy { usd_per_day: Some(f64::NAN), ..KeyPolicy::default() }),
            Some("usd_per_day")
        );
        assert_eq!(
            field(KeyPolicy { concurrent: Some(u64::MAX), ..KeyPolicy::default() }),
            Some("concurrent")
        );
    }

    #[test]
    fn words_are_those_of_the_fields() {
        for field in PolicyField::ALL {
            assert_eq!(serde_json::to_value(field).ok(), Some(field.as_str().into()));
        }
        assert!(serde_json::from_str::<KeyPolicy>(r#"{"alow_models":[]}"#).is_err());
    }
}

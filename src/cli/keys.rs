//! `trivium keys`: the operations on keys, with times as people write them.

mod policy;

use std::{process::ExitCode, time::Duration};

use clap::Subcommand;
use operations::{
    Scope,
    keys::{
        Create, CreateKey, CreatedKey, Get, GetKey, KeyView, List, ListKeys, PolicyField, Revoke, RevokeKey,
        Rotate, RotateKey, Update, UpdateKey,
    },
};

use super::{
    Common,
    output::{note, print, say},
    place::{Place, at_place},
};
use crate::app;

#[derive(Subcommand)]
pub(super) enum Keys {
    /// Make a key and print its text, this once
    Create {
        /// A name for people, such as the client that will use it
        name: String,
        /// What it may do (may be repeated) [default: execute:completions and read:models]
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<Scope>,
        /// Every scope, for operators
        #[arg(long, conflicts_with = "scopes")]
        all_scopes: bool,
        /// When it ends by itself: 90s, 30m, 12h, 30d
        #[arg(long, value_name = "TIME", value_parser = duration)]
        expires: Option<Duration>,
        #[command(flatten)]
        policy: Box<policy::Policy>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a key: its scopes, and what holds for it beside them
    Show {
        /// Its id or name
        key: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Change a key; what is not named stays as it is
    Set {
        /// Its id or name
        key: String,
        /// Do not accept it any more
        #[arg(long, conflicts_with = "enable")]
        disable: bool,
        /// Why not, for those who use it
        #[arg(long, requires = "disable")]
        reason: Option<String>,
        /// Accept it again
        #[arg(long)]
        enable: bool,
        /// What it may do instead (may be repeated)
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<Scope>,
        /// When it ends by itself, from now: 90s, 30m, 12h, 30d
        #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with = "never_expires")]
        expires: Option<Duration>,
        /// It has no end
        #[arg(long)]
        never_expires: bool,
        #[command(flatten)]
        policy: Box<policy::Policy>,
        /// A part of the policy to take away, such as `schedule` (may be repeated)
        #[arg(long, value_name = "PART", value_parser = policy::field)]
        clear: Vec<PolicyField>,
        /// Only if this is the key's version still
        #[arg(long, value_name = "VERSION")]
        if_version: Option<u64>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the keys; their texts are not kept and cannot be shown
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// End a key at once
    Revoke {
        /// Its id or name
        key: String,
    },
    /// Give a key a new text
    Rotate {
        /// Its id or name
        key: String,
        /// How long the old text is still accepted: 90s, 30m, 12h, 30d [default: not at all]
        #[arg(long, value_name = "TIME", value_parser = duration)]
        grace: Option<Duration>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(keys: Keys, common: &Common) -> ExitCode {
    at_place(common, async |place| perform(keys, place).await)
}

async fn perform(keys: Keys, place: &Place) -> Result<(), String> {
    match keys {
        Keys::Create { name, scopes, all_scopes, expires, policy, json } => {
            let scopes = match (all_scopes, scopes.is_empty()) {
                (true, _) => Scope::ALL.to_vec(),
                (false, true) => operations::Scopes::client().iter().collect(),
                (false, false) => scopes,
            };
            let expires_in_seconds = expires.map(|time| time.as_secs());
            let args = CreateKey { name, scopes, expires_in_seconds, policy: (*policy).into() };
            show_created(&place.call::<Create>(args).await?, json)
        }
        Keys::Rotate { key, grace, json } => {
            let args = RotateKey { key, grace_seconds: grace.map_or(0, |time| time.as_secs()) };
            show_created(&place.call::<Rotate>(args).await?, json)
        }
        Keys::Show { key, json } => {
            let key = place.call::<Get>(GetKey { key }).await?;
            if json { print(&key) } else { policy::show(&key) }
        }
        Keys::Set {
            key,
            disable,
            reason,
            enable,
            scopes,
            expires,
            never_expires,
            policy,
            clear,
            if_version,
            json,
        } => {
            let later = |time: Duration| {
                app::now_ms().saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
            };
            let args = UpdateKey {
                key,
                version: if_version,
                enabled: (disable || enable).then_some(enable),
                reason,
                scopes: (!scopes.is_empty()).then_some(scopes),
                expires_at: expires.map(later),
                never_expires,
                policy: Some((*policy).into()),
                clear,
            };
            let key = place.call::<Update>(args).await?;
            if json { print(&key) } else { policy::show(&key) }
        }
        Keys::Revoke { key } => {
            for revoked in place.call::<Revoke>(RevokeKey { key }).await?.keys {
                say(&format!("revoked {} ({})", revoked.name, revoked.id));
            }
            Ok(())
        }
        Keys::List { json } => {
            let mut all = Vec::new();
            let mut cursor = None;
            loop {
                let page = place.call::<List>(ListKeys { cursor, limit: None }).await?;
                all.extend(page.keys);
                cursor = page.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
            if json { print(&all) } else { show_list(&all) }
        }
    }
}

fn show_created(created: &CreatedKey, json: bool) -> Result<(), String> {
    if json {
        return print(created);
    }
    // The text alone goes to stdout, so that it can be piped into a secret store.
    note(&format!("{} ({}), shown this once:", created.key.name, created.key.id));
    say(&created.secret);
    Ok(())
}

fn show_list(keys: &[KeyView]) -> Result<(), String> {
    if keys.is_empty() {
        note("There are no keys. Make one with `trivium keys create NAME`.");
        return Ok(());
    }
    let width = keys.iter().map(|key| key.name.chars().count()).max().unwrap_or(4).max(4);
    say(&format!("{:<width$}  {:<14}  {:<8}  {:<36}  SCOPES", "NAME", "KEY", "STATE", "ID"));
    for key in keys {
        let state = match (key.revoked_at, key.expires_at) {
            (Some(_), _) => "revoked",
            (None, Some(end)) if end <= app::now_ms() => "expired",
            (None, _) => "live",
        };
        let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
        say(&format!(
            "{:<width$}  {:<14}  {state:<8}  {:<36}  {}",
            key.name,
            format!("{}…", key.prefix),
            key.id,
            scopes.join(" "),
        ));
    }
    Ok(())
}

/// A time with a unit, as people write it.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds_per_unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err("expected a number and a unit: 90s, 30m, 12h or 30d".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "expected a number before the unit: 30d".to_owned())?;
    number.checked_mul(seconds_per_unit).map(Duration::from_secs).ok_or_else(|| "this is too long".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("30d"), Ok(Duration::from_secs(2_592_000)));
        for wrong in ["", "30", "d", "3w", "99999999999999999999d", "18446744073709551615d"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}

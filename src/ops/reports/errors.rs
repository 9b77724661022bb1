//! What went wrong lately, by its cause, with what to do next.

use std::collections::HashMap;

use operations::{
    Scope,
    reports::{ErrorGroup, RecentErrors, RecentErrorsArgs},
};

use super::Reports;
use crate::{
    engine::{caller::Caller, code::Code, receipt::Outcome},
    ops::{
        OpError, own,
        ports::{ReceiptRow, usage::TraceQuery},
    },
};

/// Receipts that are looked at.
const MOST: usize = 2000;
/// Groups when nothing is said.
const GROUPS: u32 = 50;
/// Requests that are named of each.
const NAMED: usize = 3;

impl Reports {
    /// What went wrong lately.
    ///
    /// # Errors
    /// When another caller is asked about that this one does not see.
    pub async fn errors(&self, caller: &Caller, args: RecentErrorsArgs) -> Result<RecentErrors, OpError> {
        let since = self.since(args.since_at);
        let query = TraceQuery {
            since: Some(since),
            caller: own::only(caller, args.key)?,
            failed: true,
            model: args.model,
            ..TraceQuery::default()
        };
        let found = self.receipts(query, MOST).await?;
        let mut groups: HashMap<(String, Option<String>, Option<String>, String), ErrorGroup> =
            HashMap::new();
        // Who left was told nothing.
        for row in found.rows.into_iter().filter(|row| row.outcome != Outcome::ClientLeft.as_str()) {
            let one = of_row(&row, caller.may(Scope::ReadHealth));
            let key = (one.code.clone(), one.cause.clone(), one.connection.clone(), one.model.clone());
            // The latest comes first, and says what is told of all.
            let group = groups.entry(key).or_insert(one);
            group.count += 1;
            if group.request_ids.len() < NAMED {
                group.request_ids.push(row.id);
            }
        }
        let mut errors: Vec<ErrorGroup> = groups.into_values().collect();
        errors.sort_by(|a, b| (b.count, b.last_at, &a.code).cmp(&(a.count, a.last_at, &b.code)));
        let limit = usize::try_from(args.limit.unwrap_or(GROUPS)).unwrap_or(usize::MAX);
        let truncated = found.more || errors.len() > limit;
        errors.truncate(limit);
        Ok(RecentErrors { since_at: since, errors, truncated })
    }
}

/// A group of one request, which is not counted yet.
fn of_row(row: &ReceiptRow, words: bool) -> ErrorGroup {
    let last = row.detail.attempts.last();
    let code = row.detail.error.clone().unwrap_or_else(|| row.outcome.clone());
    let cause = last.and_then(|attempt| attempt.fault.clone());
    let connection = last.map(|attempt| attempt.connection.clone());
    ErrorGroup {
        next: next(&code, cause.as_deref(), connection.as_deref()),
        code,
        cause,
        connection,
        model: last.map_or_else(|| row.model.clone(), |attempt| attempt.model.clone()),
        count: 0,
        last_at: row.at,
        message: last.and_then(|attempt| attempt.message.clone()).filter(|_| words),
        request_ids: Vec::new(),
    }
}

/// What to do next: by what went wrong at the provider where that says more than the code.
fn next(code: &str, cause: Option<&str>, connection: Option<&str>) -> String {
    let at = connection.unwrap_or("the connection");
    let by_cause = match cause {
        Some("unauthorized" | "deactivated") => Some(format!(
            "Check the credential of `{at}` (test_connection), put a good one, then reset_health."
        )),
        Some("rate_limited" | "model_limited" | "daily_quota") => Some(format!(
            "See list_quotas of `{at}`: wait until its window begins anew, or add another account that serves the model."
        )),
        Some("payment_required") => Some(format!("Fill up the account behind `{at}`, then reset_health.")),
        Some("no_token" | "credential_expired") => {
            Some(format!("Log in to `{at}` again (start_login), then reset_health."))
        }
        Some("model_not_found" | "unserved") => Some(format!(
            "`{at}` does not serve the model: discover_models tells what it does serve, and its `models` say what is asked for."
        )),
        _ => None,
    };
    by_cause.unwrap_or_else(|| {
        let known = Code::ALL.into_iter().find(|known| known.as_str() == code);
        match known.map(Code::remedy).filter(|remedy| !remedy.is_empty()) {
            Some(remedy) => remedy.to_owned(),
            None => "See explain_route of one of the requests.".to_owned(),
        }
    })
}

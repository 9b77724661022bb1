//! What was spent: in a time, and by one caller since the hub started.

use std::collections::BTreeMap;

use operations::{
    reports::{
        BudgetLeft, CostReport, CostReportArgs, ErrorCount, ReportPeriod, SessionSnapshot,
        SessionSnapshotArgs,
    },
    spending::BudgetStatus,
    usage::{GroupBy, UsageGroup},
};

use super::Reports;
use crate::{
    engine::{
        caller::Caller,
        settings::{Usd, calendar},
    },
    ops::{OpError, own, ports::usage::TraceQuery, spending, steering},
};

/// Groups of a report.
const GROUPS: u32 = 50;
/// Groups of a snapshot.
const TOP: u32 = 5;
/// Failures that a snapshot looks at.
const FAILURES: usize = 500;

impl Reports {
    /// What was spent.
    ///
    /// # Errors
    /// When another caller is asked about that this one does not see.
    pub async fn cost(&self, caller: &Caller, args: CostReportArgs) -> Result<CostReport, OpError> {
        let key = own::only(caller, args.key)?;
        let since = self.began(args.period);
        let by_provider = self.sums(caller, GroupBy::Provider, since, key.as_ref(), GROUPS).await?;
        let by_model = self.sums(caller, GroupBy::Model, since, key.as_ref(), GROUPS).await?;
        Ok(CostReport {
            period: args.period,
            since_at: by_provider.since_at,
            until_at: self.clock.now(),
            budgets: self.budgets(caller, key.as_deref())?,
            key,
            totals: by_provider.total,
            by_provider: named(by_provider.groups),
            by_model: named(by_model.groups),
        })
    }

    /// What one caller did since the hub started.
    ///
    /// # Errors
    /// When another caller is asked about that this one does not see.
    pub async fn snapshot(
        &self,
        caller: &Caller,
        args: SessionSnapshotArgs,
    ) -> Result<SessionSnapshot, OpError> {
        let key = own::only(caller, args.key)?.unwrap_or_else(|| caller.id.to_string());
        let since = self.engine.started_at();
        let by_model = self.sums(caller, GroupBy::Model, since, Some(&key), TOP).await?;
        let by_provider = self.sums(caller, GroupBy::Provider, since, Some(&key), TOP).await?;
        let query = TraceQuery {
            since: Some(since),
            caller: Some(key.clone()),
            failed: true,
            ..TraceQuery::default()
        };
        let mut codes: BTreeMap<String, u64> = BTreeMap::new();
        for row in self.receipts(query, FAILURES).await?.rows {
            *codes.entry(row.detail.error.unwrap_or(row.outcome)).or_default() += 1;
        }
        let mut errors: Vec<ErrorCount> =
            codes.into_iter().map(|(code, count)| ErrorCount { code, count }).collect();
        errors.sort_by_key(|error| std::cmp::Reverse(error.count));
        Ok(SessionSnapshot {
            since_at: by_model.since_at,
            guard: steering::guard_in_force(&self.engine, &steering::guard_of(&key)),
            key,
            totals: by_model.total,
            top_models: named(by_model.groups),
            top_providers: named(by_provider.groups),
            errors,
        })
    }

    /// When a period began.
    fn began(&self, period: ReportPeriod) -> i64 {
        let now = self.clock.now();
        match period {
            ReportPeriod::Session => self.engine.started_at(),
            ReportPeriod::Day => calendar::next_day(now, 0) - calendar::DAY,
            ReportPeriod::Week => calendar::next_week(now, 0) - 7 * calendar::DAY,
            // 32 days before a first of a month is always in the month before the last one.
            ReportPeriod::Month => calendar::next_month(calendar::next_month(now, 0) - 32 * calendar::DAY, 0),
        }
    }

    /// The budgets that hold for a caller, or all that the asking one sees.
    fn budgets(&self, caller: &Caller, key: Option<&str>) -> Result<Vec<BudgetLeft>, OpError> {
        let status = spending::status(&self.engine, caller, &BudgetStatus::default())?;
        let rows = status.budgets.into_iter().filter(|row| match (&row.holder, key) {
            (Some(holder), Some(key)) => holder == key,
            _ => true,
        });
        let rows = rows.map(|row| BudgetLeft {
            remaining_usd: (row.limit_usd - row.spent_usd - row.reserved_usd).max(0.0),
            budget: row.budget,
            holder: row.holder,
            limit_usd: row.limit_usd,
            window: row.window,
            resets_at: Some(row.resets_at),
        });
        let mut budgets: Vec<BudgetLeft> = rows.collect();
        let own = caller.policy.as_ref().filter(|_| key.is_none_or(|key| *key == *caller.id));
        for budget in own.iter().flat_map(|policy| &policy.budgets) {
            let standings = self.engine.budgets().standings(budget).into_iter();
            let mine = standings.into_iter().find(|one| one.holder.is_empty() || one.holder == caller.id);
            let (used, resets_at) =
                mine.map_or((Usd::ZERO, None), |one| (one.spent + one.reserved, Some(one.resets_at)));
            budgets.push(BudgetLeft {
                budget: budget.id.to_string(),
                holder: Some(caller.id.to_string()),
                limit_usd: budget.limit.dollars(),
                remaining_usd: budget.limit.less(used).dollars(),
                window: budget.window.as_str().to_owned(),
                resets_at,
            });
        }
        budgets.sort_by(|a, b| a.remaining_usd.total_cmp(&b.remaining_usd));
        Ok(budgets)
    }
}

/// Without requests for which nobody was asked.
fn named(groups: Vec<UsageGroup>) -> Vec<UsageGroup> {
    groups.into_iter().filter(|group| !group.name.is_empty()).collect()
}

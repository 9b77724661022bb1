//! How combos do: by the receipts of requests that named them, since sums are not kept by the name that a client used.

use std::collections::BTreeMap;

use operations::reports::{ComboMetrics, ComboMetricsArgs, ComboMetricsReport, ProviderShare};

use super::{Reports, percentile};
use crate::{
    engine::{
        caller::Caller,
        receipt::Outcome,
        settings::{Combo, Usd},
    },
    ops::{
        OpError, own,
        ports::{ReceiptRow, usage::TraceQuery},
    },
};

/// Receipts that are looked at.
const MOST: usize = 5000;
/// In front of a combo's name, where a client wants to be clear.
const PREFIX: &str = "combo/";

impl Reports {
    /// How one combo does, or each.
    ///
    /// # Errors
    /// When there is no combo of that name.
    pub async fn combos(
        &self,
        caller: &Caller,
        args: ComboMetricsArgs,
    ) -> Result<ComboMetricsReport, OpError> {
        let since = self.since(args.since_at);
        let snapshot = self.engine.snapshot();
        let only = args.name.map(|name| name.strip_prefix(PREFIX).unwrap_or(&name).to_owned());
        let mut combos: Vec<&Combo> = snapshot.settings.combos.iter().map(|combo| &**combo).collect();
        combos.retain(|combo| only.as_ref().is_none_or(|only| *combo.id == **only));
        if let Some(name) = only.clone().filter(|_| combos.is_empty()) {
            return Err(OpError::NotFound { noun: "combo", name });
        }
        combos.sort_by(|a, b| a.id.cmp(&b.id));
        let (mut rows, mut truncated) = (Vec::new(), false);
        let names = match &only {
            Some(only) => vec![Some(only.clone()), Some(format!("{PREFIX}{only}"))],
            None => vec![None],
        };
        for model in names {
            let whose = own::only(caller, None)?;
            let query = TraceQuery { since: Some(since), caller: whose, model, ..TraceQuery::default() };
            let found = self.receipts(query, MOST).await?;
            truncated |= found.more;
            rows.extend(found.rows);
        }
        let mut by_name: BTreeMap<&str, Vec<&ReceiptRow>> = BTreeMap::new();
        for row in &rows {
            by_name.entry(row.model.strip_prefix(PREFIX).unwrap_or(&row.model)).or_default().push(row);
        }
        let none = Vec::new();
        let combos = combos.into_iter().map(|combo| metrics(combo, by_name.get(&*combo.id).unwrap_or(&none)));
        Ok(ComboMetricsReport { since_at: since, combos: combos.collect(), truncated })
    }
}

fn metrics(combo: &Combo, rows: &[&ReceiptRow]) -> ComboMetrics {
    let is = |row: &&&ReceiptRow, outcome: Outcome| row.outcome == outcome.as_str();
    let whole: Vec<&&ReceiptRow> = rows.iter().filter(|row| is(row, Outcome::Completed)).collect();
    let left = rows.iter().filter(|row| is(row, Outcome::ClientLeft)).count();
    let stayed = rows.len() - left;
    let mut took: Vec<u32> = whole.iter().map(|row| row.total_ms).collect();
    took.sort_unstable();
    let costs: Vec<Usd> = rows.iter().filter_map(|row| row.cost).collect();
    let mut by_provider: BTreeMap<&str, ProviderShare> = BTreeMap::new();
    for row in &whole {
        let Some(served) = row.detail.attempts.last().filter(|last| last.fault.is_none()) else { continue };
        let share = by_provider.entry(&served.provider).or_default();
        share.answers += 1;
        if let Some(cost) = row.cost {
            share.cost_usd = Some(share.cost_usd.unwrap_or_default() + cost.dollars());
        }
    }
    let mut by_provider: Vec<ProviderShare> = by_provider
        .into_iter()
        .map(|(provider, share)| ProviderShare { provider: provider.to_owned(), ..share })
        .collect();
    by_provider.sort_by_key(|share| std::cmp::Reverse(share.answers));
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    ComboMetrics {
        name: combo.id.to_string(),
        strategy: combo.strategy.as_str().to_owned(),
        requests: count(rows.len()),
        success_rate: (stayed > 0).then(|| whole.len() as f64 / stayed as f64),
        p50_ms: percentile(&took, 50),
        p95_ms: percentile(&took, 95),
        cost_usd: (!costs.is_empty()).then(|| costs.iter().copied().sum::<Usd>().dollars()),
        cost_unknown: count(whole.iter().filter(|row| row.cost.is_none()).count()),
        fallback_count: count(whole.iter().filter(|row| row.detail.attempts.len() > 1).count()),
        by_provider,
    }
}

//! How a provider does: sums of usage, its last failure, and how its connections stand.

use operations::{
    reports::{ConnectionStanding, ProviderError, ProviderMetrics, ProviderMetricsArgs},
    usage::{GetUsage, GroupBy, UsageGroup},
};

use super::Reports;
use crate::{
    engine::{caller::Caller, settings::Connection},
    ops::{
        OpError, health, own,
        ports::{ReceiptRow, usage::TraceQuery},
    },
};

/// Receipts in which the last failure is looked for.
const MOST: usize = 1000;

impl Reports {
    /// How a provider does.
    ///
    /// # Errors
    /// When no connection is one to it.
    pub async fn provider(
        &self,
        caller: &Caller,
        args: ProviderMetricsArgs,
    ) -> Result<ProviderMetrics, OpError> {
        let snapshot = self.engine.snapshot();
        let named = |connection: &Connection| {
            let provider = &connection.provider;
            provider.id == args.provider || provider.prefixes.contains(&args.provider)
        };
        let connections: Vec<_> =
            snapshot.settings.connections.iter().filter(|connection| named(connection)).collect();
        let Some(provider) = connections.first().map(|connection| connection.provider.id.clone()) else {
            return Err(OpError::NotFound { noun: "connection to a provider", name: args.provider });
        };
        let (since, key) = (self.since(args.since_at), own::only(caller, None)?);
        let sums = GetUsage {
            group_by: GroupBy::Provider,
            since_at: Some(since),
            key: key.clone(),
            provider: Some(provider.clone()),
            ..GetUsage::default()
        };
        let report = self.usage.sum_up(sums).await?;
        let query = TraceQuery { since: Some(since), caller: key.clone(), ..TraceQuery::default() };
        let found = self.receipts(query, MOST).await?;
        let last_error = found.rows.iter().find_map(|row| last_failure(row, &provider));
        let standing = |connection: &&std::sync::Arc<Connection>| ConnectionStanding {
            health: health::connection(&self.engine, connection),
            breaker: self.engine.health().view().breaker(connection).as_str().to_owned(),
        };
        let connections = connections.iter().map(standing).collect();
        let usage = UsageGroup { name: provider.clone(), ..report.total };
        let well = usage.requests.saturating_sub(usage.errors);
        Ok(ProviderMetrics {
            provider,
            since_at: report.since_at,
            key,
            success_rate: (usage.requests > 0).then(|| well as f64 / usage.requests as f64),
            total_ms: usage.total_ms,
            usage,
            last_error,
            connections,
        })
    }
}

/// The last failure at a provider in the course of a request, also of one that somebody else answered then.
fn last_failure(row: &ReceiptRow, provider: &str) -> Option<ProviderError> {
    let mut attempts = row.detail.attempts.iter().rev();
    let failed = attempts.find(|attempt| attempt.provider == provider && attempt.fault.is_some())?;
    Some(ProviderError {
        at: row.at,
        connection: failed.connection.clone(),
        model: failed.model.clone(),
        kind: failed.fault.clone().unwrap_or_default(),
        message: failed.message.clone(),
        request_id: row.id.clone(),
    })
}

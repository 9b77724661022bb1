//! Operations that sum up for people and agents: what was spent, how combos and providers do, what went wrong, and what is best
//! for a kind of work. They ask what other operations ask, and put it together; a bounded number of receipts is looked at.

mod best;
mod combos;
mod cost;
mod errors;
mod providers;

use std::sync::Arc;

use operations::usage::{GetUsage, GroupBy, UsageReport};

use super::{
    OpError, own,
    ports::{
        LogError, ReceiptRow,
        usage::{DAY_MS, TraceLog, TraceQuery},
    },
    usage::Usage,
};
use crate::engine::{Engine, caller::Caller, ports::Clock};

/// Receipts that one read brings.
const PAGE: u32 = 500;

/// Executes them.
pub struct Reports {
    engine: Arc<Engine>,
    usage: Arc<Usage>,
    traces: Arc<dyn TraceLog>,
    clock: Arc<dyn Clock>,
}

/// The latest receipts that were asked for.
struct Found {
    rows: Vec<ReceiptRow>,
    /// Whether there are more than were looked at.
    more: bool,
}

impl Reports {
    /// Reports on what an engine knows and a store keeps.
    #[must_use]
    pub fn new(
        engine: Arc<Engine>,
        usage: Arc<Usage>,
        traces: Arc<dyn TraceLog>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { engine, usage, traces, clock }
    }

    /// A day ago, unless somebody said since when.
    fn since(&self, said: Option<i64>) -> i64 {
        said.unwrap_or_else(|| self.clock.now().saturating_sub(DAY_MS).max(0))
    }

    /// The latest receipts, at most `most` of them.
    async fn receipts(&self, query: TraceQuery, most: usize) -> Result<Found, OpError> {
        let (mut rows, mut after) = (Vec::new(), None);
        loop {
            let query = TraceQuery { after, limit: PAGE, ..query.clone() };
            let page = self.traces.page(query).await.map_err(failed)?;
            rows.extend(page.rows);
            after = page.next;
            if after.is_none() || rows.len() >= most {
                let more = after.is_some() || rows.len() > most;
                rows.truncate(most);
                return Ok(Found { rows, more });
            }
        }
    }

    /// Usage of one caller, or of all that the asking one sees.
    async fn sums(
        &self,
        caller: &Caller,
        group_by: GroupBy,
        since: i64,
        key: Option<&String>,
        limit: u32,
    ) -> Result<UsageReport, OpError> {
        let args = GetUsage {
            group_by,
            since_at: Some(since),
            key: own::only(caller, key.cloned())?,
            limit: Some(limit),
            ..GetUsage::default()
        };
        self.usage.sum_up(args).await
    }
}

fn failed(error: LogError) -> OpError {
    OpError::Store(Box::new(error))
}

/// What so many of 100 of these stay below; `None` of nothing.
fn percentile(sorted: &[u32], percent: usize) -> Option<u32> {
    let place = (sorted.len() * percent).div_ceil(100).checked_sub(1)?;
    sorted.get(place).copied()
}

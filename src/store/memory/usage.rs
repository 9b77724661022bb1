//! Sums of usage, sessions and pages of receipts in memory.

use std::collections::{BTreeMap, HashMap};

use futures_core::future::BoxFuture;

use super::MemoryStore;
use crate::{
    engine::receipt::Receipt,
    ops::ports::{
        LogError, ReceiptRow,
        usage::{
            HOUR_MS, SessionQuery, SessionRow, Sums, TraceLog, TracePlace, TraceQuery, TraceRows, UsageLog,
            UsageQuery,
        },
    },
    store::rollup::{Names, Place, Session, gather},
};

#[derive(Default)]
pub(super) struct Usage {
    names: Names,
    sums: BTreeMap<Place, Sums>,
    sessions: BTreeMap<Session, (i64, i64, Sums)>,
}

impl Usage {
    pub(super) fn add(&mut self, receipt: &Receipt) {
        let sheet = gather(std::slice::from_ref(receipt), &mut self.names);
        for (place, sums) in sheet.sums {
            self.sums.entry(place).or_default().merge(&sums);
        }
        for (session, (first, last, sums)) in sheet.sessions {
            let kept = self.sessions.entry(session).or_insert_with(|| (first, last, Sums::default()));
            (kept.0, kept.1) = (kept.0.min(first), kept.1.max(last));
            kept.2.merge(&sums);
        }
    }
}

impl UsageLog for MemoryStore {
    fn sums(&self, query: UsageQuery) -> BoxFuture<'_, Result<Vec<(String, Sums)>, LogError>> {
        self.now(|state| {
            let mut groups: HashMap<String, Sums> = HashMap::new();
            for (place, sums) in &state.usage.sums {
                let within = place.span_ms == query.span_ms && (query.from..query.until).contains(&place.at);
                if within && query.only.iter().all(|(of, value)| place.of(*of) == *value) {
                    groups.entry(place.of(query.group)).or_default().merge(sums);
                }
            }
            Ok(groups.into_iter().collect())
        })
    }

    fn oldest_hour(&self) -> BoxFuture<'_, Result<Option<i64>, LogError>> {
        self.now(|state| {
            let hours = state.usage.sums.keys().filter(|place| place.span_ms == HOUR_MS);
            Ok(hours.map(|place| place.at).min())
        })
    }

    fn sessions(&self, query: SessionQuery) -> BoxFuture<'_, Result<Vec<SessionRow>, LogError>> {
        self.now(|state| {
            let mut rows: Vec<SessionRow> = (state.usage.sessions.iter())
                .filter(|((_, caller), (first, last, _))| {
                    *last >= query.since
                        && *first < query.until
                        && query.caller.as_ref().is_none_or(|wanted| wanted == caller)
                })
                .map(|((session, caller), (first_at, last_at, sums))| {
                    // Latencies of sessions are not kept.
                    let sums = Sums { counts: sums.counts, ..Sums::default() };
                    let (session, caller) = (session.clone(), caller.clone());
                    SessionRow { session, caller, first_at: *first_at, last_at: *last_at, sums }
                })
                .collect();
            rows.sort_by_key(|row| std::cmp::Reverse(row.last_at));
            rows.truncate(query.limit as usize);
            Ok(rows)
        })
    }
}

impl TraceLog for MemoryStore {
    fn page(&self, query: TraceQuery) -> BoxFuture<'_, Result<TraceRows, LogError>> {
        self.now(|state| {
            let count = state.receipts.len();
            // The newest is first; numbers rise with what came later.
            let mut rows: Vec<(TracePlace, &ReceiptRow)> = (state.receipts.iter().enumerate())
                .map(|(nth, (row, _))| {
                    (TracePlace { at: row.at, seq: i64::try_from(count - nth).unwrap_or_default() }, row)
                })
                .filter(|(place, row)| meets(&query, *place, row))
                .collect();
            rows.sort_by_key(|(place, _)| std::cmp::Reverse((place.at, place.seq)));
            let more = rows.len() > query.limit as usize;
            rows.truncate(query.limit as usize);
            let next = rows.last().filter(|_| more).map(|(place, _)| *place);
            Ok(TraceRows { rows: rows.into_iter().map(|(_, row)| row.clone()).collect(), next })
        })
    }
}

fn meets(query: &TraceQuery, place: TracePlace, row: &ReceiptRow) -> bool {
    let same = |wanted: &Option<String>, have: Option<&str>| {
        wanted.as_deref().is_none_or(|wanted| have == Some(wanted))
    };
    query.after.is_none_or(|after| (place.at, place.seq) < (after.at, after.seq))
        && query.since.is_none_or(|since| row.at >= since)
        && query.until.is_none_or(|until| row.at < until)
        && same(&query.caller, Some(&row.caller))
        && (!query.failed || row.outcome != "completed")
        && same(&query.model, Some(&row.model))
        && same(&query.connection, row.connection.as_deref())
        && same(&query.session, row.session.as_deref())
        && same(&query.error, row.detail.error.as_deref())
        && query.status.is_none_or(|(least, most)| (least..=most).contains(&row.status))
        && query.outcome.is_none_or(|outcome| row.outcome == outcome)
}

//! What every store of usage and pages of receipts must do.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::ops::ports::{
    LogError,
    usage::{
        Count, DAY_MS, Dimension, HOUR_MS, SessionQuery, SessionRow, Sums, TraceLog, TraceQuery, TraceRows,
        UsageLog, UsageQuery, bucket,
    },
};

pass_on! { UsageLog:
    sums(query: UsageQuery) -> Result<Vec<(String, Sums)>, LogError>;
    oldest_hour() -> Result<Option<i64>, LogError>;
    sessions(query: SessionQuery) -> Result<Vec<SessionRow>, LogError>;
}

pass_on! { TraceLog:
    page(query: TraceQuery) -> Result<TraceRows, LogError>;
}

impl Either {
    fn usage(&self) -> Box<dyn UsageLog + '_> {
        match self {
            Self::Memory(store) => Box::new(Borrowed(store)),
            Self::Sql(store, _) => Box::new(store.usage()),
        }
    }

    fn traces(&self) -> Box<dyn TraceLog + '_> {
        match self {
            Self::Memory(store) => Box::new(Borrowed(store)),
            Self::Sql(store, _) => Box::new(store.receipts()),
        }
    }

    async fn sums(&self, query: UsageQuery) -> Vec<(String, Sums)> {
        let mut sums = self.usage().sums(query).await.unwrap();
        // Times as numbers, names as words.
        sums.sort_by_key(|(name, _)| (name.parse::<i64>().ok(), name.clone()));
        sums
    }
}

fn at(id: &str, at: i64) -> Receipt {
    Receipt { at, ..receipt(id) }
}

fn refused(id: &str, at: i64) -> Receipt {
    Receipt {
        at,
        caller: "key_2".into(),
        attempts: Vec::new(),
        usage: None,
        cost: None,
        cost_estimated: false,
        status: 404,
        outcome: Outcome::Failed,
        error: Some("model_not_found"),
        first_content_ms: None,
        ..receipt(id)
    }
}

fn days(group: Dimension, only: Vec<(Dimension, String)>) -> UsageQuery {
    UsageQuery { span_ms: DAY_MS, from: 0, until: i64::MAX, group, only }
}

const DAY: i64 = START - START % DAY_MS;

#[tokio::test]
async fn usage_is_summed_by_hours_and_days_in_every_respect() {
    for store in Either::each().await {
        assert_eq!(store.usage().oldest_hour().await.unwrap(), None);
        for (id, when) in [("1", DAY), ("2", DAY + HOUR_MS - 1), ("3", DAY + HOUR_MS)] {
            store.record(at(id, when));
        }
        store.flush().await;
        store.record(refused("4", DAY + DAY_MS));
        let unpriced = Receipt { cost: None, cost_estimated: false, ..at("5", DAY + DAY_MS) };
        store.record(unpriced);
        store.flush().await;
        assert_eq!(store.usage().oldest_hour().await.unwrap(), Some(DAY));

        let hours = UsageQuery { span_ms: HOUR_MS, until: DAY + DAY_MS, ..days(Dimension::At, Vec::new()) };
        let hours = store.sums(hours).await;
        let requests = |sums: &[(String, Sums)]| -> Vec<(String, u64)> {
            sums.iter().map(|(name, sums)| (name.clone(), sums.of(Count::Requests))).collect()
        };
        assert_eq!(requests(&hours), [(DAY.to_string(), 2), ((DAY + HOUR_MS).to_string(), 1)]);
        let first = &hours[0].1;
        let told = [Count::Input, Count::Output, Count::Cached, Count::Reasoning, Count::CostPico];
        assert_eq!(told.map(|count| first.of(count)), [20, 40, 6, 8, 5_600_000]);
        assert_eq!([Count::CostKnown, Count::CostEstimated].map(|count| first.of(count)), [2, 2]);
        assert_eq!([Count::StreamedTokens, Count::StreamedMs].map(|count| first.of(count)), [40, 320]);
        assert_eq!((first.total[bucket(240)], first.first[bucket(80)]), (2, 2));
        assert_eq!((first.total.iter().sum::<u64>(), first.first.iter().sum::<u64>()), (2, 2));

        for (group, expected) in [
            (Dimension::At, [(DAY.to_string(), 3), ((DAY + DAY_MS).to_string(), 2)]),
            (Dimension::Caller, [("key_1".to_owned(), 4), ("key_2".to_owned(), 1)]),
            (Dimension::Connection, [(String::new(), 1), ("groq-2".to_owned(), 4)]),
            (Dimension::Provider, [(String::new(), 1), ("groq".to_owned(), 4)]),
            (Dimension::Model, [(String::new(), 1), ("llama-3.3-70b-versatile".to_owned(), 4)]),
            (Dimension::Outcome, [("completed".to_owned(), 4), ("failed".to_owned(), 1)]),
            (Dimension::Status, [("2xx".to_owned(), 4), ("4xx".to_owned(), 1)]),
        ] {
            assert_eq!(requests(&store.sums(days(group, Vec::new())).await), expected, "{group:?}");
        }
        let only = [(Dimension::Dialect, "chat".to_owned()), (Dimension::Caller, "key_1".to_owned())];
        let [ref only_unpriced] = store.sums(days(Dimension::Dialect, only.to_vec())).await[..] else {
            unreachable!("one group");
        };
        assert_eq!((only_unpriced.1.of(Count::CostUnknown), only_unpriced.1.of(Count::CostKnown)), (1, 3));
        let refused = vec![(Dimension::Status, "4xx".to_owned())];
        let refused = &store.sums(days(Dimension::Dialect, refused)).await[0].1;
        let told = [Count::Errors, Count::CostUnknown, Count::TokensUnknown, Count::CostKnown];
        assert_eq!(told.map(|count| refused.of(count)), [1, 0, 0, 0], "nobody answered it");
    }
}

#[tokio::test]
async fn sessions_belong_to_callers_and_are_told_from_their_beginning() {
    for store in Either::each().await {
        let of = |id: &str, caller: &str, session: &str, when: i64| Receipt {
            caller: caller.into(),
            session: Some(session.to_owned()),
            ..at(id, when)
        };
        store.record(of("1", "key_1", "a", 1000));
        store.record(of("2", "key_1", "a", 3000));
        store.flush().await;
        store.record(of("3", "key_1", "a", 2000));
        store.record(of("4", "key_2", "a", 2500));
        store.record(of("5", "key_2", "b", 9000));
        store.record(at("6", 9000));
        store.flush().await;
        let all = |since, until, caller: Option<&str>| SessionQuery {
            since,
            until,
            caller: caller.map(str::to_owned),
            limit: 10,
        };
        let told = |rows: Vec<SessionRow>| -> Vec<_> {
            rows.into_iter()
                .map(|row| (row.session, row.caller, row.first_at, row.last_at, row.sums.of(Count::Requests)))
                .collect()
        };
        let first = ("a".to_owned(), "key_1".to_owned(), 1000, 3000, 3);
        let second = ("a".to_owned(), "key_2".to_owned(), 2500, 2500, 1);
        let third = ("b".to_owned(), "key_2".to_owned(), 9000, 9000, 1);
        let usage = store.usage();
        let rows = usage.sessions(all(0, 10_000, None)).await.unwrap();
        assert_eq!(rows[1].sums.of(Count::Output), 60);
        assert_eq!(told(rows), [third.clone(), first.clone(), second.clone()]);
        assert_eq!(told(usage.sessions(all(2600, 9000, None)).await.unwrap()), [first]);
        let second_caller = usage.sessions(all(0, 10_000, Some("key_2"))).await.unwrap();
        assert_eq!(told(second_caller), [third, second]);
        let one = SessionQuery { limit: 1, ..all(0, 10_000, None) };
        assert_eq!(usage.sessions(one).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn pages_of_receipts_hold_what_was_asked_for_once_each() {
    for store in Either::each().await {
        for nth in 0..50_i64 {
            let id = format!("{nth:02}");
            // Some arrive together, and one may be written after another that came later.
            let when = START + nth / 5 * 5 - nth % 2;
            let receipt = if nth % 7 == 0 { refused(&id, when) } else { at(&id, when) };
            let session = (nth % 10 == 1).then(|| "s".to_owned());
            store.record(Receipt { model: format!("m{}", nth % 3), session, ..receipt });
        }
        store.flush().await;
        let mut query = TraceQuery { limit: 7, ..TraceQuery::default() };
        let (mut seen, mut pages) = (Vec::new(), 0);
        loop {
            let page = store.traces().page(query.clone()).await.unwrap();
            seen.extend(page.rows.iter().map(|row| (row.at, row.id.clone())));
            pages += 1;
            let Some(next) = page.next else { break };
            query.after = Some(next);
        }
        assert_eq!((seen.len(), pages), (50, 8));
        assert!(seen.is_sorted_by(|newer, older| newer.0 >= older.0));
        assert_eq!(seen.iter().collect::<std::collections::BTreeSet<_>>().len(), 50);

        let all = TraceQuery { limit: 100, ..TraceQuery::default() };
        let count = async |query: TraceQuery| store.traces().page(query).await.unwrap().rows.len();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(count(TraceQuery { caller: text("key_2"), ..all.clone() }).await, 8);
        assert_eq!(count(TraceQuery { failed: true, ..all.clone() }).await, 8);
        assert_eq!(count(TraceQuery { model: text("m0"), ..all.clone() }).await, 17);
        assert_eq!(count(TraceQuery { connection: text("groq-2"), ..all.clone() }).await, 42);
        assert_eq!(count(TraceQuery { session: text("s"), ..all.clone() }).await, 5);
        assert_eq!(count(TraceQuery { status: Some((400, 499)), failed: true, ..all.clone() }).await, 8);
        assert_eq!(count(TraceQuery { outcome: Some("completed"), ..all.clone() }).await, 42);
        assert_eq!(
            count(TraceQuery { error: text("model_not_found"), failed: true, ..all.clone() }).await,
            8
        );
        assert_eq!(count(TraceQuery { error: text("nonsense"), ..all.clone() }).await, 0);
        // What arrived at an odd number was moved a millisecond ahead.
        let range = TraceQuery { since: Some(START + 10), until: Some(START + 15), ..all };
        assert_eq!(count(range).await, 6);
    }
}

//! What every store must do, checked on SQLite, PostgreSQL and the in-memory twin alike; also the makers of test data. What
//! is particular to files is in `tests`, to PostgreSQL in `postgres`.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::sync::Arc;

use canon::{Dialect, Edit, Losses, Usage};
use operations::{Scope, Scopes};
use tempfile::TempDir;

use super::{DataDir, MemoryStore, Store, WriterLimits};
use crate::{
    auth::{
        ports::{Ending, KeyRecord, KeyStore, KeyStoreError},
        test_clock::{START, TestClock},
    },
    engine::{
        fault::{FaultKind, Stage},
        ports::{CooldownRecord, CooldownSink, LockKind, ReceiptSink},
        receipt::{AttemptRecord, Outcome, Receipt, SkipRecord},
        settings::Usd,
    },
    ops::ports::ReceiptLog,
};
pub(super) use scene::Scene;

/// A store of any kind.
enum Either {
    Memory(MemoryStore),
    Sql(Store, #[expect(dead_code, reason = "kept until the test ends")] Scene),
}

impl Either {
    /// One of each kind.
    async fn each() -> Vec<Self> {
        let mut stores = vec![Self::Memory(MemoryStore::default())];
        for scene in Scene::each().await {
            stores.push(Self::Sql(scene.open(WriterLimits::default()).await, scene));
        }
        stores
    }

    fn keys(&self) -> Box<dyn KeyStore + '_> {
        match self {
            Self::Memory(store) => Box::new(Borrowed(store)),
            Self::Sql(store, _) => Box::new(store.keys()),
        }
    }

    fn record(&self, receipt: Receipt) {
        match self {
            Self::Memory(store) => store.record(receipt),
            Self::Sql(store, _) => store.writer().record(receipt),
        }
    }

    fn cooldowns(&self, act: impl Fn(&dyn CooldownSink)) {
        match self {
            Self::Memory(store) => act(store),
            Self::Sql(store, _) => act(&store.writer()),
        }
    }

    async fn load_cooldowns(&self, now: i64) -> Vec<CooldownRecord> {
        match self {
            Self::Memory(store) => store.load_cooldowns(now),
            Self::Sql(store, _) => store.load_cooldowns(now).await.unwrap(),
        }
    }

    fn log(&self) -> Box<dyn ReceiptLog + '_> {
        match self {
            Self::Memory(store) => Box::new(Borrowed(store)),
            Self::Sql(store, _) => Box::new(store.receipts()),
        }
    }

    async fn flush(&self) {
        if let Self::Sql(store, _) = self {
            store.writer().flush().await.unwrap();
        }
    }
}

/// The twin behind a reference.
struct Borrowed<'a>(&'a MemoryStore);

/// Passes each method of a trait on to the borrowed store.
macro_rules! pass_on {
    ($of:ident: $($name:ident($($arg:ident: $kind:ty),*) -> $out:ty;)* $(=> $tell:ident($told:ident: $what:ty);)*) => {
        impl $of for Borrowed<'_> {
            $(fn $name(&self, $($arg: $kind),*) -> futures_core::future::BoxFuture<'_, $out> {
                $of::$name(self.0, $($arg),*)
            })*
            $(fn $tell(&self, $told: $what) {
                $of::$tell(self.0, $told);
            })*
        }
    };
}

mod admin;
mod captures;
mod claims;
mod documents;
mod leases;
mod mcp_sessions;
mod oauth;
mod price_lists;
pub(super) mod responses;
pub(super) mod scene;
mod signing_keys;
mod suggestions;
mod tasks;
mod tool_calls;
mod usage;
mod windows;

type KeyResult<T> = Result<T, KeyStoreError>;
type LogResult<T> = Result<T, crate::ops::ports::LogError>;

pass_on! { KeyStore:
    insert(record: KeyRecord) -> KeyResult<()>;
    find(key: String, now: i64) -> KeyResult<Vec<KeyRecord>>;
    page(after: Option<String>, limit: u32) -> KeyResult<Vec<KeyRecord>>;
    all() -> KeyResult<Vec<KeyRecord>>;
    update(record: KeyRecord) -> KeyResult<()>;
    revoke(ids: Vec<Arc<str>>, now: i64) -> KeyResult<Vec<KeyRecord>>;
    rotate(old: Arc<str>, ending: Ending, successor: KeyRecord) -> KeyResult<KeyRecord>;
    touch_last_used(used: Vec<(Arc<str>, i64)>) -> KeyResult<()>;
    forget_ended(before: i64) -> KeyResult<u64>;
}

pass_on! { ReceiptLog:
    recent(limit: u32) -> LogResult<Vec<crate::ops::ports::ReceiptRow>>;
    by_id(id: String) -> LogResult<Option<crate::ops::ports::ReceiptRow>>;
    plan_of(id: String) -> LogResult<Option<String>>;
    count() -> LogResult<u64>;
}

pub(super) async fn open(dir: &TempDir, limits: WriterLimits) -> Store {
    let data_dir = DataDir::lock(dir.path()).unwrap();
    Store::open(&data_dir, limits, Arc::new(TestClock::default())).await.unwrap()
}

pub(super) fn key(number: u8, name: &str) -> KeyRecord {
    KeyRecord {
        id: format!("key_{number:032x}").into(),
        name: name.into(),
        prefix: "tvm_abcdef".into(),
        hash: [number; 32],
        scopes: [Scope::ReadModels, Scope::WriteKeys].into_iter().collect(),
        created_at: START,
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
        version: 1,
        disabled: None,
        policy: Arc::default(),
    }
}

pub(super) fn cooldown(connection: &str, model: Option<&str>, until: i64) -> CooldownRecord {
    CooldownRecord {
        lock: LockKind::Terminal,
        connection: connection.into(),
        model: model.map(Arc::from),
        // Above what a signed integer holds.
        fingerprint: u64::MAX - 1,
        since: until - 3,
        until,
        kind: FaultKind::TimedOut(Stage::Idle),
        message: "said so".to_owned(),
        level: 4,
        strikes: u32::MAX,
    }
}

pub(super) fn receipt(id: &str) -> Receipt {
    let attempt = |connection: &str, fault| AttemptRecord {
        connection: connection.into(),
        provider: "groq".into(),
        model: "llama-3.3-70b-versatile".into(),
        started_ms: 1,
        took_ms: 120,
        fault,
        status: Some(if fault.is_some() { 429 } else { 200 }),
        message: fault.map(|_| "used up".to_owned()),
    };
    Receipt {
        id: id.to_owned(),
        at: START,
        caller: "key_1".into(),
        client_request_id: Some("mine".to_owned()),
        dialect: Dialect::Chat,
        model: "groq/llama-3.3-70b-versatile".to_owned(),
        session: None,
        trace: None,
        stream: true,
        strategy: "exhaust",
        attempts: vec![attempt("groq-1", Some(FaultKind::RateLimited)), attempt("groq-2", None)],
        skipped: vec![SkipRecord {
            connection: "groq-3".into(),
            model: "llama-3.3-70b-versatile".into(),
            reason: "cooling".to_owned(),
            until: Some(START + 1000),
        }],
        plan: None,
        status: 200,
        outcome: Outcome::Completed,
        error: None,
        billed: true,
        cost: Some(Usd::from_pico(2_800_000)),
        cost_estimated: true,
        reused: None,
        shaped: Vec::new(),
        usage: Some(Usage { input: 10, output: 20, cached_input: 3, reasoning: 4, ..Usage::default() }),
        edits: vec![Edit::Model, Edit::IncludeUsage],
        losses: {
            let mut losses = Losses::default();
            losses.dropped("cache_control");
            losses.changed("max_tokens");
            losses
        },
        first_content_ms: Some(80),
        total_ms: 240,
        bytes_out: 4096,
    }
}

#[tokio::test]
async fn keys_are_kept_whole_and_listed_in_pages() {
    for store in Either::each().await {
        let keys = store.keys();
        let full = KeyRecord { expires_at: Some(START + 5), last_used_at: Some(START), ..key(1, "a") };
        keys.insert(full.clone()).await.unwrap();
        keys.insert(key(2, "b")).await.unwrap();
        keys.insert(key(3, "c")).await.unwrap();
        assert_eq!(keys.all().await.unwrap(), [full.clone(), key(2, "b"), key(3, "c")]);
        assert_eq!(keys.page(None, 2).await.unwrap(), [full.clone(), key(2, "b")]);
        assert_eq!(keys.page(Some(key(2, "").id.to_string()), 2).await.unwrap(), [key(3, "c")]);
        assert_eq!(keys.find("a".to_owned(), START).await.unwrap(), std::slice::from_ref(&full));
        assert_eq!(keys.find("a".to_owned(), START + 5).await.unwrap(), [], "ended: the name means nothing");
        assert_eq!(keys.find(full.id.to_string(), START + 5).await.unwrap(), [full], "the id still does");
    }
}

#[tokio::test]
async fn a_name_belongs_to_one_living_key() {
    for store in Either::each().await {
        let keys = store.keys();
        keys.insert(KeyRecord { expires_at: Some(START + 5), ..key(1, "a") }).await.unwrap();
        let taken = keys.insert(key(2, "a")).await;
        assert!(matches!(taken, Err(KeyStoreError::NameTaken)));
        assert_eq!(keys.all().await.unwrap().len(), 1);
        keys.insert(KeyRecord { created_at: START + 5, ..key(3, "a") }).await.unwrap();
        keys.revoke(vec![key(3, "").id], START + 6).await.unwrap();
        keys.insert(KeyRecord { created_at: START + 6, ..key(4, "a") }).await.unwrap();
    }
}

#[tokio::test]
async fn a_change_is_made_to_the_version_that_it_is_based_on() {
    use operations::keys::KeyPolicy;

    for store in Either::each().await {
        let keys = store.keys();
        keys.insert(key(1, "a")).await.unwrap();
        let policy = KeyPolicy {
            allow_models: Some(vec!["gpt-*".to_owned()]),
            usd_per_day: Some(0.1),
            ..KeyPolicy::default()
        };
        let new = KeyRecord {
            version: 2,
            disabled: Some("lost".into()),
            policy: Arc::new(policy),
            expires_at: Some(START + 9),
            scopes: Scopes::client(),
            ..key(1, "a")
        };
        keys.update(new.clone()).await.unwrap();
        assert_eq!(keys.all().await.unwrap(), std::slice::from_ref(&new));
        assert!(matches!(keys.update(new.clone()).await, Err(KeyStoreError::Stale)));
        let gone = KeyRecord { version: 2, ..key(9, "b") };
        assert!(matches!(keys.update(gone).await, Err(KeyStoreError::Stale)));
        let plain = KeyRecord { version: 3, ..key(1, "a") };
        keys.update(plain.clone()).await.unwrap();
        assert_eq!(keys.all().await.unwrap(), [plain], "what was said can be taken back");
    }
}

#[tokio::test]
async fn a_revocation_keeps_its_first_time() {
    for store in Either::each().await {
        let keys = store.keys();
        keys.insert(key(1, "a")).await.unwrap();
        let ids = || vec![key(1, "").id];
        let revoked = KeyRecord { revoked_at: Some(START + 1), ..key(1, "a") };
        assert_eq!(keys.revoke(ids(), START + 1).await.unwrap(), std::slice::from_ref(&revoked));
        assert_eq!(keys.revoke(ids(), START + 9).await.unwrap(), [revoked]);
    }
}

#[tokio::test]
async fn a_rotation_hands_the_name_on() {
    for store in Either::each().await {
        let keys = store.keys();
        keys.insert(key(1, "a")).await.unwrap();
        let old = keys.rotate(key(1, "").id, Ending::Expires(START + 9), key(2, "a")).await.unwrap();
        assert_eq!(old, KeyRecord { expires_at: Some(START + 9), ..key(1, "a") });
        let found = keys.find("a".to_owned(), START).await.unwrap();
        assert_eq!(found, [key(2, "a"), old.clone()], "the holder of the name comes first");
        let again = keys.rotate(old.id, Ending::Revoked(START), key(3, "a")).await;
        assert!(matches!(again, Err(KeyStoreError::NotCurrent)));
        assert_eq!(keys.all().await.unwrap().len(), 2, "nothing was added");
        let old = keys.rotate(key(2, "").id, Ending::Revoked(START), key(3, "a")).await.unwrap();
        assert_eq!(old.revoked_at, Some(START));
    }
}

#[tokio::test]
async fn the_last_use_never_moves_back() {
    for store in Either::each().await {
        let keys = store.keys();
        keys.insert(key(1, "a")).await.unwrap();
        for at in [START + 5, START + 3] {
            keys.touch_last_used(vec![(key(1, "").id, at), ("key_gone".into(), at)]).await.unwrap();
        }
        assert_eq!(keys.all().await.unwrap()[0].last_used_at, Some(START + 5));
    }
}

#[tokio::test]
async fn keys_that_ended_long_ago_are_forgotten_except_the_newest() {
    for store in Either::each().await {
        let keys = store.keys();
        keys.insert(KeyRecord { expires_at: Some(START + 1), ..key(1, "a") }).await.unwrap();
        keys.insert(key(2, "b")).await.unwrap();
        keys.insert(KeyRecord { revoked_at: Some(START + 1), ..key(3, "c") }).await.unwrap();
        assert_eq!(keys.forget_ended(START + 1).await.unwrap(), 0);
        assert_eq!(keys.forget_ended(START + 2).await.unwrap(), 1);
        let left: Vec<_> = keys.all().await.unwrap().into_iter().map(|key| key.name).collect();
        assert_eq!(left, ["b".into(), "c".into()]);
    }
}

#[tokio::test]
async fn cooldowns_replace_clear_and_end() {
    for store in Either::each().await {
        store.cooldowns(|sink| {
            sink.cooled(cooldown("a", None, START + 5));
            sink.cooled(cooldown("a", Some("m"), START + 10));
            sink.cooled(cooldown("b", None, START + 10));
        });
        store.flush().await;
        store.cooldowns(|sink| {
            sink.cooled(cooldown("a", Some("m"), START + 20));
            sink.cleared("b".into(), None);
            sink.cleared("c".into(), Some("m".into()));
        });
        store.flush().await;
        let both = [cooldown("a", None, START + 5), cooldown("a", Some("m"), START + 20)];
        assert_eq!(store.load_cooldowns(START).await, both);
        assert_eq!(store.load_cooldowns(START + 5).await, [cooldown("a", Some("m"), START + 20)]);
        assert_eq!(store.load_cooldowns(START).await.len(), 1, "the ended one was deleted");
    }
}

#[tokio::test]
async fn receipts_are_kept_whole_and_read_newest_first() {
    for store in Either::each().await {
        store.record(receipt("r1"));
        let failed = Receipt {
            attempts: Vec::new(),
            skipped: Vec::new(),
            usage: None,
            cost: None,
            cost_estimated: false,
            status: 429,
            outcome: Outcome::Failed,
            error: Some("all_cooling"),
            edits: Vec::new(),
            losses: Losses::default(),
            first_content_ms: None,
            ..receipt("r2")
        };
        store.record(failed);
        store.flush().await;
        let log = store.log();
        assert_eq!(log.count().await.unwrap(), 2);
        let recent = log.recent(10).await.unwrap();
        assert_eq!(recent.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["r2", "r1"]);
        assert_eq!(log.recent(1).await.unwrap().len(), 1);
        assert_eq!((recent[0].connection.as_deref(), recent[0].input_tokens), (None, None));
        assert_eq!(
            (recent[0].outcome.as_str(), recent[0].detail.error.as_deref()),
            ("failed", Some("all_cooling"))
        );
        assert_eq!(log.by_id("r3".to_owned()).await.unwrap(), None);

        let row = log.by_id("r1".to_owned()).await.unwrap().unwrap();
        assert_eq!((row.at, row.status, row.total_ms), (START, 200, 240));
        assert_eq!((row.input_tokens, row.output_tokens), (Some(10), Some(20)));
        assert_eq!(row.connection.as_deref(), Some("groq-2"));
        assert_eq!((row.cost, row.cost_estimated), (Some(Usd::from_pico(2_800_000)), true));
        assert_eq!((recent[0].cost, recent[0].cost_estimated), (None, false), "unknown stays unknown");
        let detail = row.detail;
        assert_eq!(
            (detail.dialect.as_str(), detail.stream, detail.strategy.as_str()),
            ("chat", true, "exhaust")
        );
        assert_eq!((detail.cached_input, detail.reasoning, detail.bytes_out), (3, 4, 4096));
        assert_eq!(detail.edits, ["model", "include-usage"]);
        assert_eq!(detail.losses, ["cache_control", "~max_tokens"]);
        assert_eq!(detail.first_content_ms, Some(80));
        assert_eq!(detail.attempts.len(), 2);
        assert_eq!(detail.attempts[0].fault.as_deref(), Some("rate_limited"));
        assert_eq!((detail.attempts[1].fault.as_deref(), detail.attempts[1].status), (None, Some(200)));
        assert_eq!(
            (detail.skipped[0].reason.as_str(), detail.skipped[0].until),
            ("cooling", Some(START + 1000))
        );
    }
}

#[tokio::test]
async fn what_clients_and_providers_wrote_is_bounded() {
    for store in Either::each().await {
        store.record(Receipt { model: "a\0b".to_owned(), ..receipt("r0") });
        store.cooldowns(|sink| {
            sink.cooled(CooldownRecord { message: "c\0d".to_owned(), ..cooldown("a", None, START + 5) });
        });
        let mut long = receipt("r1");
        long.model = "ü".repeat(1_000_000);
        long.client_request_id = Some("x".repeat(100_000));
        long.attempts = vec![long.attempts[0].clone(); 100];
        long.skipped = vec![long.skipped[0].clone(); 70];
        store.record(long);
        store.flush().await;
        let row = store.log().recent(1).await.unwrap().remove(0);
        assert!(row.model.len() < 300 && row.model.ends_with("ü…"));
        assert!(row.detail.client_request_id.unwrap().len() < 300);
        assert_eq!(
            (row.detail.attempts.len(), row.detail.skipped.len(), row.detail.omitted),
            (64, 64, 36 + 6)
        );
        // PostgreSQL has no place for the character NUL: it must not keep the rest from being written.
        assert_eq!(store.log().by_id("r0".to_owned()).await.unwrap().unwrap().model, "a\u{fffd}b");
        assert_eq!(store.load_cooldowns(START).await.len(), 1);
    }
}

#[test]
fn scopes_survive_as_text_and_unknown_ones_give_nothing() {
    use crate::auth::ports::{scopes_from_text, scopes_to_text};

    assert_eq!(scopes_from_text(&scopes_to_text(Scopes::all())), Scopes::all());
    assert_eq!(scopes_from_text("read:models write:universe"), [Scope::ReadModels].into_iter().collect());
    assert_eq!(scopes_from_text(""), Scopes::default());
}

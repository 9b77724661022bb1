//! What is particular to PostgreSQL: errors that are explained, the lock, and a server that goes away and comes back. Nothing is
//! run where there is no server for tests; `postgres_is_tested_or_said_to_be_skipped` says so.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::net::SocketAddr;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

use super::*;
use crate::{
    auth::{ports::KeyStore, test_clock::START},
    engine::ports::{CooldownSink, ReceiptSink},
    ops::ports::{Claim, ClaimPlace, ClaimStore, ReceiptLog},
    store::{
        Store, WriterLimits,
        contract::{Scene, cooldown, key, receipt, scene::server as test_server},
        sql,
    },
};

/// Runs a statement as the superuser, beside the store.
async fn administer(text: &str) {
    let mut connection = PgConnection::connect(&test_server().unwrap()).await.unwrap();
    // Safe: made by tests.
    sqlx::query(AssertSqlSafe(text.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Why a store does not open when its address is changed like this.
async fn refused(change: impl FnOnce(&mut url::Url)) -> Option<(PostgresProblem, String)> {
    let mut scene = Scene::postgres().await?;
    change(scene.url()?);
    let error = scene.try_open(WriterLimits::default()).await.err().unwrap();
    let text = error.to_string();
    match error {
        StoreError::Postgres { problem, .. } => Some((problem, text)),
        other => unreachable!("{other:?}"),
    }
}

async fn until_written(store: &Store, count: u64) {
    let written = async {
        while store.receipts().count().await.unwrap_or_default() < count {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), written).await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_explained_and_not_shown() {
    let wrong = |url: &mut url::Url| {
        url.set_username("nobody_knows_me").unwrap();
        url.set_password(Some("s3cret")).unwrap();
    };
    let Some((problem, text)) = refused(wrong).await else { return };
    assert!(matches!(problem, PostgresProblem::Refused(_)), "{problem:?}");
    assert!(text.contains("Check user and password") && text.contains("nobody_knows_me"), "{text}");
    assert!(!text.contains("s3cret") && !format!("{problem:?}").contains("s3cret"), "{text}");
}

#[tokio::test]
async fn a_database_that_is_missing_is_explained() {
    let Some((problem, text)) = refused(|url| url.set_path("/no_such_database")).await else { return };
    assert!(matches!(problem, PostgresProblem::NoDatabase(_)), "{problem:?}");
    assert!(text.contains("\"no_such_database\" does not exist. Make it with CREATE DATABASE"), "{text}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_explained() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let Some((problem, text)) = refused(|url| url.set_port(Some(port)).unwrap()).await else { return };
    assert!(matches!(problem, PostgresProblem::Unreachable(_)), "{problem:?}");
    assert!(text.contains(&format!("127.0.0.1:{port}")) && text.contains("PostgreSQL runs there"), "{text}");
}

#[tokio::test]
async fn a_server_without_encryption_is_explained() {
    let encrypted = |url: &mut url::Url| {
        url.query_pairs_mut().append_pair("sslmode", "require");
    };
    let Some((problem, text)) = refused(encrypted).await else { return };
    assert!(matches!(problem, PostgresProblem::Tls(_)), "{problem:?}");
    assert!(text.contains("no encrypted connection"), "{text}");
}

#[tokio::test]
async fn a_schema_that_is_missing_is_explained() {
    let nowhere = |url: &mut url::Url| {
        url.query_pairs_mut().append_pair("options[search_path]", "no_such_schema");
    };
    let Some((problem, text)) = refused(nowhere).await else { return };
    assert!(matches!(problem, PostgresProblem::NoSchema), "{problem:?}");
    assert!(text.contains("CREATE SCHEMA"), "{text}");
}

#[tokio::test]
async fn a_missing_right_is_explained() {
    let Some(mut scene) = Scene::postgres().await else { return };
    let schema = scene.schema();
    administer(&format!("CREATE ROLE {schema} LOGIN PASSWORD 'x'")).await;
    administer(&format!("GRANT USAGE ON SCHEMA {schema} TO {schema}")).await;
    let url = scene.url().unwrap();
    url.set_username(&schema).unwrap();
    url.set_password(Some("x")).unwrap();
    let text = scene.try_open(WriterLimits::default()).await.err().unwrap().to_string();
    assert!(text.contains("permission denied") && text.contains("CREATE on the schema"), "{text}");
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_explained() {
    let Some(scene) = Scene::postgres().await else { return };
    let store = scene.open(WriterLimits::default()).await;
    sql::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'of the future', true, decode('00', 'hex'), 0)",
    )
    .execute(&store.pools.managing)
    .await
    .unwrap();
    store.close().await.unwrap();
    drop(store);
    let error = scene.try_open(WriterLimits::default()).await.err().unwrap();
    assert!(error.to_string().contains("written by a newer Trivium"), "{error}");
}

#[tokio::test]
async fn a_second_hub_is_refused_until_the_first_has_gone() {
    let Some(scene) = Scene::postgres().await else { return };
    let store = scene.open(WriterLimits::default()).await;
    store.keys().insert(key(1, "a")).await.unwrap();
    let elsewhere = scene.elsewhere();
    let error = elsewhere.try_open(WriterLimits::default()).await.err().unwrap().to_string();
    assert!(error.contains("another hub uses it (from 127.0.0.1 since "), "{error}");
    let own = Scene::postgres().await.unwrap();
    drop(own.open(WriterLimits::default()).await);
    store.close().await.unwrap();
    let second = elsewhere.open(WriterLimits::default()).await;
    assert_eq!(second.keys().all().await.unwrap(), [key(1, "a")]);
}

#[tokio::test]
async fn a_lock_that_is_lost_is_taken_again() {
    let Some(mut scene) = Scene::postgres().await else { return };
    let options = PgConnectOptions::from_str(scene.url().unwrap().as_str()).unwrap();
    let (lock, _) = HubLock::take(&options, "here", Duration::from_millis(50)).await.unwrap();
    let pids = format!("SELECT pid FROM pg_stat_activity WHERE application_name = '{}'", scene.schema());
    administer(&format!("SELECT pg_terminate_backend(pid) FROM ({pids}) AS theirs")).await;
    let again = async {
        let mut connection = PgConnection::connect(&test_server().unwrap()).await.unwrap();
        let held = format!("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid IN ({pids})");
        while sqlx::query(AssertSqlSafe(held.clone())).fetch_all(&mut connection).await.unwrap().is_empty() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(20), again).await.unwrap();
    let refused = HubLock::take(&options, "here", Duration::from_secs(5)).await.err().unwrap();
    assert!(matches!(refused, PostgresProblem::InUse { .. }), "{refused:?}");
    drop(lock);
    HubLock::take(&options, "here", Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn connections_that_were_ended_cost_nothing() {
    let Some(scene) = Scene::postgres().await else { return };
    let store = scene.open(WriterLimits::default()).await;
    store.keys().insert(key(1, "a")).await.unwrap();
    store.writer().record(receipt("1"));
    store.writer().flush().await.unwrap();
    let theirs = format!("application_name = '{}'", scene.schema());
    administer(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {theirs}")).await;
    store.keys().insert(key(2, "b")).await.unwrap();
    store.writer().record(receipt("2"));
    until_written(&store, 2).await;
    assert_eq!(store.writer().dropped(), 0);
}

/// Stands between the store and the server, and can be taken away.
struct Way {
    address: SocketAddr,
    server: String,
    open: tokio::task::JoinHandle<()>,
}

impl Way {
    async fn to(url: &mut url::Url) -> Self {
        let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(address.port())).unwrap();
        let open = tokio::spawn(forward(listener, server.clone()));
        Self { address, server, open }
    }

    async fn cut(&mut self) {
        self.open.abort();
        assert!((&mut self.open).await.unwrap_err().is_cancelled());
    }

    async fn mend(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.open = tokio::spawn(forward(listener, self.server.clone()));
    }
}

/// All connections end with this task.
async fn forward(listener: TcpListener, server: String) {
    let mut connections = JoinSet::new();
    loop {
        let (mut near, _) = listener.accept().await.unwrap();
        let mut far = TcpStream::connect(&server).await.unwrap();
        connections.spawn(async move { copy_bidirectional(&mut near, &mut far).await });
    }
}

#[tokio::test]
async fn while_the_server_is_away_all_waits_within_its_bounds_and_is_written_later() {
    let Some(mut scene) = Scene::postgres().await else { return };
    let mut way = Way::to(scene.url().unwrap()).await;
    let store = scene.open(WriterLimits { queue: 600, ..WriterLimits::default() }).await;
    let writer = store.writer();
    writer.record(receipt("first"));
    writer.flush().await.unwrap();
    way.cut().await;
    for number in 0..600 {
        writer.record(receipt(&number.to_string()));
    }
    writer.cooled(cooldown("a", None, START + 5));
    // The writer takes a batch in hand and leaves the others in the queue.
    sleep(Duration::from_millis(200)).await;
    for number in 0..2000 {
        writer.record(receipt(&format!("more {number}")));
    }
    let dropped = writer.dropped();
    assert!((1_000..2_000).contains(&dropped), "{dropped}");
    assert!(store.keys().insert(key(1, "a")).await.is_err(), "not acknowledged");
    way.mend().await;
    until_written(&store, 1 + 2600 - dropped).await;
    writer.flush().await.unwrap();
    assert_eq!((store.receipts().count().await.unwrap(), writer.dropped()), (2601 - dropped, dropped));
    assert_eq!(store.load_cooldowns(START).await.unwrap(), [cooldown("a", None, START + 5)]);
    store.keys().insert(key(1, "a")).await.unwrap();
}

#[tokio::test]
async fn of_many_who_claim_at_once_one_is_first() {
    for scene in Scene::each().await {
        let store = scene.open(WriterLimits::default()).await;
        let mut claims = JoinSet::new();
        for number in 0..32 {
            let claims_of = store.claims();
            claims.spawn(async move {
                let place = ClaimPlace { owner: "a".into(), id: "k".into() };
                let claim = Claim { place, request: [number; 32], created_at: START, expires_at: START + 9 };
                claims_of.claim(claim, 100).await.unwrap().is_none()
            });
        }
        let first = claims.join_all().await.into_iter().filter(|first| *first).count();
        assert_eq!(first, 1);
    }
}

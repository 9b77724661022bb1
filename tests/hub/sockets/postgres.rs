//! A whole hub whose store is PostgreSQL: all that it knows outlives it, and nobody beside it gets in. Run where
//! `TRIVIUM_TEST_POSTGRES` holds the URL of a superuser (`e2e/postgres`); otherwise each test says that it was skipped.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::support::{Ground, Hub};

/// What `trivium.yaml` says; the address is in the environment, as a password should be.
const SECTION: &str = "store:\n  url: ${STORE_URL}\n";

/// The address of a schema of the test's own.
async fn address() -> Option<String> {
    let Some(server) = std::env::var("TRIVIUM_TEST_POSTGRES").ok().filter(|url| !url.is_empty()) else {
        assert!(std::env::var_os("TRIVIUM_REQUIRE_POSTGRES").is_none_or(|it| it != "1"), "no PostgreSQL");
        eprintln!("PostgreSQL was skipped: TRIVIUM_TEST_POSTGRES is not set (see e2e/postgres)");
        return None;
    };
    let schema = format!("hub_{}", uuid::Uuid::now_v7().simple());
    let mut connection = PgConnection::connect(&server).await.unwrap();
    // Safe: the name was made here.
    sqlx::query(AssertSqlSafe(format!("CREATE SCHEMA {schema}"))).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let mut url: url::Url = server.parse().unwrap();
    url.query_pairs_mut().append_pair("options[search_path]", &schema);
    Some(url.into())
}

/// What the hub and its commands say never holds the password.
fn says_no_password(ground: &Ground, address: &str) {
    let url: url::Url = address.parse().unwrap();
    if let Some(password) = url.password() {
        assert!(!ground.said().contains(password), "{}", ground.said());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_on_postgres_serves_explains_and_knows_after_a_stop_and_a_kill() {
    let Some(address) = address().await else { return };
    let mut hub = Hub::builder()
        .section(SECTION)
        .env("STORE_URL", &address)
        .account("broke", "sim-402")
        .account("good", "sim-ok")
        .start()
        .await;
    let key = hub.new_key("worker").await;
    let revoked = hub.new_key("gone").await;
    hub.ground.cli_ok(&["keys", "revoke", "gone"]).await;
    let mut last = String::new();
    for stream in [true, false] {
        let answer = hub.with_key(&key).chat("m").stream_if(stream).send().await;
        answer.must_be_whole();
        assert_eq!(answer.header("x-gateway-route"), "good");
        last = answer.request_id();
    }
    assert_eq!(hub.stop().await.code(), Some(0), "{}", hub.ground.said());
    assert!(!hub.ground.data_dir().join("trivium.db").exists(), "nothing is kept in a file beside");

    // Without a hub the commands use the same database.
    let told = hub.ground.cli_ok(&["explain", &last]).await;
    assert!(told.contains("good"), "{told}");
    let keys = hub.ground.cli_ok(&["keys", "list"]).await;
    assert!(keys.contains("worker"), "{keys}");

    let mut hub = hub.again().await;
    for round in 0..2 {
        let health = hub.health().await;
        assert_eq!(health["details"]["connections"][0]["standing"], "cooling", "{round}: {health}");
        hub.with_key(&key).chat("m").send().await.must_be_whole();
        assert_eq!(hub.with_key(&revoked).chat("m").send().await.code(), "invalid_api_key");
        if round == 0 {
            hub.process.kill();
            hub.process.end().await;
            // The server notices that the killed one is gone, and lets the next one in.
            hub = hub.again().await;
        }
    }
    says_no_password(&hub.ground, &address);
    let shown = hub.ground.cli_ok(&["config", "show"]).await;
    assert!(shown.contains("postgres://") && !shown.contains("search_path"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_hub_on_the_same_database_does_not_start() {
    let Some(address) = address().await else { return };
    let hub = Hub::builder().section(SECTION).env("STORE_URL", &address).account("a", "sim-ok").start().await;
    // With a data directory of its own.
    let other = Ground::new();
    let config = std::fs::read_to_string(hub.ground.config())
        .unwrap()
        .replace("${STORE_URL}", &format!("'{address}'"));
    std::fs::write(other.config(), config).unwrap();
    let second = other.cli(&["--port", "0"]).await;
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8(second.stderr).unwrap();
    let words = ["store.url", "another hub uses it", "stop that one"];
    assert!(words.iter().all(|word| said.contains(word)), "{said}");
    hub.chat("m").send().await.must_be_whole();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_explained_at_the_start() {
    let ground = Ground::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let url = format!("postgres://hub:s3cret-pw@127.0.0.1:{port}/trivium");
    std::fs::write(ground.config(), format!("store: {{url: '{url}'}}\n")).unwrap();
    let end = tokio::time::timeout(Duration::from_secs(60), ground.cli(&["--port", "0"]));
    let output = end.await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(
        said.contains(&format!("trivium at 127.0.0.1:{port}")) && said.contains("cannot connect"),
        "{said}"
    );
    assert!(!said.contains("s3cret-pw"), "{said}");
}

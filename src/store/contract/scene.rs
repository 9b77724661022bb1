//! Where the databases of a test are: a folder of its own, and in PostgreSQL a schema of its own. PostgreSQL is tested where
//! `TRIVIUM_TEST_POSTGRES` holds the URL of a superuser, as `e2e/postgres` sets it.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::{
    io::{Write, stderr},
    sync::Arc,
};

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use url::Url;

use crate::{
    auth::test_clock::TestClock,
    engine::settings::Secret,
    store::{DataDir, Store, StoreError, WriterLimits},
};

/// The URL of the server for tests, if there is one.
pub(in crate::store) fn server() -> Option<String> {
    std::env::var("TRIVIUM_TEST_POSTGRES").ok().filter(|url| !url.is_empty())
}

/// A place for one database.
pub(in crate::store) struct Scene {
    dir: TempDir,
    url: Option<Url>,
}

impl Scene {
    /// One of each kind of database that can be tested here.
    pub(in crate::store) async fn each() -> Vec<Self> {
        std::iter::once(Self::file()).chain(Self::postgres().await).collect()
    }

    /// A new folder for SQLite.
    pub(in crate::store) fn file() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), url: None }
    }

    /// The address, which must be that of a server.
    pub(in crate::store) fn secret_url(&self) -> Secret {
        Secret::new(self.url.as_ref().unwrap().as_str())
    }

    /// A new schema in PostgreSQL; none where there is no server.
    pub(in crate::store) async fn postgres() -> Option<Self> {
        let mut url: Url = server()?.parse().unwrap();
        let schema = format!("test_{}", uuid::Uuid::now_v7().simple());
        let mut connection = PgConnection::connect(url.as_str()).await.unwrap();
        // Safe: the name was made here.
        let make = AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
        sqlx::query(make).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        url.query_pairs_mut()
            .append_pair("options[search_path]", &schema)
            .append_pair("application_name", &schema);
        Some(Self { dir: tempfile::tempdir().unwrap(), url: Some(url) })
    }

    /// The same database, seen from another machine: with a data directory of its own.
    pub(in crate::store) fn elsewhere(&self) -> Self {
        Self { dir: tempfile::tempdir().unwrap(), url: self.url.clone() }
    }

    /// Its data directory.
    pub(in crate::store) fn path(&self) -> &std::path::Path {
        self.dir.path()
    }

    /// The address, to be changed.
    pub(in crate::store) const fn url(&mut self) -> Option<&mut Url> {
        self.url.as_mut()
    }

    /// The name of the schema, by which the server also knows its connections.
    pub(in crate::store) fn schema(&self) -> String {
        let url = self.url.as_ref().unwrap();
        url.query_pairs().find(|(name, _)| name == "application_name").unwrap().1.into_owned()
    }

    /// Opens the store, which must succeed.
    pub(in crate::store) async fn open(&self, limits: WriterLimits) -> Store {
        self.try_open(limits).await.unwrap()
    }

    pub(in crate::store) async fn try_open(&self, limits: WriterLimits) -> Result<Store, StoreError> {
        let data_dir = DataDir::lock(self.dir.path())?;
        let url = self.url.as_ref().map(|url| Secret::new(url.as_str()));
        Store::open_at(&data_dir, url.as_ref(), limits, Arc::new(TestClock::default())).await
    }
}

/// Says so where the other tests of the store are not run on PostgreSQL too: past the harness, which keeps what tests print.
#[test]
fn postgres_is_tested_or_said_to_be_skipped() {
    if server().is_none() {
        let required = std::env::var("TRIVIUM_REQUIRE_POSTGRES").is_ok_and(|value| value == "1");
        assert!(!required, "TRIVIUM_REQUIRE_POSTGRES is 1, and TRIVIUM_TEST_POSTGRES is not set");
        let said = "PostgreSQL was skipped: TRIVIUM_TEST_POSTGRES is not set (see e2e/postgres)";
        writeln!(stderr(), "{said}").unwrap();
    }
}

//! Tokens of connections and logins under way, in the database, sealed. When they are renewed and who may have them is not
//! decided here. Everything is committed on the connection whose commits survive a power cut.

use std::sync::Arc;

use futures_core::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{
    StoreError, events,
    seal::Sealer,
    sql::{self, Pool, Row},
};
use crate::{
    engine::settings::Secret,
    ops::ports::oauth::{Credential, CredentialState, Identity, OAuthStore, OAuthStoreError, PendingLogin},
};

/// The logins of one database.
#[derive(Clone)]
pub struct SqlOAuth {
    pool: Pool,
    sealer: Arc<Sealer>,
}

/// What is sealed of a credential.
#[derive(Serialize, Deserialize)]
struct Tokens {
    access: Option<String>,
    refresh: Option<String>,
    scopes: Option<String>,
    identity: Option<Identity>,
}

/// What is sealed of a login.
#[derive(Serialize, Deserialize)]
struct Proof {
    verifier: String,
    nonce: String,
    redirect_url: String,
}

impl SqlOAuth {
    pub(super) const fn new(pool: Pool, sealer: Arc<Sealer>) -> Self {
        Self { pool, sealer }
    }

    async fn all(&self) -> Result<Vec<Credential>, StoreError> {
        let query = "SELECT connection, binding, state, issued_at, expires_at, error, updated_at, sealed \
                     FROM oauth_credentials ORDER BY connection";
        let rows = sql::query(query).fetch_all(&self.pool).await?;
        rows.iter().map(|row| self.credential(row)).collect()
    }

    fn credential(&self, row: &Row) -> Result<Credential, StoreError> {
        let connection: Arc<str> = row.try_get::<&str, _>("connection")?.into();
        let opened = self.sealer.open(&tokens_of(&connection), row.try_get("sealed")?)?;
        let tokens: Option<Tokens> = opened.and_then(|plain| serde_json::from_slice(&plain).ok());
        let mut state = CredentialState::parse(row.try_get("state")?);
        let mut error: Option<String> = row.try_get("error")?;
        if tokens.is_none() {
            events::tokens_unreadable(&connection);
            state = CredentialState::NeedsLogin;
            error = Some("the tokens cannot be decrypted".to_owned());
        }
        let tokens = tokens.unwrap_or(Tokens { access: None, refresh: None, scopes: None, identity: None });
        Ok(Credential {
            connection,
            binding: row.try_get::<i64, _>("binding")?.cast_unsigned(),
            state,
            access: tokens.access.map(Secret::new),
            refresh: tokens.refresh.map(Secret::new),
            scopes: tokens.scopes,
            identity: tokens.identity,
            issued_at: row.try_get("issued_at")?,
            expires_at: row.try_get("expires_at")?,
            error,
            updated_at: row.try_get("updated_at")?,
        })
    }

    async fn put(&self, credential: Credential) -> Result<(), StoreError> {
        let text = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
        let tokens = Tokens {
            access: text(&credential.access),
            refresh: text(&credential.refresh),
            scopes: credential.scopes,
            identity: credential.identity,
        };
        let sealed = self.sealed(&tokens_of(&credential.connection), &tokens)?;
        sql::query(
            "INSERT INTO oauth_credentials \
             (connection, binding, state, issued_at, expires_at, error, updated_at, sealed) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
             ON CONFLICT (connection) DO UPDATE SET binding = excluded.binding, state = excluded.state, \
             issued_at = excluded.issued_at, expires_at = excluded.expires_at, error = excluded.error, \
             updated_at = excluded.updated_at, sealed = excluded.sealed",
        )
        .bind(&*credential.connection)
        .bind(credential.binding.cast_signed())
        .bind(credential.state.as_str())
        .bind(credential.issued_at)
        .bind(credential.expires_at)
        .bind(credential.error)
        .bind(credential.updated_at)
        .bind(sealed)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn remove(&self, connection: &str) -> Result<bool, StoreError> {
        let query = sql::query("DELETE FROM oauth_credentials WHERE connection = $1").bind(connection);
        Ok(query.execute(&self.pool).await?.rows_affected() > 0)
    }

    async fn begin(&self, login: PendingLogin, now: i64, most: u32) -> Result<(), StoreError> {
        let proof = Proof {
            verifier: login.verifier.expose().to_owned(),
            nonce: login.nonce.expose().to_owned(),
            redirect_url: login.redirect_url,
        };
        let sealed = self.sealed(&proof_of(&login.login, &login.connection), &proof)?;
        let mut transaction = self.pool.begin().await?;
        // First a statement that writes, so that the transaction waits its turn here and does not fail later.
        sql::query("DELETE FROM oauth_logins WHERE expires_at <= $1")
            .bind(now)
            .execute(&mut *transaction)
            .await?;
        sql::query(
            "DELETE FROM oauth_logins WHERE state NOT IN \
             (SELECT state FROM oauth_logins ORDER BY expires_at DESC, login DESC LIMIT $1)",
        )
        .bind(i64::from(most.saturating_sub(1)))
        .execute(&mut *transaction)
        .await?;
        sql::query(
            "INSERT INTO oauth_logins (state, login, connection, binding, expires_at, sealed) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&login.state[..])
        .bind(&*login.login)
        .bind(&*login.connection)
        .bind(login.binding.cast_signed())
        .bind(login.expires_at)
        .bind(sealed)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    async fn take(&self, state: [u8; 32], now: i64) -> Result<Option<PendingLogin>, StoreError> {
        let query = sql::query(
            "DELETE FROM oauth_logins WHERE state = $1 \
             RETURNING login, connection, binding, expires_at, sealed",
        );
        let Some(row) = query.bind(&state[..]).fetch_optional(&self.pool).await? else { return Ok(None) };
        let login: Arc<str> = row.try_get::<&str, _>("login")?.into();
        let connection: Arc<str> = row.try_get::<&str, _>("connection")?.into();
        let expires_at: i64 = row.try_get("expires_at")?;
        let opened = self.sealer.open(&proof_of(&login, &connection), row.try_get("sealed")?)?;
        let proof: Option<Proof> = opened.and_then(|plain| serde_json::from_slice(&plain).ok());
        let Some(proof) = proof.filter(|_| expires_at > now) else { return Ok(None) };
        Ok(Some(PendingLogin {
            state,
            login,
            connection,
            binding: row.try_get::<i64, _>("binding")?.cast_unsigned(),
            verifier: Secret::new(proof.verifier),
            nonce: Secret::new(proof.nonce),
            redirect_url: proof.redirect_url,
            expires_at,
        }))
    }

    fn sealed(&self, places: &[&str], what: &impl Serialize) -> Result<Vec<u8>, StoreError> {
        let plain = serde_json::to_vec(what).map_err(|error| sqlx::Error::Encode(error.into()))?;
        self.sealer.seal(places, plain)
    }
}

/// What tokens are sealed for: a row that is moved to another connection does not open.
fn tokens_of(connection: &str) -> [&str; 2] {
    ["oauth", connection]
}

fn proof_of<'a>(login: &'a str, connection: &'a str) -> [&'a str; 3] {
    ["login", login, connection]
}

impl OAuthStore for SqlOAuth {
    fn credentials(&self) -> BoxFuture<'_, Result<Vec<Credential>, OAuthStoreError>> {
        Box::pin(async move { self.all().await.map_err(failed) })
    }

    fn put_credential(&self, credential: Credential) -> BoxFuture<'_, Result<(), OAuthStoreError>> {
        Box::pin(async move { self.put(credential).await.map_err(failed) })
    }

    fn remove_credential(&self, connection: Arc<str>) -> BoxFuture<'_, Result<bool, OAuthStoreError>> {
        Box::pin(async move { self.remove(&connection).await.map_err(failed) })
    }

    fn begin_login(
        &self,
        login: PendingLogin,
        now: i64,
        most: u32,
    ) -> BoxFuture<'_, Result<(), OAuthStoreError>> {
        Box::pin(async move { self.begin(login, now, most).await.map_err(failed) })
    }

    fn take_login(
        &self,
        state: [u8; 32],
        now: i64,
    ) -> BoxFuture<'_, Result<Option<PendingLogin>, OAuthStoreError>> {
        Box::pin(async move { self.take(state, now).await.map_err(failed) })
    }
}

fn failed(error: StoreError) -> OAuthStoreError {
    events::logins_failed(&error);
    OAuthStoreError(Box::new(error))
}

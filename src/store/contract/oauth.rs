//! What every store of logins must do.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::{
    engine::settings::Secret,
    ops::ports::oauth::{Credential, CredentialState, Identity, OAuthStore, OAuthStoreError, PendingLogin},
};

pass_on! { OAuthStore:
    credentials() -> Result<Vec<Credential>, OAuthStoreError>;
    put_credential(credential: Credential) -> Result<(), OAuthStoreError>;
    remove_credential(connection: Arc<str>) -> Result<bool, OAuthStoreError>;
    begin_login(login: PendingLogin, now: i64, most: u32) -> Result<(), OAuthStoreError>;
    take_login(state: [u8; 32], now: i64) -> Result<Option<PendingLogin>, OAuthStoreError>;
}

impl Either {
    fn oauth(&self) -> Box<dyn OAuthStore + '_> {
        match self {
            Self::Memory(store) => Box::new(Borrowed(store)),
            Self::Sql(store, _) => Box::new(store.oauth()),
        }
    }
}

fn credential(connection: &str, access: &str) -> Credential {
    Credential {
        connection: connection.into(),
        binding: u64::MAX - 1,
        state: CredentialState::Ready,
        access: Some(Secret::new(access)),
        refresh: Some(Secret::new("canary-refresh")),
        scopes: Some("openid email".to_owned()),
        identity: Some(Identity {
            issuer: "https://login.example".to_owned(),
            subject: "s1".to_owned(),
            workspace: None,
            email: Some("canary@example.com".to_owned()),
        }),
        issued_at: 5,
        expires_at: Some(9),
        error: None,
        updated_at: 5,
    }
}

fn login(number: u8, expires_at: i64) -> PendingLogin {
    PendingLogin {
        state: [number; 32],
        login: format!("login_{number}").into(),
        connection: "a".into(),
        binding: 7,
        verifier: Secret::new("canary-verifier"),
        nonce: Secret::new("canary-nonce"),
        redirect_url: "http://localhost/auth/callback".to_owned(),
        expires_at,
    }
}

#[tokio::test]
async fn tokens_take_the_place_of_the_earlier_ones() {
    for store in Either::each().await {
        let oauth = store.oauth();
        oauth.put_credential(credential("b", "canary-1")).await.unwrap();
        oauth.put_credential(credential("a", "canary-1")).await.unwrap();
        let ended = Credential {
            state: CredentialState::NeedsLogin,
            refresh: None,
            identity: None,
            expires_at: None,
            error: Some("invalid_grant".to_owned()),
            ..credential("a", "canary-2")
        };
        oauth.put_credential(ended.clone()).await.unwrap();
        assert_eq!(oauth.credentials().await.unwrap(), [ended, credential("b", "canary-1")]);
        assert!(oauth.remove_credential("a".into()).await.unwrap());
        assert!(!oauth.remove_credential("a".into()).await.unwrap());
        assert_eq!(oauth.credentials().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_login_is_taken_once_and_not_after_its_end() {
    for store in Either::each().await {
        let oauth = store.oauth();
        oauth.begin_login(login(1, 100), 0, 10).await.unwrap();
        assert_eq!(oauth.take_login([2; 32], 50).await.unwrap(), None);
        assert_eq!(oauth.take_login([1; 32], 50).await.unwrap(), Some(login(1, 100)));
        assert_eq!(oauth.take_login([1; 32], 50).await.unwrap(), None);
        oauth.begin_login(login(3, 100), 0, 10).await.unwrap();
        assert_eq!(oauth.take_login([3; 32], 100).await.unwrap(), None);
        assert_eq!(oauth.take_login([3; 32], 50).await.unwrap(), None, "who came late used it up");
    }
}

#[tokio::test]
async fn logins_are_bounded_and_the_oldest_give_way() {
    for store in Either::each().await {
        let oauth = store.oauth();
        for number in 1..=4 {
            oauth.begin_login(login(number, 100 + i64::from(number)), 0, 3).await.unwrap();
        }
        assert_eq!(oauth.take_login([1; 32], 0).await.unwrap(), None);
        assert!(oauth.take_login([2; 32], 0).await.unwrap().is_some());
        oauth.begin_login(login(5, 300), 200, 3).await.unwrap();
        assert_eq!(oauth.take_login([3; 32], 0).await.unwrap(), None, "it had ended");
    }
}

#[tokio::test]
async fn nothing_secret_is_readable_in_the_database() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir, WriterLimits::default()).await;
    store.oauth().put_credential(credential("a", "canary-access")).await.unwrap();
    store.oauth().begin_login(login(1, 100), 0, 10).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(!String::from_utf8_lossy(&bytes).contains("canary"), "{}", path.display());
        }
    }
    std::fs::remove_file(dir.path().join("secret.key")).unwrap();
    let store = open(&dir, WriterLimits::default()).await;
    let found = store.oauth().credentials().await.unwrap();
    assert_eq!((found[0].state, &found[0].access), (CredentialState::NeedsLogin, &None));
}

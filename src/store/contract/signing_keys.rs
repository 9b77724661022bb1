//! What every store of keys to sign with must do.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::ops::ports::{SigningKeyStore, SigningKeyStoreError};

pass_on! { SigningKeyStore:
    keep(name: String, fresh: Vec<u8>, now: i64) -> Result<Vec<u8>, SigningKeyStoreError>;
}

impl Either {
    fn signing_keys(&self) -> Box<dyn SigningKeyStore + '_> {
        match self {
            Self::Memory(store) => Box::new(Borrowed(store)),
            Self::Sql(store, _) => Box::new(store.signing_keys()),
        }
    }
}

#[tokio::test]
async fn the_first_key_of_a_name_stays() {
    for either in Either::each().await {
        let store = either.signing_keys();
        assert_eq!(store.keep("a".into(), b"first".to_vec(), 1).await.unwrap(), b"first");
        assert_eq!(store.keep("a".into(), b"second".to_vec(), 2).await.unwrap(), b"first");
        assert_eq!(store.keep("b".into(), b"other".to_vec(), 3).await.unwrap(), b"other");
    }
}

//! Digests of the arguments of tool calls. They are made with a key of the hub, so that who reads the record sees which calls
//! said the same, and cannot find out what one said by trying what it may have been.

use std::{fmt::Write, sync::Arc};

use rand::{TryRng, rngs::SysRng};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    auth::hmac,
    engine::ports::Clock,
    observe::events,
    ops::ports::{SigningKeyStore, SigningKeyStoreError},
};

/// What the key is called in the store.
const NAME: &str = "tool-call-arguments";

/// Bytes of the key: as many as SHA-256 has.
const KEY_BYTES: usize = 32;

/// SHA-256 of arguments. It can be guessed at, and is never written down.
pub(super) struct Guessable([u8; 32]);

impl Guessable {
    pub(super) fn of(args: &Map<String, Value>) -> Self {
        let text = Zeroizing::new(serde_json::to_string(args).unwrap_or_default());
        Self(Sha256::digest(text.as_bytes()).into())
    }
}

/// Who has the key. It is made or read when there is a call to write down for the first time.
pub(super) struct Digests {
    store: Arc<dyn SigningKeyStore>,
    clock: Arc<dyn Clock>,
    key: Option<Zeroizing<Vec<u8>>>,
    /// Whether it was said that there is none.
    said: bool,
}

/// There is no key.
#[derive(Debug, thiserror::Error)]
enum NoKey {
    #[error(transparent)]
    Store(#[from] SigningKeyStoreError),
    #[error("the system gives no random bytes")]
    NoEntropy,
}

impl Digests {
    pub(super) const fn new(store: Arc<dyn SigningKeyStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, key: None, said: false }
    }

    /// Gets the key, if it is not there yet. Where that fails there are no digests for now: better none than one that can be
    /// guessed at.
    pub(super) async fn prepare(&mut self) {
        if self.key.is_some() {
            return;
        }
        match self.load().await {
            Ok(key) => self.key = Some(key),
            Err(error) => {
                if !std::mem::replace(&mut self.said, true) {
                    events::tool_calls_without_digests(&error);
                }
            }
        }
    }

    async fn load(&self) -> Result<Zeroizing<Vec<u8>>, NoKey> {
        let mut fresh = vec![0; KEY_BYTES];
        SysRng.try_fill_bytes(&mut fresh).map_err(|_| NoKey::NoEntropy)?;
        let key = self.store.keep(NAME.to_owned(), fresh, self.clock.now()).await?;
        Ok(Zeroizing::new(key))
    }

    /// HMAC-SHA-256, in hexadecimal digits; `None` without the key.
    pub(super) fn of(&self, guessable: &Guessable) -> Option<String> {
        let tag = hmac(self.key.as_ref()?, &guessable.0);
        let mut text = String::with_capacity(2 * tag.len());
        for byte in tag {
            // A text takes what is written to it.
            let _ = write!(text, "{byte:02x}");
        }
        Some(text)
    }
}

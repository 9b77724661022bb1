//! What a change makes of a key.

use std::sync::Arc;

use operations::keys::{KeyPolicy, KeyView, UpdateKey};

use super::{Inner, failed, missing};
use crate::{
    auth::{
        compiled,
        ports::{KeyRecord, KeyStoreError},
    },
    ops::OpError,
};

impl Inner {
    pub(super) async fn update(&self, args: UpdateKey) -> Result<KeyView, OpError> {
        let _one_at_a_time = self.changing.lock().await;
        let found = self.find(args.key.clone()).await?;
        // By name, the key that holds it comes first.
        let Some(old) = found.into_iter().next() else { return Err(missing(args.key)) };
        if old.has_ended(self.clock.now()) {
            return Err(OpError::Conflict(format!("the key `{}` has ended; create a new one", old.name)));
        }
        if args.version.is_some_and(|version| version != old.version) {
            return Err(stale(&old.name, old.version));
        }
        let new = changed(old.clone(), args)?;
        match self.store.update(new.clone()).await {
            Ok(()) => {}
            Err(KeyStoreError::Stale) => return Err(stale(&old.name, new.version)),
            Err(error) => return Err(failed(error)),
        }
        self.index.put(std::slice::from_ref(&new));
        Ok(self.view(&new))
    }
}

fn changed(old: KeyRecord, args: UpdateKey) -> Result<KeyRecord, OpError> {
    let policy = KeyPolicy::clone(&old.policy).changed(&args.clear, args.policy.unwrap_or_default());
    compiled(&policy)?;
    let disabled = match args.enabled {
        None => old.disabled,
        Some(true) => None,
        Some(false) => Some(args.reason.unwrap_or_default().into()),
    };
    let expires_at = if args.never_expires { None } else { args.expires_at.or(old.expires_at) };
    Ok(KeyRecord {
        scopes: args.scopes.map_or(old.scopes, |scopes| scopes.into_iter().collect()),
        expires_at,
        disabled,
        policy: Arc::new(policy),
        version: old.version.saturating_add(1),
        ..old
    })
}

fn stale(name: &str, version: u64) -> OpError {
    OpError::Stale { noun: "key", name: name.to_owned(), version }
}

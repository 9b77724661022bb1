//! Captured messages in memory, bounded as the database bounds them. Not encrypted: nothing of it is ever written.

use std::collections::VecDeque;

use futures_core::future::BoxFuture;

use super::MemoryStore;
use crate::ops::ports::{CaptureStore, CaptureStoreError, StoredCapture};

/// The messages, the oldest first.
#[derive(Default)]
pub(super) struct Captures(VecDeque<StoredCapture>);

impl Captures {
    fn keep(&mut self, capture: StoredCapture, max_bytes: u64) {
        self.0.push_back(capture);
        while self.0.iter().map(|one| one.payload.len() as u64).sum::<u64>() > max_bytes {
            self.0.pop_front();
        }
    }
}

impl CaptureStore for MemoryStore {
    fn keep(&self, capture: StoredCapture, max_bytes: u64) -> BoxFuture<'_, Result<(), CaptureStoreError>> {
        self.now(|state| {
            state.captures.keep(capture, max_bytes);
            Ok(())
        })
    }

    fn of_request(&self, id: String) -> BoxFuture<'_, Result<Option<Vec<u8>>, CaptureStoreError>> {
        self.now(|state| {
            let found = state.captures.0.iter().rev().find(|one| one.request_id == id);
            Ok(found.map(|one| one.payload.clone()))
        })
    }

    fn sweep(&self, before: i64) -> BoxFuture<'_, Result<bool, CaptureStoreError>> {
        self.now(|state| {
            state.captures.0.retain(|one| one.at >= before);
            Ok(false)
        })
    }
}

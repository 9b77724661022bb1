//! The list of prices in memory.

use futures_core::future::BoxFuture;

use super::MemoryStore;
use crate::ops::ports::{FetchedList, PriceListError, PriceListStore};

impl PriceListStore for MemoryStore {
    fn put(&self, list: FetchedList) -> BoxFuture<'_, Result<(), PriceListError>> {
        self.now(|state| {
            state.price_list = Some(Box::new(list));
            Ok(())
        })
    }

    fn fetched_from(&self, url: String) -> BoxFuture<'_, Result<Option<FetchedList>, PriceListError>> {
        self.now(|state| Ok(state.price_list.as_deref().filter(|list| list.url == url).cloned()))
    }
}

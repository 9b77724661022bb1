//! The operation that fetches the list of prices now, and says what is different since the last one.

use std::collections::HashMap;

use operations::{
    Operation,
    prices::{PricingSynced, SyncNow, SyncPricing},
};

use super::{Prices, host, litellm, read};
use crate::{
    engine::{
        caller::Caller,
        settings::{Price, PriceList},
    },
    observe::events,
    ops::{OpError, error::require, ports::FetchedList},
};

impl Prices {
    /// Fetches the list that the settings name.
    ///
    /// # Errors
    /// When none is named, it cannot be fetched or read, or the store fails.
    pub async fn sync(&self, caller: &Caller, args: SyncPricing) -> Result<PricingSynced, OpError> {
        require(caller, SyncNow::SCOPE)?;
        let unnamed = || OpError::Conflict("no list of prices is named; set `prices_sync.url`".to_owned());
        let url = self.engine.snapshot().settings.price_sync.url.clone().ok_or_else(unnamed)?;
        let before = self.store.fetched_from(url.to_string()).await;
        let before = before.map_err(|error| OpError::Store(Box::new(error)))?;
        let unusable =
            |why: String| OpError::Conflict(format!("the list at {} was not fetched: {why}", host(&url)));
        let body = self.download.download(&url).await.map_err(|error| unusable(error.to_string()))?;
        let fetched_at = self.engine.clock().now();
        let list = FetchedList { url: url.to_string(), fetched_at, body: body.into() };
        let new = read(&list).map_err(unusable)?;
        // A list that cannot be read any more is as good as none.
        let old = before.and_then(|list| read(&list).ok());
        let rows = litellm::rows(&list.body);
        let told = PricingSynced { dry_run: args.dry_run, fetched_at, ..compared(old.as_ref(), &new, rows) };
        if !args.dry_run {
            let models = self.apply(&list).map_err(unusable)?;
            events::prices_fetched(&host(&url), models);
            self.store.put(list).await.map_err(|error| OpError::Store(Box::new(error)))?;
        }
        Ok(PricingSynced { source: host(&url), ..told })
    }
}

/// What is different between two lists, of which the new one was written in so many rows.
fn compared(old: Option<&PriceList>, new: &PriceList, rows: usize) -> PricingSynced {
    let (old, new) = (old.map(prices).unwrap_or_default(), prices(new));
    let mut told = PricingSynced::default();
    for (model, price) in &new {
        match old.get(model) {
            None => told.new += 1,
            Some(before) if before == price => told.same += 1,
            Some(_) => told.changed += 1,
        }
    }
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    told.gone = number(old.keys().filter(|model| !new.contains_key(*model)).count());
    told.models = number(new.len());
    told.skipped = number(rows.saturating_sub(new.len()));
    told
}

/// Models with a price, by provider and name.
fn prices(list: &PriceList) -> HashMap<(&str, &str), Price> {
    let models = list.models.iter().flat_map(|(provider, models)| {
        models
            .iter()
            .filter_map(move |(model, listed)| Some(((provider.as_str(), model.as_str()), listed.price?)))
    });
    models.collect()
}

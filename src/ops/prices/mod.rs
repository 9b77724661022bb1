//! Fetches a list of prices again and again, where the operator named one, and says what models cost. User prices win, then the
//! fetched ones, then those that are built in. A list that cannot be fetched or read changes nothing.

mod litellm;
mod sync;

use std::{sync::Arc, time::Duration};

use operations::{
    Operation,
    prices::{List, ListPrices, MAX_PRICES, ModelPrice, PriceTable},
};
use tokio::{task::JoinHandle, time::sleep};

use super::{
    OpError,
    error::require,
    ports::{Download, FetchedList, PriceListStore},
};
use crate::{
    engine::{
        Engine,
        caller::Caller,
        settings::{Connection, PriceList, PriceSource, Provenance, Usd, calendar},
    },
    observe::events,
};

/// Between two looks whether it is time.
const LOOK: Duration = Duration::from_secs(10);

/// The pause after the first failure; it doubles with each further one, up to the longest.
const PAUSE_MS: i64 = 60_000;
const LONGEST_MS: i64 = 60 * 60_000;

/// The operations on prices, and what keeps them fresh.
pub struct Prices {
    engine: Arc<Engine>,
    store: Arc<dyn PriceListStore>,
    download: Arc<dyn Download>,
}

/// The list that lies over the settings.
#[derive(Debug, Default)]
pub struct Current {
    url: Option<Arc<str>>,
    /// When it was fetched; `None` while none is there.
    fetched_at: Option<i64>,
    failures: u32,
    /// No try before.
    try_at: i64,
}

impl Prices {
    /// Prices of the settings of `engine`.
    #[must_use]
    pub fn new(
        engine: Arc<Engine>,
        store: Arc<dyn PriceListStore>,
        download: Arc<dyn Download>,
    ) -> Arc<Self> {
        Arc::new(Self { engine, store, download })
    }

    /// Takes up the list that an earlier run fetched: before the first request is priced.
    pub async fn resume(&self) -> Current {
        match self.engine.snapshot().settings.price_sync.url.clone() {
            Some(url) => self.kept(url).await,
            None => Current::default(),
        }
    }

    /// Keeps the list fresh from now on.
    pub fn start(self: &Arc<Self>, mut current: Current) -> JoinHandle<()> {
        let prices = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                prices.turn(&mut current).await;
                sleep(LOOK).await;
            }
        })
    }

    /// Lists what models cost.
    ///
    /// # Errors
    /// [`OpError`].
    pub fn list(&self, caller: &Caller, args: ListPrices) -> Result<PriceTable, OpError> {
        require(caller, List::SCOPE)?;
        let ListPrices { connection, model } = List::check(args)?;
        let snapshot = self.engine.snapshot();
        let connections = &snapshot.settings.connections;
        let wanted = connections.iter().filter(|one| connection.as_ref().is_none_or(|id| **id == *one.id));
        let mut prices = wanted.flat_map(|one| {
            let models = one.models.listed.iter().cloned();
            // One that is asked for need not be listed.
            let more = model.as_deref().filter(|_| one.models.open).map(Arc::from);
            let more = more.filter(|more: &Arc<str>| !one.models.listed.contains(more));
            let all = models.chain(more).filter(|name| model.as_ref().is_none_or(|model| **model == **name));
            all.map(|name| price(one, &name))
        });
        let table = PriceTable { prices: prices.by_ref().take(MAX_PRICES).collect(), truncated: false };
        Ok(PriceTable { truncated: prices.next().is_some(), ..table })
    }

    async fn turn(&self, current: &mut Current) {
        let sync = self.engine.snapshot().settings.price_sync.clone();
        let Some(url) = sync.url else {
            if current.url.is_some() {
                self.engine.reprice(None);
                *current = Current::default();
            }
            return;
        };
        if current.url.as_ref() != Some(&url) {
            if current.url.is_some() {
                self.engine.reprice(None);
            }
            *current = self.kept(Arc::clone(&url)).await;
        }
        let now = self.engine.clock().now();
        let interval = i64::try_from(sync.interval.as_millis()).unwrap_or(i64::MAX);
        // One that a clock wrote which was ahead would be new for years.
        let is_old = current.fetched_at.is_none_or(|at| at > now || now.saturating_sub(at) >= interval);
        if !is_old || now < current.try_at {
            return;
        }
        match self.fetch(&url, now).await {
            Ok(()) => (current.fetched_at, current.failures) = (Some(now), 0),
            Err(why) => {
                events::prices_not_fetched(&host(&url), &why);
                let pause = PAUSE_MS.saturating_mul(1 << current.failures.min(10)).min(LONGEST_MS);
                (current.failures, current.try_at) = (current.failures + 1, now.saturating_add(pause));
            }
        }
    }

    /// The list that was kept of `url`, in force.
    async fn kept(&self, url: Arc<str>) -> Current {
        let kept = self.store.fetched_from(url.to_string()).await;
        let fetched_at = match kept {
            Ok(Some(list)) => match self.apply(&list) {
                Ok(_) => Some(list.fetched_at),
                // Another version may have read it; it is fetched anew.
                Err(_) => None,
            },
            Ok(None) => None,
            Err(error) => {
                events::prices_not_fetched(&host(&url), &error.to_string());
                None
            }
        };
        Current { url: Some(url), fetched_at, ..Current::default() }
    }

    async fn fetch(&self, url: &str, now: i64) -> Result<(), String> {
        let body = self.download.download(url).await.map_err(|error| error.to_string())?;
        let list = FetchedList { url: url.to_owned(), fetched_at: now, body: body.into() };
        let models = self.apply(&list)?;
        events::prices_fetched(&host(url), models);
        // In force all the same; after a restart it is fetched again.
        self.store.put(list).await.map_err(|error| error.to_string())
    }

    /// Puts a list in force; says how many models it tells of.
    fn apply(&self, list: &FetchedList) -> Result<usize, String> {
        let read = read(list)?;
        let models = read.len();
        self.engine.reprice(Some(Arc::new(read)));
        Ok(models)
    }
}

/// What a list says.
fn read(list: &FetchedList) -> Result<PriceList, String> {
    let provenance = Provenance { source: host(&list.url), as_of: calendar::shown(list.fetched_at) };
    litellm::read(&list.body, provenance).map_err(|error| error.to_string())
}

/// The host of a URL, which may be shown: its path and query may hold a token.
fn host(url: &str) -> String {
    url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

fn price(connection: &Connection, model: &str) -> ModelPrice {
    let facts = connection.facts_of(model);
    let million = |token: Usd| token.dollars() * 1e6;
    let price = facts.price;
    let (said_by, provenance) = match &facts.price_source {
        Some(PriceSource::Configured) => ("configured", None),
        Some(PriceSource::BuiltIn(provenance)) => ("built_in", Some(provenance)),
        Some(PriceSource::Fetched(provenance)) => ("fetched", Some(provenance)),
        None => ("unknown", None),
    };
    ModelPrice {
        connection: connection.id.to_string(),
        provider: connection.provider.id.clone(),
        model: model.to_owned(),
        input_per_million_usd: price.map(|price| million(price.input)),
        output_per_million_usd: price.map(|price| million(price.output)),
        cache_read_per_million_usd: price.and_then(|price| price.cache_read).map(million),
        cache_write_per_million_usd: price.and_then(|price| price.cache_write).map(million),
        said_by: said_by.to_owned(),
        source: provenance.map(|provenance| provenance.source.clone()),
        as_of: provenance.map(|provenance| provenance.as_of.clone()),
    }
}

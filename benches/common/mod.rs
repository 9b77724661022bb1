//! What the benchmarks share: settings with any number of connections, and stand-ins for the clock and the store.

use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use canon::Dialect;
use trivium::{
    engine::{
        ports::{Clock, CooldownRecord, CooldownSink},
        settings::{
            Cache, Catalogue, Connection, Idempotency, Keeping, Limits, MetricsSettings, Models, PrefixMatch,
            Provider, Retention, Routing, Secret, Settings, Timeouts,
        },
    },
    providers::catalog,
};

/// The model that every connection lists.
pub(crate) const MODEL: &str = "gpt-4o-mini";

/// The system's time of day, as the hub reads it.
pub(crate) struct Wall;

impl Clock for Wall {
    fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        since.as_millis().try_into().unwrap_or(i64::MAX)
    }
}

/// Takes cooldowns and keeps none.
pub(crate) struct Nowhere;

impl CooldownSink for Nowhere {
    fn cooled(&self, _: CooldownRecord) {}
    fn cleared(&self, _: Arc<str>, _: Option<Arc<str>>) {}
}

/// The built-in catalogue.
pub(crate) fn catalogue() -> Arc<Catalogue> {
    Arc::new(catalog::builtin().unwrap())
}

/// As many accounts at one provider, all of which serve [`MODEL`].
pub(crate) fn settings(catalogue: &Catalogue, connections: usize) -> Settings {
    let Some(PrefixMatch::Provider(provider)) = catalogue.by_prefix("openai-compatible") else {
        unreachable!("the catalogue has a row for any server of the dialect")
    };
    let provider = Arc::new(provider.clone());
    Settings {
        connections: (0..connections).map(|number| Arc::new(connection(&provider, number))).collect(),
        combos: Vec::new(),
        routing: Routing::default(),
        timeouts: Timeouts::default(),
        limits: Limits::default(),
        responses: Keeping::default(),
        budgets: Vec::new(),
        cache: Cache::default(),
        idempotency: Idempotency::default(),
        keys: trivium::engine::settings::KeyLimits::default(),
        access: trivium::engine::settings::Access::default(),
        retention: Retention::default(),
        metrics: MetricsSettings::default(),
        mcp: std::sync::Arc::default(),
        a2a: trivium::engine::settings::A2a::default(),
        webhooks: Vec::new(),
        price_sync: trivium::engine::settings::PriceSync::default(),
        diagnosis: trivium::engine::settings::DiagnosisSettings::default(),
        capture: trivium::engine::settings::Capture::default(),
        telemetry: trivium::engine::settings::Telemetry::default(),
    }
}

fn connection(provider: &Arc<Provider>, number: usize) -> Connection {
    Connection {
        id: format!("account-{number}").into(),
        provider: Arc::clone(provider),
        credential: Some(Secret::new(format!("sk-good-{number}"))),
        oauth: None,
        endpoints: BTreeMap::from([(Dialect::Chat, "http://127.0.0.1:9/v1".to_owned())]),
        models: Models { listed: vec![MODEL.into()], ..Models::default() },
        priority: 0,
        tier: trivium::engine::settings::Tier::default(),
        no_training: false,
        proxy: None,
        allowance: Arc::default(),
        fingerprint: 0,
    }
}

//! From sources to settings: reads every layer, checks, and either gives all settings or all problems.

use std::{path::PathBuf, sync::Arc};

use canon::Dialect;

use super::{
    a2a, auth, auto, backups,
    boot::Boot,
    budgets, cache, capture, combos, diagnosis,
    effective::{Effective, Sink},
    env::Env,
    fields::{Fields, report_unknown_sections},
    idempotency,
    interpolate::interpolate,
    keys,
    layers::{Overlay, Overrides},
    log,
    managed::{self, Declared, Managed, SetAside},
    mcp, metrics, multivibe,
    node::{Map, Node, Value},
    parse::parse,
    price_sync, prices,
    problem::Problem,
    providers::{self, Against},
    proxy, resilience, responses, retention, routing,
    schema::Section,
    server,
    source::{Source, decode},
    store, telemetry, timeouts,
    watch::hash,
    webhooks,
};
use crate::engine::settings::{Catalogue, Known, Routing, Settings};

/// Everything that a checked configuration says.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The file that was read; `None` if there was none.
    pub file: Option<PathBuf>,
    /// Tells this content of the file from another.
    pub(super) file_hash: Option<[u8; 32]>,
    /// What is fixed at the start.
    pub boot: Boot,
    /// What may change while the hub runs.
    pub settings: Settings,
    /// What is worth knowing and no error: warnings and hints.
    pub warnings: Vec<Problem>,
    /// Every setting as it holds, defaults included.
    pub effective: Vec<Effective>,
    /// What the file, the environment and flags declare.
    pub declared: Arc<[Declared]>,
    /// What was made over the API and is not in force.
    pub set_aside: Vec<SetAside>,
}

/// What stays the same from one load to the next.
#[derive(Debug, Clone)]
pub struct Loader {
    env: Arc<Env>,
    overrides: Overrides,
    catalogue: Arc<Catalogue>,
    spoken: Arc<[Dialect]>,
}

impl Loader {
    /// A loader that knows these providers, and which dialects the hub speaks.
    #[must_use]
    pub fn new(env: Env, overrides: Overrides, catalogue: Arc<Catalogue>, spoken: &[Dialect]) -> Self {
        Self { env: Arc::new(env), overrides, catalogue, spoken: Arc::from(spoken) }
    }

    /// The environment that is read.
    #[must_use]
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// The providers that it knows.
    #[must_use]
    pub const fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// The dialects that the hub speaks.
    pub(super) fn spoken(&self) -> &[Dialect] {
        &self.spoken
    }

    /// The same with further variables. Those of the process go before.
    #[must_use]
    pub fn with_variables<'v>(&self, variables: impl Iterator<Item = (&'v str, &'v str)>) -> Self {
        Self { env: Arc::new(self.env.with(variables)), ..self.clone() }
    }

    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// Every problem of the configuration, warnings included, in the order of the file.
    pub fn load(&self, source: &Source) -> Result<Loaded, Vec<Problem>> {
        self.load_with(source, &[])
    }

    /// The same, with what was made over the API. What of it contradicts the file is set aside: a hub that runs goes on,
    /// and one that starts, starts.
    ///
    /// # Errors
    /// Every problem of the configuration that is not of these definitions' making.
    pub fn load_setting_aside(&self, source: &Source, managed: &[Managed]) -> Result<Loaded, Vec<Problem>> {
        let mut left: Vec<Managed> = managed.to_vec();
        let mut set_aside = Vec::new();
        loop {
            let problems = match self.load_with(source, &left) {
                Ok(loaded) => return Ok(Loaded { set_aside, ..loaded }),
                Err(problems) => problems,
            };
            let blamed = managed::blamed(&problems, &left);
            if blamed.is_empty() {
                return Err(problems);
            }
            left.retain(|one| !blamed.iter().any(|bad| bad.section == one.section && bad.id == one.id));
            set_aside.extend(blamed);
        }
    }

    /// The same, where nothing may be wrong with what was made over the API either.
    ///
    /// # Errors
    /// Every problem.
    pub fn load_with(&self, source: &Source, managed: &[Managed]) -> Result<Loaded, Vec<Problem>> {
        let mut file = None;
        let mut file_hash = None;
        let mut sink = Sink::default();
        let mut text = String::new();
        let mut root = None;
        if let Some((path, bytes)) = source.read(&self.env) {
            file_hash = bytes.as_ref().ok().map(|bytes| hash(bytes));
            if let Some(decoded) = decode(&path, bytes, &mut sink.problems) {
                root = parse(&decoded, &path, &mut sink.problems);
                text = decoded;
            }
            file = source.is_file().then(|| path.to_path_buf());
        }
        let overlay = Overlay::new(&self.env, &self.overrides, &mut sink.problems);
        let mut declared = managed::declared(root.as_ref(), &overlay);
        if let Some(root) = &mut root {
            interpolate(root, "", &self.env, &mut sink.problems);
        }
        managed::add_whole(&mut declared, root.as_ref(), &overlay);
        let declared = declared.into();
        let mut map = top(root, &mut sink);
        managed::merge(&mut map, managed, &overlay, &mut sink.problems);
        let (boot, settings) = self.check(&map, &overlay, &mut sink);
        let failed = sink.problems.has_errors();
        let problems = sink.problems.into_sorted(&text);
        if failed {
            return Err(problems);
        }
        let (warnings, effective) = (problems, sink.effective);
        let set_aside = Vec::new();
        Ok(Loaded { file, file_hash, boot, settings, warnings, effective, declared, set_aside })
    }

    /// What the sections say, each in its own file.
    fn check(&self, map: &Map, overlay: &Overlay, sink: &mut Sink) -> (Boot, Settings) {
        report_unknown_sections(map, sink);
        let open = |section: &'static Section, sink: &mut Sink| {
            Fields::open(section, section.name.to_owned(), map.get(section.name), overlay, sink)
        };
        let server = server::read(&open(&server::SECTION, sink), sink);
        let auth = auth::read(&open(&auth::SECTION, sink), &server.host, sink);
        let keys = keys::read(&open(&keys::SECTION, sink), sink);
        let (log_level, log_format) = log::read(&open(&log::SECTION, sink), sink);
        let place = store::read(&open(&store::SECTION, sink), &self.env, sink);
        let backups = backups::read(&open(&backups::SECTION, sink), sink);
        let responses = responses::read(&open(&responses::SECTION, sink), sink);
        let retention = retention::read(&open(&retention::SECTION, sink), sink);
        let telemetry = telemetry::read(&open(&telemetry::SECTION, sink), sink);
        let capture = capture::read(&open(&capture::SECTION, sink), sink);
        let mcp = mcp::read(&open(&mcp::SECTION, sink), sink);
        let a2a = a2a::read(&open(&a2a::SECTION, sink), sink);
        let metrics = metrics::read(&open(&metrics::SECTION, sink), sink);
        let idempotency = idempotency::read(&open(&idempotency::SECTION, sink), sink);
        let cache = cache::read(&open(&cache::SECTION, sink), sink);
        let (auto, scoring) = auto::read(&open(&auto::SECTION, sink), sink);
        let mut routing = Routing { auto, scoring, ..routing::read(&open(&routing::SECTION, sink), sink) };
        routing.resilience = resilience::read(&open(&resilience::SECTION, sink), sink);
        let timeouts = timeouts::read(&open(&timeouts::SECTION, sink), sink);
        let diagnosis = diagnosis::read(&open(&diagnosis::SECTION, sink), sink);
        let prices = prices::read(map.get(prices::SECTION.name), &self.catalogue, sink);
        let price_sync = price_sync::read(&open(&price_sync::SECTION, sink), sink);
        let known = Arc::new(Known::new(Arc::clone(self.catalogue.book()), prices));
        let proxies = proxy::read(&open(&proxy::SECTION, sink), &self.catalogue, sink);
        let against =
            Against { catalogue: &self.catalogue, spoken: &self.spoken, known: &known, proxies: &proxies };
        let written = multivibe::with_login(map.get(providers::SECTION.name), &self.env);
        let written = written.as_deref();
        let connections = providers::read(written, against, sink);
        let against = combos::Against {
            catalogue: &self.catalogue,
            connections: &connections,
            some_left_out: providers::count(written) > connections.len(),
            scoring: &routing.scoring,
            strategy: routing.default_strategy,
        };
        let (combos, mappings) = combos::read(map, against, sink);
        routing.map = mappings;
        let budgets = budgets::read(map.get(budgets::SECTION.name), &self.catalogue, sink);
        let webhooks = webhooks::read(map.get(webhooks::SECTION.name), sink);
        let boot = Boot {
            host: server.host.value,
            port: server.port,
            data_dir: place.data_dir,
            store_url: place.url,
            backups,
            log_level,
            log_format,
            api_key: auth.api_key,
            admin_token: auth.admin_token,
            auth_required: auth.required,
            issuer: auth.issuer,
            oidc: auth.oidc,
            allowed_hosts: server.allowed_hosts,
            public_url: server.public_url,
            shutdown_timeout: server.shutdown_timeout,
            keep_alive: server.keep_alive,
        };
        let limits = server.limits;
        (
            boot,
            Settings {
                connections,
                combos,
                routing,
                timeouts,
                limits,
                responses,
                cache,
                idempotency,
                budgets,
                keys,
                access: server.access,
                retention,
                metrics,
                mcp: Arc::new(mcp),
                a2a,
                telemetry,
                capture,
                webhooks,
                price_sync,
                diagnosis,
            },
        )
    }
}

/// The mapping of sections; an empty one if the file holds nothing, or something else.
pub(super) fn top(root: Option<Node>, sink: &mut Sink) -> Map {
    match root {
        Some(Node { value: Value::Map(map), .. }) => map,
        Some(node) => {
            let message = format!("expected sections such as `providers:`, found {}", node.value.shape());
            let remedy = "start from trivium.example.yaml";
            sink.problems.error("", &node.origin, message, remedy);
            Map::default()
        }
        None => Map::default(),
    }
}

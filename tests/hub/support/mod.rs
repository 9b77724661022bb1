//! A whole hub within the process: the real surface, engine and providers, the simulator behind them, no socket and no
//! disk, on tokio's clock, which tests pause. Reads like prose: `TestHub::builder().account("a", "sim-ok").build()`.

mod answer;
mod lists;
pub(crate) mod monthly;
pub(crate) mod pictures;
mod posted;
pub(crate) mod speech;
mod tasks;
mod transport;

use std::sync::Arc;

use axum::{Router, body::Body};
use canon::Dialect;
use http::{Method, Request};
use tokio::time::Instant;
use tower::ServiceExt;
use trivium::{
    app::{self, Configured, Executors, Live},
    auth::{Gate, KeyIndex, Oidc, ThrottleLimits, Tokens},
    config::{Env, Folders, Loader, Overrides, Source},
    engine::{
        Engine,
        budget::Budgets,
        health::Health,
        policy::Rates,
        ports::{Clock, CooldownRecord, WindowRecord},
        quota::Ledger,
        settings::Secret,
    },
    ops::{
        accounts::Accounts,
        admin::{Admin, ProviderLogin},
        backups::Backups,
        capture::Capturing,
        checks::Checks,
        completions::{Completions, Witness},
        diagnosis::Diagnosis,
        documents::Documents,
        idempotency::Idempotency,
        keys::Keys,
        mcp::McpServer,
        metrics::Metrics,
        oauth::Logins,
        ports::{
            Configuration, DocumentStore, Prober, ReceiptLog, ReceiptRow,
            tasks::{DeadLetter, TaskStore},
        },
        prices::Prices,
        registry::Registry,
        reports::Reports,
        responses::Responses,
        routing::Routing,
        signing::Signer,
        skills,
        steering::Steering,
        tasks::{Pushing, TaskExecutor, Tasks},
        telemetry::Exporter,
        tool_calls::ToolCalls,
        traces::Traces,
        usage::Usage,
        watch::{Watched, Watcher},
        webhooks::{Tester, Webhooks},
    },
    providers::{Providers, credentials::Credentials},
    simulator::{Entry, Script, Simulator},
    store::MemoryStore,
    surfaces::{self, Handles},
};

pub(crate) use answer::Answer;
use lists::Lists;
use pictures::Pictures;
pub(crate) use posted::Posted;
use transport::InProcess;

/// The operator's key of every test hub.
pub(crate) const KEY: &str = "test-operator-key";

/// The time of day on tokio's clock: it stands while the clock is paused, and jumps with it.
struct TokioClock(Instant);

/// 2026-01-01T00:00:00Z, in milliseconds.
const START: i64 = 1_767_225_600_000;

impl Clock for TokioClock {
    fn now(&self) -> i64 {
        START + i64::try_from(self.0.elapsed().as_millis()).unwrap()
    }
}

pub(crate) struct Builder {
    yaml: String,
    providers: String,
    script: Script,
    kept: Vec<CooldownRecord>,
    windows: Vec<WindowRecord>,
    store: Arc<MemoryStore>,
    exports: bool,
    tells: bool,
    executor: Option<Arc<dyn TaskExecutor>>,
}

pub(crate) struct TestHub {
    /// What the hub told others.
    pub(crate) posted: Posted,
    /// What it finds where lists of prices are.
    pub(crate) lists: Lists,
    prices: Arc<Prices>,
    pub(crate) simulator: Simulator,
    pub(crate) engine: Arc<Engine>,
    store: Arc<MemoryStore>,
    /// Where an issuer of tokens is configured: those that it takes.
    pub(crate) tokens: Option<Arc<Tokens>>,
    keys: Arc<Keys>,
    credentials: Credentials,
    admin: Arc<Admin>,
    pub(crate) diagnosis: Arc<Diagnosis>,
    pub(crate) operations: Arc<Registry>,
    pub(crate) tasks: Tasks,
    router: Router,
}

impl TestHub {
    pub(crate) fn builder() -> Builder {
        Builder {
            yaml: String::new(),
            providers: String::new(),
            script: Script::default(),
            kept: Vec::new(),
            windows: Vec::new(),
            store: Arc::default(),
            exports: false,
            tells: false,
            executor: None,
        }
    }
}

impl Builder {
    /// An account at the simulator that serves the model `m`.
    pub(crate) fn account(self, id: &str, key: &str) -> Self {
        self.account_with(id, key, &["m"])
    }

    /// An account at the simulator that serves these models.
    pub(crate) fn account_with(mut self, id: &str, key: &str, models: &[&str]) -> Self {
        self.providers.push_str(&format!(
            "  - id: {id}\n    type: openai-compatible\n    base_url: http://simulator.test/v1\n    api_key: {key}\n    models: [{}]\n",
            models.iter().map(|model| format!("{model:?}")).collect::<Vec<_>>().join(", "),
        ));
        self
    }

    /// An account at the simulator that speaks `dialect` and serves the model `m`.
    pub(crate) fn account_at(mut self, dialect: Dialect, id: &str, key: &str) -> Self {
        let (kind, url) = speech::provider(dialect);
        self.providers.push_str(&format!(
            "  - id: {id}\n    type: {kind}\n    base_url: {url}\n    api_key: {key}\n    models: [m]\n"
        ));
        self
    }

    /// An account that serves the model `m` at a provider of another host.
    pub(crate) fn account_elsewhere(mut self, id: &str, key: &str) -> Self {
        self.providers.push_str(&format!(
            "  - id: {id}\n    type: openai-compatible\n    base_url: http://elsewhere.test/v1\n    api_key: {key}\n    models: [m]\n"
        ));
        self
    }

    /// Configuration beside the accounts; must not have `providers` if accounts are given.
    pub(crate) fn yaml(mut self, yaml: &str) -> Self {
        self.yaml.push_str(yaml);
        self
    }

    /// What the simulator does with keys that do not say it themselves.
    pub(crate) fn script(mut self, script: Script) -> Self {
        self.script = script;
        self
    }

    /// Cooldowns of an earlier run.
    pub(crate) fn kept(mut self, kept: Vec<CooldownRecord>) -> Self {
        self.kept = kept;
        self
    }

    /// Windows of quotas of an earlier run.
    pub(crate) fn windows(mut self, windows: Vec<WindowRecord>) -> Self {
        self.windows = windows;
        self
    }

    /// Spans are exported, to [`TestHub::posted`].
    pub(crate) fn exporting(mut self) -> Self {
        self.exports = true;
        self
    }

    /// Webhooks are told of events, at [`TestHub::posted`].
    pub(crate) fn telling(mut self) -> Self {
        self.tells = true;
        self
    }

    /// Who works on tasks, in place of the hub's skills.
    pub(crate) fn executor(mut self, executor: Arc<dyn TaskExecutor>) -> Self {
        self.executor = Some(executor);
        self
    }

    /// The store of an earlier hub, as it would find it after a crash.
    pub(crate) fn after(mut self, earlier: &TestHub) -> Self {
        self.store = Arc::clone(&earlier.store);
        self
    }

    pub(crate) async fn build(self) -> TestHub {
        let mut text = self.yaml;
        if !self.providers.is_empty() {
            text.push_str(&format!("\nproviders:\n{}", self.providers));
        }
        let catalogue = app::catalogue().unwrap();
        let env = Env::new([("DATA_DIR", "/nonexistent"), ("API_KEY", KEY)], Folders::default());
        let loader = Loader::new(env, Overrides::default(), Arc::clone(&catalogue), app::SPOKEN);
        let source = Source::Text { name: "test".to_owned(), text };
        let made = DocumentStore::all(&*self.store).await.unwrap();
        let loaded = loader.load(&source).unwrap();
        let configured = Configured { loader, source, loaded }.with(&made).unwrap();
        let loaded = configured.loaded.clone();
        let simulator = Simulator::new(self.script, 7);
        let clock: Arc<dyn Clock> = Arc::new(TokioClock(Instant::now()));
        let store = self.store;
        let health = Arc::new(Health::new(
            Arc::clone(&clock),
            Arc::<MemoryStore>::clone(&store),
            self.kept,
            &loaded.settings.connections,
        ));
        let network = Arc::new(InProcess(simulator.clone()));
        let logins = Arc::<MemoryStore>::clone(&store);
        let credentials =
            Credentials::load(logins, Arc::clone(&network) as _, Arc::clone(&clock)).await.unwrap();
        let upstream = Providers::new(network, Arc::clone(&clock), Arc::new(Pictures));
        let upstream = Arc::new(upstream.with_credentials(credentials.clone()));
        let metrics = Arc::new(Metrics::new(clock.now(), Arc::<MemoryStore>::clone(&store)));
        let exporter = Arc::new(Exporter::new(Arc::clone(&metrics)));
        let watchers: Vec<Arc<dyn Watcher>> = vec![Arc::<Exporter>::clone(&exporter)];
        let sink = Watched::new(Arc::clone(&metrics), watchers, Arc::<MemoryStore>::clone(&store));
        let sink = Arc::new(Witness::new(Arc::new(sink)));
        let witness = Arc::clone(&sink);
        let keeps = Arc::<MemoryStore>::clone(&store);
        let ledger = Ledger::new(Arc::clone(&clock), keeps, &self.windows, &loaded.settings.connections);
        let leases = Budgets::load(Arc::<MemoryStore>::clone(&store), Arc::clone(&clock)).await.unwrap();
        let prober = Arc::<Providers>::clone(&upstream);
        let engine = Engine::new(loaded.settings, catalogue, health, upstream, sink, Arc::clone(&clock), 1);
        let capturing = Arc::new(Capturing::new(Arc::clone(&metrics)));
        let kept = store.load_windows(START);
        let rates = Rates::new(Arc::clone(&clock), Arc::<MemoryStore>::clone(&store), &kept);
        let engine = engine.with_ledger(Arc::new(ledger)).with_budgets(leases).with_rates(rates);
        let engine = engine.with_tokens(Arc::new(credentials.clone()));
        let engine = Arc::new(engine.with_captures(Arc::<Capturing>::clone(&capturing)));
        if engine.snapshot().settings.capture.enabled {
            capturing.start(Arc::clone(&engine), Arc::<MemoryStore>::clone(&store));
        }
        let logins = Logins::new(
            Arc::clone(&engine),
            Arc::new(credentials.clone()),
            Arc::<MemoryStore>::clone(&store),
            "http://hub.test".to_owned(),
            None,
        );
        let logins = Arc::new(logins);
        let posted = Posted::default();
        if self.exports {
            exporter.start(Arc::clone(&engine), Arc::new(posted.clone()));
        }
        if self.tells {
            let webhooks = Webhooks::new(Arc::clone(&metrics));
            webhooks.start(Arc::clone(&engine), Arc::new(posted.clone()));
        }
        let index = Arc::new(KeyIndex::new(Arc::clone(&clock)));
        index.accept_environment(&Secret::new(KEY));
        let keys = Keys::load(Arc::<MemoryStore>::clone(&store), Arc::clone(&index), Arc::clone(&clock));
        let keys = Arc::new(keys.await.unwrap());
        let policy_of = Arc::clone(&engine);
        let responses = Responses::new(
            Arc::<MemoryStore>::clone(&store),
            Arc::clone(&clock),
            Box::new(move || policy_of.snapshot().settings.responses),
        );
        let policy_of = Arc::clone(&engine);
        let idempotency = Idempotency::new(
            Arc::<MemoryStore>::clone(&store),
            Arc::clone(&clock),
            Box::new(move || policy_of.snapshot().settings.idempotency),
        );
        let lists = Lists::default();
        let listed = Arc::new(lists.clone());
        let prices = Prices::new(Arc::clone(&engine), Arc::<MemoryStore>::clone(&store), listed);
        let admin = Admin::load(Arc::<MemoryStore>::clone(&store), Arc::clone(&clock)).await.unwrap();
        let admin = Arc::new(admin);
        let live: Arc<dyn Configuration> =
            Arc::new(Live::new(&configured, Arc::clone(&engine), made.clone()));
        let memory = Arc::<MemoryStore>::clone(&store);
        let documents = Arc::new(Documents::new(memory, Arc::clone(&live), Arc::clone(&clock), made));
        let asker: Arc<dyn Prober> = Arc::<Providers>::clone(&prober);
        let accounts = Arc::new(Accounts::new(Arc::clone(&engine), Arc::clone(&documents), prober));
        let diagnosis = Arc::new(Diagnosis::new(
            Arc::clone(&engine),
            Arc::clone(&documents),
            Arc::clone(&accounts),
            asker,
            Arc::<MemoryStore>::clone(&store),
        ));
        let usage = Arc::new(Usage::new(Arc::<MemoryStore>::clone(&store), Arc::clone(&clock)));
        let mcp = Arc::new(McpServer::new(
            Arc::clone(&engine),
            ToolCalls::start(
                Arc::<MemoryStore>::clone(&store),
                Arc::<MemoryStore>::clone(&store),
                Arc::clone(&clock),
            ),
            Arc::<MemoryStore>::clone(&store),
            Arc::<MemoryStore>::clone(&store),
            surfaces::profile_of,
        ));
        let policy_of = Arc::clone(&engine);
        let tasks = Tasks::new(
            Arc::<MemoryStore>::clone(&store),
            Arc::clone(&clock),
            Box::new(move || policy_of.snapshot().settings.a2a),
        );
        let operations = app::registry(&Executors {
            mcp: Arc::clone(&mcp),
            tasks: tasks.clone(),
            diagnosis: Arc::clone(&diagnosis),
            webhooks: Arc::new(Tester::new(Arc::clone(&engine), Arc::new(posted.clone()))),
            prices: Arc::clone(&prices),
            keys: Arc::clone(&keys),
            admin: Arc::clone(&admin),
            logins: Arc::clone(&logins),
            routing: Arc::new(Routing::new(Arc::clone(&engine), Arc::<MemoryStore>::clone(&store))),
            usage: Arc::clone(&usage),
            checks: Arc::new(Checks::new(
                Arc::clone(&engine),
                Arc::clone(&keys),
                Arc::clone(&documents),
                Arc::clone(&live),
                Arc::<MemoryStore>::clone(&store),
                Arc::<MemoryStore>::clone(&store),
            )),
            steering: Arc::new(Steering::new(Arc::clone(&engine), Arc::clone(&documents))),
            reports: Arc::new(Reports::new(
                Arc::clone(&engine),
                usage,
                Arc::<MemoryStore>::clone(&store),
                Arc::clone(&clock),
            )),
            traces: Arc::new(Traces::new(
                Arc::<MemoryStore>::clone(&store),
                Arc::<MemoryStore>::clone(&store),
                Arc::<MemoryStore>::clone(&store),
            )),
            engine: Arc::clone(&engine),
            completions: Arc::new(Completions::new(
                Arc::clone(&engine),
                Arc::new(surfaces::ChatSpeech),
                witness,
            )),
            accounts,
            documents,
            backups: Arc::new(Backups::new(Arc::<MemoryStore>::clone(&store))),
            audit: Arc::<MemoryStore>::clone(&store),
            configuration: live,
            clock: Arc::clone(&clock),
        });
        let signer = Arc::new(Signer::new(Arc::<MemoryStore>::clone(&store), Arc::clone(&clock)));
        let pushing = Pushing {
            hook: Arc::new(posted.clone()),
            signer: Arc::clone(&signer),
            issuer: "http://hub.test".into(),
        };
        let owners = Arc::clone(&index);
        let executor = self.executor.unwrap_or_else(|| skills::executor(&operations));
        tasks.start(executor, pushing, Arc::new(move |id: &str| owners.caller(id))).await.unwrap();
        let provider_login = loaded.boot.oidc.clone().map(|settings| {
            let back = format!("http://hub.test{}", surfaces::OIDC_CALLBACK);
            let oidc = Oidc::new(settings, back, Arc::new(InProcess(simulator.clone())), Arc::clone(&clock));
            let log = Arc::<MemoryStore>::clone(&store);
            Arc::new(ProviderLogin::new(Arc::clone(&admin), oidc.unwrap(), log))
        });
        let issuer = loaded.boot.issuer.clone();
        let tokens =
            issuer.map(|issuer| Arc::new(Tokens::new(issuer, Arc::clone(&index), Arc::clone(&clock))));
        let gate =
            Gate::new(index, ThrottleLimits::default(), Arc::clone(&clock)).with_tokens(tokens.clone());
        let handles = Handles {
            admin: Arc::clone(&admin),
            provider_login,
            public_tls: false,
            idempotency: Arc::new(idempotency),
            engine: Arc::clone(&engine),
            gate: Arc::new(gate),
            operations: Arc::clone(&operations),
            receipts: Arc::<MemoryStore>::clone(&store),
            logins,
            metrics,
            responses: Arc::new(responses),
            mcp_sessions: Arc::<MemoryStore>::clone(&store),
            mcp,
            tasks: tasks.clone(),
            card_signer: Arc::clone(&signer),
            public_url: None,
            issuer: loaded.boot.issuer.clone().map(|issuer| issuer.issuer),
            auth_required: loaded.boot.auth_required,
            allowed_hosts: Arc::from([]),
            keep_alive: loaded.boot.keep_alive,
        };
        let router = surfaces::router(&handles);
        TestHub {
            posted,
            lists,
            prices,
            simulator,
            engine,
            store,
            tokens,
            keys,
            credentials,
            admin,
            diagnosis,
            operations,
            tasks,
            router,
        }
    }
}

impl TestHub {
    /// Sends a request with the operator's key and reads the answer to its end.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        Answer::read(self.open(request).await).await
    }

    /// Sends a request with the operator's key, if it has none, and waits for the head of the answer.
    pub(crate) async fn open(&self, mut request: Request<Body>) -> http::Response<Body> {
        let bearer = format!("Bearer {KEY}").parse().unwrap();
        request.headers_mut().entry("authorization").or_insert(bearer);
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Fetches prices from now on.
    pub(crate) async fn keep_prices(&self) {
        self.prices.start(self.prices.resume().await);
    }

    /// Diagnoses connections from now on, as the settings say.
    pub(crate) fn keep_diagnosed(&self) {
        tokio::spawn(Arc::clone(&self.diagnosis).keep(Arc::clone(&self.operations)));
    }

    /// A chat for `model`, unary.
    pub(crate) async fn chat(&self, model: &str) -> Answer {
        self.send(chat(model, false)).await
    }

    /// A chat for `model`, streamed.
    pub(crate) async fn stream(&self, model: &str) -> Answer {
        self.send(chat(model, true)).await
    }

    /// Renews tokens before they end, from now on.
    pub(crate) fn keep_fresh(&self) {
        let engine = Arc::clone(&self.engine);
        let connections = move || engine.snapshot().settings.connections.clone();
        tokio::spawn(self.credentials.clone().keep_fresh(connections));
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::builder().uri(path).body(Body::empty()).unwrap()).await
    }

    /// A call with arguments in JSON.
    pub(crate) async fn json(&self, method: Method, path: &str, args: serde_json::Value) -> Answer {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        self.send(request.body(Body::from(args.to_string())).unwrap()).await
    }

    /// How the plan of a request was made, as it is kept.
    pub(crate) async fn plan_of(&self, id: &str) -> Option<String> {
        self.store.plan_of(id.to_owned()).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send(Request::builder().method(Method::POST).uri(path).body(body.into()).unwrap()).await
    }

    /// Receipts, newest first.
    pub(crate) async fn receipts(&self) -> Vec<ReceiptRow> {
        self.store.recent(1000).await.unwrap()
    }

    /// The last receipts, newest first.
    pub(crate) async fn last_receipts(&self, count: u32) -> Vec<ReceiptRow> {
        self.store.recent(count).await.unwrap()
    }

    /// Cooldowns as they would survive a restart.
    pub(crate) fn cooldowns(&self) -> Vec<CooldownRecord> {
        self.store.load_cooldowns(self.engine.clock().now())
    }

    /// Windows of quotas as they would survive a restart.
    pub(crate) fn windows(&self) -> Vec<WindowRecord> {
        self.store.load_windows(self.engine.clock().now())
    }

    /// What webhooks of tasks did not take, newest first.
    pub(crate) async fn dead_letters(&self) -> Vec<DeadLetter> {
        self.store.dead_letters(None, None, 100).await.unwrap()
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(crate) fn admin(&self) -> &Admin {
        &self.admin
    }

    /// Sends a request as it is.
    pub(crate) async fn send_bare(&self, request: Request<Body>) -> Answer {
        Answer::read(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// A key of somebody who is not the operator.
    pub(crate) async fn other_key(&self) -> String {
        let body = serde_json::json!({"name": "other"}).to_string();
        self.post("/api/keys", body).await.json()["secret"].as_str().unwrap().to_owned()
    }

    /// What the simulator was asked to generate.
    pub(crate) fn upstream(&self) -> Vec<Entry> {
        self.simulator.log().into_iter().filter(|entry| entry.method == "POST").collect()
    }

    /// How often each key asked the simulator to generate, in the order of the given keys.
    pub(crate) fn calls<const N: usize>(&self, keys: [&str; N]) -> [usize; N] {
        let log = self.upstream();
        keys.map(|key| log.iter().filter(|entry| entry.key.as_deref() == Some(key)).count())
    }
}

/// A chat request.
pub(crate) fn chat(model: &str, stream: bool) -> Request<Body> {
    let body = serde_json::json!({
        "model": model,
        "stream": stream,
        "messages": [{"role": "user", "content": "hello"}],
    });
    Request::post("/v1/chat/completions").body(Body::from(body.to_string())).unwrap()
}

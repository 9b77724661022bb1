//! A running hub: its parts, how it starts, and how it stops.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use operations::keys::CreatedKey;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle, time::Instant};

use super::{
    SystemClock, agent,
    backups::follow_schedule,
    configuration::{Configured, Live},
    download::Downloads,
    observing::Observing,
    operations::{Executors, registry},
    place,
    post::Telling,
    upkeep,
};
use crate::{
    auth::{self, Gate, KeyIndex, NoEntropy, ThrottleLimits, Token, Tokens},
    config::{BackupSchedule, Boot, Problem, Style, render_problems},
    engine::{
        Engine,
        budget::Budgets,
        health::Health,
        policy::Rates,
        ports::{CaptureSink, Clock, LeaseError, ReceiptSink, WindowSink},
        quota::Ledger,
        settings::{Catalogue, Issuer, Oidc, Secret, Settings},
    },
    observe::events,
    ops::{
        OpError,
        accounts::Accounts,
        admin::{Admin, ProviderLogin},
        backups::Backups,
        checks::Checks,
        completions::{Completions, Witness},
        diagnosis::Diagnosis,
        documents::Documents,
        idempotency::Idempotency,
        keys::Keys,
        mcp::McpServer,
        oauth::{Logins, Loopback},
        ports::{
            Configuration, DocumentStore, DocumentStoreError, Prober, oauth::OAuthStoreError,
            tasks::TaskStoreError,
        },
        prices::Prices,
        registry::Registry,
        reports::Reports,
        responses::Responses,
        routing::Routing,
        signing::Signer,
        steering::Steering,
        tasks::Tasks,
        traces::Traces,
        usage::Usage,
        webhooks::Tester,
    },
    outbound::{
        Client, Transport,
        guard::{AllowList, GuardedFetch},
    },
    providers::{Providers, credentials::Credentials},
    store::{DataDir, RuntimeFile, Store, StoreError, WriterLimits},
    surfaces::{self, Handles, Server},
};

/// What is fixed when a hub starts.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens. Port 0 takes a free one.
    pub address: SocketAddr,
    /// Where it keeps its data.
    pub data_dir: PathBuf,
    /// The PostgreSQL database for it, if it is not to be in that folder.
    pub store_url: Option<Secret>,
    /// When the store is copied.
    pub backups: BackupSchedule,
    /// The operator's own key.
    pub api_key: Option<Secret>,
    /// The operator's token for management.
    pub admin_token: Option<Secret>,
    /// Whether a key is required.
    pub auth_required: bool,
    /// Whose signed tokens let callers in.
    pub issuer: Option<Issuer>,
    /// Where operators may log in beside the password.
    pub oidc: Option<Oidc>,
    /// Host names that it answers for, beside addresses and `localhost`.
    pub allowed_hosts: Vec<String>,
    /// Where browsers reach it, where that is another address than it listens on.
    pub public_url: Option<String>,
    /// How long a stream may be silent.
    pub keep_alive: Duration,
    /// How long running requests may take to finish when it stops.
    pub shutdown_timeout: Duration,
}

impl From<&Boot> for Options {
    fn from(boot: &Boot) -> Self {
        Self {
            address: SocketAddr::new(boot.host, boot.port),
            data_dir: boot.data_dir.clone(),
            store_url: boot.store_url.clone(),
            backups: boot.backups,
            api_key: boot.api_key.clone(),
            admin_token: boot.admin_token.clone(),
            auth_required: boot.auth_required,
            issuer: boot.issuer.clone(),
            oidc: boot.oidc.clone(),
            allowed_hosts: boot.allowed_hosts.clone(),
            public_url: boot.public_url.clone(),
            keep_alive: boot.keep_alive,
            shutdown_timeout: boot.shutdown_timeout,
        }
    }
}

/// The parts of a hub that tests replace.
pub struct Parts {
    /// The way to the network.
    pub transport: Arc<dyn Transport>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
}

impl Default for Parts {
    fn default() -> Self {
        Self { transport: Arc::new(Client::new()), clock: Arc::new(SystemClock) }
    }
}

/// Why a hub did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory or the database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys could not be read, or the first one not be made.
    #[error("the keys cannot be read: {0}")]
    Keys(#[from] OpError),
    /// What was made over the API could not be read.
    #[error("what was made over the API cannot be read")]
    Documents(#[from] DocumentStoreError),
    /// The configuration is not valid.
    #[error("the configuration is not valid:\n{}", render_problems(.0, Style::Plain))]
    Configuration(Vec<Problem>),
    /// What was spent of the budgets could not be read or written.
    #[error(transparent)]
    Budgets(#[from] LeaseError),
    /// The tasks of other agents could not be read.
    #[error(transparent)]
    Tasks(#[from] TaskStoreError),
    /// The logins could not be read.
    #[error(transparent)]
    Logins(#[from] OAuthStoreError),
    /// The system gives no random bytes.
    #[error(transparent)]
    Random(#[from] NoEntropy),
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}. {}", place::listen_hint(source))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

impl StartError {
    /// Whether another hub uses the data directory.
    #[must_use]
    pub const fn is_in_use(&self) -> bool {
        matches!(self, Self::Store(StoreError::InUse { .. }))
    }
}

/// A hub that is running.
pub struct Hub {
    address: SocketAddr,
    first_key: Option<CreatedKey>,
    engine: Arc<Engine>,
    live: Arc<Live>,
    store: Store,
    keys: Keys,
    admin: Arc<Admin>,
    diagnosis: Arc<Diagnosis>,
    mcp: Arc<McpServer>,
    tasks: Tasks,
    data_dir: DataDir,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<bool>,
    /// What runs beside the requests, until the hub stops.
    beside: Vec<JoinHandle<()>>,
    observing: Observing,
    shutdown_timeout: Duration,
}

impl Hub {
    /// Starts a hub on the current runtime.
    ///
    /// # Errors
    /// When its data or its address cannot be used.
    pub async fn start(options: Options, configured: Configured, parts: Parts) -> Result<Self, StartError> {
        let Parts { transport, clock } = parts;
        let data_dir = DataDir::lock(&options.data_dir)?;
        let listener = listen(options.address).await?;
        let address = listener
            .local_addr()
            .map_err(|source| StartError::Listen { address: options.address, source })?;
        let url = options.store_url.as_ref();
        let store = open(&data_dir, url, &configured.loaded.settings, &clock).await?;
        let index = Arc::new(key_index(&options, &clock));
        let local = Token::generate()?.secret;
        index.accept_local(&local);
        let tokens = options
            .issuer
            .clone()
            .map(|issuer| Arc::new(Tokens::new(issuer, Arc::clone(&index), Arc::clone(&clock))));
        let fetching = tokens.clone().map(|tokens| tokens.keep_fresh(Arc::clone(&transport)));
        let mut observing = Observing::new(&store, &clock);
        let public_url = options.public_url.clone().unwrap_or_else(|| place::base_url(address));
        let around = Around {
            transport: Arc::clone(&transport),
            receipts: observing.receipts(&store),
            captures: Some(observing.captures()),
            public_url: public_url.clone(),
            loopback: Some(Box::new(surfaces::OtherPorts)),
        };
        let Core { engine, credentials, keys, admin, logins, live, operations, backups, prices, diagnosis, mcp, tasks } =
            // On the heap: what it awaits is large, and starts of hubs are awaited within others.
            Box::pin(Core::new(configured, &store, &index, &clock, around)).await?;
        let provider_login = provider_login(options.oidc, &public_url, &admin, &store, (&transport, &clock))?;
        observing.start(&engine, transport, &store);
        let pricing = prices.start(prices.resume().await);
        let responses = responses(&store, &engine, &clock);
        let idempotency = idempotency(&store, &engine, &clock);
        let signer = Arc::new(Signer::new(Arc::new(store.signing_keys()), Arc::clone(&clock)));
        agent::start(&tasks, &operations, &index, &clock, (&signer, &public_url)).await?;
        let diagnosing = tokio::spawn(Arc::clone(&diagnosis).keep(Arc::clone(&operations)));
        let handles = Handles {
            engine: Arc::clone(&engine),
            gate: Arc::new(
                Gate::new(index, ThrottleLimits::default(), Arc::clone(&clock)).with_tokens(tokens),
            ),
            operations,
            receipts: Arc::new(store.receipts()),
            logins,
            admin: Arc::clone(&admin),
            provider_login,
            public_tls: public_url.starts_with("https:"),
            metrics: Arc::clone(&observing.metrics),
            responses: Arc::new(responses.clone()),
            idempotency: Arc::new(idempotency.clone()),
            mcp_sessions: Arc::new(store.mcp_sessions()),
            mcp: Arc::clone(&mcp),
            tasks: tasks.clone(),
            card_signer: Arc::clone(&signer),
            public_url: options.public_url.map(Arc::from),
            issuer: options.issuer.map(|issuer| issuer.issuer),
            auth_required: options.auth_required,
            allowed_hosts: options.allowed_hosts.into(),
            keep_alive: options.keep_alive,
        };
        RuntimeFile::new(&place::base_url(address), local, clock.now()).write(&data_dir)?;
        // Last of what can fail: its text is shown by this start or never.
        let first_key = if options.auth_required { keys.first_key().await? } else { None };
        let (stop, stopped) = oneshot::channel();
        let server = Server { listener, router: surfaces::router(&handles), drain: options.shutdown_timeout };
        let serving = tokio::spawn(surfaces::serve(server, async move { drop(stopped.await) }));
        place::announce(&engine, address);
        let mut beside = vec![
            tokio::spawn(upkeep::keep_house(keys.clone(), Arc::clone(&admin), responses, idempotency)),
            tokio::spawn(upkeep::forget_mcp_sessions(store.mcp_sessions(), Arc::clone(&engine))),
            tokio::spawn(renew(credentials, Arc::clone(&engine))),
            tokio::spawn(upkeep::forget_tasks(tasks.clone())),
            tokio::spawn(upkeep::sweep(store.sweeper(), Arc::clone(&engine))),
            tokio::spawn(follow_schedule(backups, clock, options.backups)),
        ];
        beside.extend([pricing, diagnosing]);
        beside.extend(fetching.map(tokio::spawn));
        Ok(Self {
            address,
            first_key,
            engine,
            live,
            store,
            keys,
            admin,
            diagnosis,
            mcp,
            tasks,
            data_dir,
            stop,
            serving,
            beside,
            observing,
            shutdown_timeout: options.shutdown_timeout,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it can be reached from this machine.
    #[must_use]
    pub fn base_url(&self) -> String {
        place::base_url(self.address)
    }

    /// The key that this start made, if it was the first one.
    #[must_use]
    pub const fn first_key(&self) -> Option<&CreatedKey> {
        self.first_key.as_ref()
    }

    /// Whether nobody could serve a request, for want of connections.
    #[must_use]
    pub fn is_without_connections(&self) -> bool {
        self.engine.snapshot().settings.connections.is_empty()
    }

    /// The configuration that is in force, for a file that changes.
    #[must_use]
    pub const fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// Stops: takes nothing new, lets running requests finish for as long as was configured, writes everything.
    ///
    /// # Errors
    /// When something could not be written.
    pub async fn stop(self) -> Result<(), StartError> {
        let until = Instant::now() + self.shutdown_timeout;
        events::draining(self.engine.admission().running(), self.shutdown_timeout);
        self.tasks.hold();
        // Requests that still come in over connections that stand are told to go elsewhere.
        self.engine.admission().close();
        self.diagnosis.close();
        let _ = self.stop.send(());
        let drained = self.serving.await.unwrap_or(false);
        self.beside.iter().for_each(JoinHandle::abort);
        self.tasks.close(until).await;
        self.observing.close().await;
        let saved = self.keys.save_last_used().await.and(self.admin.save_last_seen().await);
        // After the last request has settled: the next start goes on from exact counts.
        self.engine.quota().save();
        self.engine.rates().save();
        let settled = self.engine.budgets().close().await;
        self.mcp.calls().flush().await;
        let closed = self.store.close().await;
        RuntimeFile::remove(&self.data_dir)?;
        events::stopped(if drained { 0 } else { self.engine.admission().running() });
        saved?;
        settled?;
        closed?;
        Ok(())
    }
}

/// What a hub is made of whether it listens or not.
pub(super) struct Core {
    pub(super) engine: Arc<Engine>,
    pub(super) credentials: Credentials,
    pub(super) keys: Keys,
    pub(super) admin: Arc<Admin>,
    pub(super) logins: Arc<Logins>,
    pub(super) live: Arc<Live>,
    pub(super) operations: Arc<Registry>,
    pub(super) prices: Arc<Prices>,
    pub(super) backups: Arc<Backups>,
    pub(super) diagnosis: Arc<Diagnosis>,
    pub(super) mcp: Arc<McpServer>,
    pub(super) tasks: Tasks,
}

/// What is around a hub.
pub(super) struct Around {
    /// The way to the network.
    pub(super) transport: Arc<dyn Transport>,
    /// Who is told of finished requests.
    pub(super) receipts: Arc<dyn ReceiptSink>,
    /// Who is given messages word for word, where the settings want them kept.
    pub(super) captures: Option<Arc<dyn CaptureSink>>,
    /// The hub's own address as browsers know it.
    pub(super) public_url: String,
    /// Who listens for a moment at another port of this machine, if anybody does.
    pub(super) loopback: Option<Box<dyn Loopback>>,
}

impl Core {
    pub(super) async fn new(
        configured: Configured,
        store: &Store,
        index: &Arc<KeyIndex>,
        clock: &Arc<dyn Clock>,
        around: Around,
    ) -> Result<Self, StartError> {
        let keys = Keys::load(Arc::new(store.keys()), Arc::clone(index), Arc::clone(clock)).await?;
        let admin = Arc::new(Admin::load(Arc::new(store.admin()), Arc::clone(clock)).await?);
        let documents = Arc::new(store.documents());
        let made = documents.all().await?;
        let configured = configured.with(&made).map_err(StartError::Configuration)?;
        let settings = configured.loaded.settings.clone();
        let catalogue = Arc::clone(configured.loader.catalogue());
        let Around { transport, receipts, captures, public_url, loopback } = around;
        let witness = Arc::new(Witness::new(receipts));
        let receipts: Arc<dyn ReceiptSink> = Arc::<Witness>::clone(&witness);
        let (engine, credentials, prober) =
            engine(settings, catalogue, transport, (receipts, captures), store, clock).await?;
        let (grants, kept) = (Arc::new(credentials.clone()), Arc::new(store.oauth()));
        let logins = Arc::new(Logins::new(Arc::clone(&engine), grants, kept, public_url, loopback));
        let live = Arc::new(Live::new(&configured, Arc::clone(&engine), made.clone()));
        let configuration: Arc<dyn Configuration> = Arc::<Live>::clone(&live);
        let documents =
            Arc::new(Documents::new(documents, Arc::clone(&configuration), Arc::clone(clock), made));
        let backups = Arc::new(Backups::new(Arc::new(store.backups())));
        let lists = Arc::new(store.price_lists());
        let prices = Prices::new(Arc::clone(&engine), lists, Arc::new(Downloads));
        let asker: Arc<dyn Prober> = Arc::<Providers>::clone(&prober);
        let accounts = Arc::new(Accounts::new(Arc::clone(&engine), Arc::clone(&documents), prober));
        let diagnosis = Diagnosis::new(
            Arc::clone(&engine),
            Arc::clone(&documents),
            Arc::clone(&accounts),
            asker,
            Arc::new(store.suggestions()),
        );
        let diagnosis = Arc::new(diagnosis);
        let usage = Arc::new(Usage::new(Arc::new(store.usage()), Arc::clone(clock)));
        let mcp = super::mcp::server(&engine, store, clock);
        let tasks = agent::tasks(&engine, store, clock);
        let operations = registry(&Executors {
            mcp: Arc::clone(&mcp),
            tasks: tasks.clone(),
            diagnosis: Arc::clone(&diagnosis),
            webhooks: Arc::new(Tester::new(Arc::clone(&engine), Arc::new(Telling::default()))),
            prices: Arc::clone(&prices),
            keys: Arc::new(keys.clone()),
            admin: Arc::clone(&admin),
            logins: Arc::clone(&logins),
            routing: Arc::new(Routing::new(Arc::clone(&engine), Arc::new(store.receipts()))),
            usage: Arc::clone(&usage),
            checks: Arc::new(Checks::new(
                Arc::clone(&engine),
                Arc::new(keys.clone()),
                Arc::clone(&documents),
                Arc::clone(&configuration),
                Arc::new(store.inspector()),
                Arc::new(store.writer()),
            )),
            steering: Arc::new(Steering::new(Arc::clone(&engine), Arc::clone(&documents))),
            reports: Arc::new(Reports::new(
                Arc::clone(&engine),
                usage,
                Arc::new(store.receipts()),
                Arc::clone(clock),
            )),
            traces: Arc::new(Traces::new(
                Arc::new(store.receipts()),
                Arc::new(store.receipts()),
                Arc::new(store.captures()),
            )),
            engine: Arc::clone(&engine),
            completions: Arc::new(Completions::new(
                Arc::clone(&engine),
                Arc::new(surfaces::ChatSpeech),
                witness,
            )),
            accounts,
            documents,
            backups: Arc::clone(&backups),
            audit: Arc::new(store.audit()),
            configuration,
            clock: Arc::clone(clock),
        });
        Ok(Self {
            engine,
            credentials,
            keys,
            admin,
            logins,
            live,
            operations,
            backups,
            prices,
            diagnosis,
            mcp,
            tasks,
        })
    }
}

/// The operator's login at a provider, if the settings name one.
fn provider_login(
    settings: Option<Oidc>,
    public_url: &str,
    admin: &Arc<Admin>,
    store: &Store,
    (transport, clock): (&Arc<dyn Transport>, &Arc<dyn Clock>),
) -> Result<Option<Arc<ProviderLogin>>, StartError> {
    let Some(settings) = settings else { return Ok(None) };
    let back = format!("{}{}", public_url.trim_end_matches('/'), surfaces::OIDC_CALLBACK);
    let oidc = auth::Oidc::new(settings, back, Arc::clone(transport), Arc::clone(clock))?;
    Ok(Some(Arc::new(ProviderLogin::new(Arc::clone(admin), oidc, Arc::new(store.audit())))))
}

async fn open(
    data_dir: &DataDir,
    url: Option<&Secret>,
    settings: &Settings,
    clock: &Arc<dyn Clock>,
) -> Result<Store, StoreError> {
    let limits = WriterLimits::keeping(settings.retention.receipts_rows);
    let store = Store::open_at(data_dir, url, limits, Arc::clone(clock)).await?;
    let has_logins = settings.connections.iter().any(|connection| connection.oauth.is_some());
    if settings.responses.keep || settings.capture.enabled || has_logins {
        store.prepare_secret()?;
    }
    Ok(store)
}

/// The index of keys with those that the operator gave.
fn key_index(options: &Options, clock: &Arc<dyn Clock>) -> KeyIndex {
    let index = KeyIndex::new(Arc::clone(clock));
    if let Some(key) = &options.api_key {
        index.accept_environment(key);
    }
    if let Some(token) = &options.admin_token {
        index.accept_admin(token);
    }
    index
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })
}

pub(super) async fn engine(
    settings: Settings,
    catalogue: Arc<Catalogue>,
    transport: Arc<dyn Transport>,
    (receipts, captures): (Arc<dyn ReceiptSink>, Option<Arc<dyn CaptureSink>>),
    store: &Store,
    clock: &Arc<dyn Clock>,
) -> Result<(Arc<Engine>, Credentials, Arc<Providers>), StartError> {
    let kept = store.load_cooldowns(clock.now()).await?;
    let health =
        Arc::new(Health::new(Arc::clone(clock), Arc::new(store.writer()), kept, &settings.connections));
    // Nothing inside is open to what requests name: there is no setting for exceptions yet.
    let fetch = Arc::new(GuardedFetch::new(AllowList::default()));
    let logins = Arc::new(store.oauth());
    let credentials = Credentials::load(logins, Arc::clone(&transport), Arc::clone(clock)).await?;
    let upstream = Providers::new(transport, Arc::clone(clock), fetch).with_credentials(credentials.clone());
    let upstream = Arc::new(upstream);
    let kept = store.load_windows(clock.now()).await?;
    let sink = Arc::new(store.writer());
    let rates = Rates::new(Arc::clone(clock), Arc::clone(&sink) as Arc<dyn WindowSink>, &kept);
    let ledger = Arc::new(Ledger::new(Arc::clone(clock), sink, &kept, &settings.connections));
    let budgets = Budgets::load(Arc::new(store.leases()), Arc::clone(clock)).await?;
    let engine = Engine::new(
        settings,
        catalogue,
        health,
        Arc::<Providers>::clone(&upstream),
        receipts,
        Arc::clone(clock),
        rand::random(),
    );
    let engine = engine.with_ledger(ledger).with_budgets(budgets).with_rates(rates);
    let engine = engine.with_tokens(Arc::new(credentials.clone()));
    let engine = match captures {
        Some(captures) => engine.with_captures(captures),
        None => engine,
    };
    Ok((Arc::new(engine), credentials, upstream))
}

fn responses(store: &Store, engine: &Arc<Engine>, clock: &Arc<dyn Clock>) -> Responses {
    let engine = Arc::clone(engine);
    let policy = Box::new(move || engine.snapshot().settings.responses);
    Responses::new(Arc::new(store.responses()), Arc::clone(clock), policy)
}

fn idempotency(store: &Store, engine: &Arc<Engine>, clock: &Arc<dyn Clock>) -> Idempotency {
    let engine = Arc::clone(engine);
    let policy = Box::new(move || engine.snapshot().settings.idempotency);
    Idempotency::new(Arc::new(store.claims()), Arc::clone(clock), policy)
}

/// Renews tokens of the connections that there are now.
async fn renew(credentials: Credentials, engine: Arc<Engine>) {
    credentials.keep_fresh(move || engine.snapshot().settings.connections.clone()).await;
}

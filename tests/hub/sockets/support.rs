//! A hub that is a child process, from its first line of configuration to its last breath. What is sent to it
//! is in `client` and `raw`.

use std::{
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use super::{client::Client, provider::Provider};

/// How long anything that should happen soon may take on a busy machine.
pub(super) const SOON: Duration = Duration::from_secs(15);

/// Looks until something is there, for a bounded time.
pub(super) async fn eventually<T>(what: &str, within: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + within;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "did not happen within {within:?}: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// An account as the configuration file has it: its id and its key.
pub(super) type Account = (String, String);

/// What a hub is started with.
pub(super) struct Builder {
    accounts: Vec<Account>,
    sections: String,
    env: Vec<(String, String)>,
    args: Vec<String>,
}

impl Builder {
    /// Adds an account at the simulated provider: one of the keys of `docs/simulator.md`, without an ending.
    pub(super) fn account(mut self, id: &str, behaviour: &str) -> Self {
        self.accounts.push((id.to_owned(), format!("{behaviour}.{id}")));
        self
    }

    /// Adds text to the configuration file, at the top level.
    pub(super) fn section(mut self, text: &str) -> Self {
        self.sections.push_str(text);
        self.sections.push('\n');
        self
    }

    /// Sets an environment variable. The hub has no others but HOME.
    pub(super) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts the hub and waits until it can be talked to.
    pub(super) async fn start(self) -> Hub {
        let home = Arc::new(tempfile::tempdir().unwrap());
        let provider = Provider::start().await;
        let ground = Ground { home, env: self.env, args: self.args };
        let text = configuration(&provider, &self.sections, &self.accounts);
        fs::write(ground.config(), text).unwrap();
        Hub::on(ground, provider, self.sections).await
    }
}

/// The text of a configuration file with these accounts, in their order. The model of all is `m`.
pub(super) fn configuration(provider: &Provider, sections: &str, accounts: &[Account]) -> String {
    let mut text = format!("{sections}providers:\n");
    for (id, key) in accounts {
        text.push_str(&format!(
            "  - id: {id}\n    type: openai-compatible\n    base_url: http://{}/v1\n    api_key: {key}\n    models: [m]\n",
            provider.address,
        ));
    }
    text
}

/// What stays when a hub goes: its files, and what it is started with.
#[derive(Clone)]
pub(super) struct Ground {
    home: Arc<TempDir>,
    env: Vec<(String, String)>,
    args: Vec<String>,
}

impl Ground {
    /// An empty one, for commands without a hub.
    pub(super) fn new() -> Self {
        Self { home: Arc::new(tempfile::tempdir().unwrap()), env: Vec::new(), args: Vec::new() }
    }

    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(super) fn data_dir(&self) -> PathBuf {
        self.home().join("data")
    }

    pub(super) fn config(&self) -> PathBuf {
        self.home().join("trivium.yaml")
    }

    pub(super) fn runtime_file(&self) -> PathBuf {
        self.data_dir().join("runtime/hub.json")
    }

    /// The program on this ground: nothing of the test's own environment reaches it.
    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trivium"));
        command.args(args).current_dir(self.home()).env_clear().stdin(Stdio::null());
        command.env("HOME", self.home()).env("TMPDIR", self.home());
        command.env("DATA_DIR", self.data_dir()).env("TRIVIUM_CONFIG", self.config());
        // What the provider was asked is counted in many tests.
        command.env("TRIVIUM__DIAGNOSIS__ENABLED", "off");
        command.envs(self.env.iter().cloned());
        command
    }

    /// Runs a command of the program to its end.
    pub(super) async fn cli(&self, args: &[&str]) -> Output {
        let mut command = self.command(args);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// Runs a command that must succeed, and answers what it printed.
    pub(super) async fn cli_ok(&self, args: &[&str]) -> String {
        let output = self.cli(args).await;
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{args:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        text.trim_end().to_owned()
    }

    /// Starts a process whose words go to files.
    pub(super) fn spawn(&self, args: &[&str]) -> Process {
        let log =
            |name: &str| File::options().create(true).append(true).open(self.home().join(name)).unwrap();
        let child = self.command(args).stdout(log("stdout")).stderr(log("stderr")).spawn().unwrap();
        Process(child)
    }

    /// All that processes on this ground said so far.
    pub(super) fn said(&self) -> String {
        let read = |name: &str| fs::read(self.home().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&[read("stdout"), read("stderr")].concat()).into_owned()
    }
}

/// A child process that does not outlive the test.
pub(super) struct Process(Child);

impl Process {
    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    /// `kill -9`: no handler runs.
    pub(super) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Asks it to stop.
    pub(super) fn terminate(&self) {
        let sent = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", self.id())).status().unwrap();
        assert!(sent.success());
    }

    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap()
    }

    pub(super) async fn end(&mut self) -> ExitStatus {
        eventually("the process ends", SOON, || self.ended()).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A running hub.
pub(super) struct Hub {
    pub(super) ground: Ground,
    pub(super) process: Process,
    pub(super) provider: Provider,
    pub(super) address: SocketAddr,
    /// A client with a key of every scope: the first key, or API_KEY.
    pub(super) client: Client,
    sections: String,
}

impl std::ops::Deref for Hub {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Hub {
    pub(super) fn builder() -> Builder {
        let (accounts, env) = (Vec::new(), Vec::new());
        Builder { accounts, sections: String::new(), env, args: vec!["--port".to_owned(), "0".to_owned()] }
    }

    /// Starts a hub on files that are there.
    pub(super) async fn on(ground: Ground, provider: Provider, sections: String) -> Self {
        let args: Vec<&str> = ground.args.iter().map(String::as_str).collect();
        let mut process = ground.spawn(&args);
        let pid = process.id();
        let address = eventually("the hub listens", SOON, || {
            if let Some(status) = process.ended() {
                panic!("the hub ended with {status}: {}", ground.said());
            }
            // A killed hub leaves its file behind: only that of this process counts.
            let text = fs::read(ground.runtime_file()).ok()?;
            let file: Value = serde_json::from_slice(&text).ok().filter(|file: &Value| file["pid"] == pid)?;
            file["base_url"].as_str()?.strip_prefix("http://")?.parse().ok()
        })
        .await;
        let environment = ground.env.iter().find(|(name, _)| name == "API_KEY").map(|(_, key)| key.clone());
        let key = match environment {
            Some(key) => key,
            None => {
                eventually("the first key is there", SOON, || {
                    let text = fs::read_to_string(ground.data_dir().join("first-key.txt")).ok()?;
                    Some(text.strip_suffix('\n')?.to_owned())
                })
                .await
            }
        };
        let client = Client::new(address, &key);
        Self { ground, process, provider, address, client, sections }
    }

    /// Starts a hub anew on what this one left behind. This one must have ended.
    pub(super) async fn again(mut self) -> Self {
        assert!(self.process.ended().is_some(), "the hub still runs");
        let Self { ground, provider, sections, .. } = self;
        Self::on(ground, provider, sections).await
    }

    /// Asks it to stop, and waits until it has.
    pub(super) async fn stop(&mut self) -> ExitStatus {
        self.process.terminate();
        self.process.end().await
    }

    /// Writes a configuration with these accounts in this order (`id` and behaviour).
    pub(super) fn reconfigure(&self, accounts: &[(&str, &str)]) {
        let accounts: Vec<Account> =
            accounts.iter().map(|(id, behaviour)| ((*id).to_owned(), format!("{behaviour}.{id}"))).collect();
        self.write_config(&configuration(&self.provider, &self.sections, &accounts));
    }

    /// Writes the configuration file, in place, as an editor may.
    pub(super) fn write_config(&self, text: &str) {
        fs::write(self.ground.config(), text).unwrap();
    }

    /// Makes a key with the command line.
    pub(super) async fn new_key(&self, name: &str) -> String {
        self.ground.cli_ok(&["keys", "create", name]).await
    }

    /// `/health` as the operator sees it.
    pub(super) async fn health(&self) -> Value {
        self.get("/health").await.json()
    }

    /// The ids of the connections in their order.
    pub(super) async fn connections(&self) -> Vec<String> {
        let health = self.health().await;
        let list = health["details"]["connections"].as_array().expect("connections").clone();
        list.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until these are the connections in use.
    pub(super) async fn uses(&self, ids: &[&str]) {
        let end = Instant::now() + SOON;
        while self.connections().await != ids {
            assert!(Instant::now() < end, "{ids:?} are not in use: {}", self.ground.said());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

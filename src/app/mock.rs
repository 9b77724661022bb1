//! The simulated provider, for `trivium mock` and `trivium demo`.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::simulator::{Behaviour, Entry, LogFileError, Options, Script, Simulator};

/// What is called with a line of text for each finished request.
pub type OnLine = Arc<dyn Fn(&str) + Send + Sync>;

/// How a simulated provider is set up.
#[derive(Debug, Clone)]
pub struct MockOptions {
    /// Where it listens. Port 0 takes a free one.
    pub address: SocketAddr,
    /// A script in JSON.
    pub script: Option<PathBuf>,
    /// What makes its answers repeat.
    pub seed: u64,
    /// A file for its log, one JSON object a line.
    pub log: Option<PathBuf>,
    /// The models that it knows; any when empty.
    pub models: Vec<String>,
    /// Time between two pieces of a streamed answer, in milliseconds, unless the script says otherwise.
    pub pace_ms: u64,
}

/// Why a simulated provider did not start.
#[derive(Debug, thiserror::Error)]
pub enum MockError {
    /// The script cannot be read.
    #[error("cannot read the script {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The script is not one.
    #[error("the script {path} is not valid: {detail}")]
    Script {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        detail: String,
    },
    /// The log file cannot be opened.
    #[error(transparent)]
    Log(#[from] LogFileError),
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// A simulated provider that is running.
pub struct Mock {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Mock {
    /// Starts a simulated provider. `on_line` gets a line of text for each finished request.
    ///
    /// # Errors
    /// When its files or its address cannot be used.
    pub async fn start(options: MockOptions, on_line: Option<OnLine>) -> Result<Self, MockError> {
        let mut script = match &options.script {
            Some(path) => read(path)?,
            None => Script {
                default: Behaviour { chunk_interval_ms: options.pace_ms, ..Behaviour::default() },
                ..Script::default()
            },
        };
        if !options.models.is_empty() {
            script.models = Some(options.models);
        }
        let on_request = on_line.map(|on_line| {
            let hook: Arc<dyn Fn(&Entry) + Send + Sync> = Arc::new(move |entry| on_line(&line(entry)));
            hook
        });
        let simulator =
            Simulator::from_options(Options { script, seed: options.seed, log: options.log, on_request })?;
        let failed = |source| MockError::Listen { address: options.address, source };
        let listener = TcpListener::bind(options.address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(simulator.serve(listener, async move { drop(stopped.await) }));
        Ok(Self { address, stop, serving })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops it.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        drop(self.serving.await);
    }
}

fn read(path: &Path) -> Result<Script, MockError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| MockError::Read { path: path.to_owned(), source })?;
    serde_json::from_str(&text)
        .map_err(|error| MockError::Script { path: path.to_owned(), detail: error.to_string() })
}

fn line(entry: &Entry) -> String {
    let status = entry.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
    let key = entry.key.as_deref().unwrap_or("(no key)");
    let model = entry.model.as_deref().unwrap_or("-");
    let stream = if entry.stream { "stream" } else { "unary" };
    let faults =
        if entry.faults.is_empty() { String::new() } else { format!("  [{}]", entry.faults.join(", ")) };
    format!("{:>5}  {status}  {} {}  {key}  {model}  {stream}{faults}", entry.seq, entry.method, entry.path)
}

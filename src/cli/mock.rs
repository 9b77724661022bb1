//! `trivium mock`: a simulated provider alone.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc};

use clap::Args;

use super::{
    Common,
    output::{fail, note, say},
    runtime,
    serve::until_told_to_stop,
};
use crate::app::{self, MockOptions, OnLine};

const LONG_ABOUT: &str = "\
Runs a simulated provider that speaks OpenAI's chat dialect and fails as it is told, without a key, a network or a bill.

How it behaves is chosen by the key that it is called with: `sim-ok` always answers, `sim-limit-3` runs dry after three \
requests, `sim-cut-3` breaks off after three pieces, `sim-503` is down. `docs/simulator.md` lists all of them. A script \
file gives each key a behaviour of its own. GET /__log shows what it received.

It listens on port 9100 unless --port says otherwise.";

#[derive(Args)]
#[command(long_about = LONG_ABOUT)]
pub(super) struct Mock {
    /// A script (JSON): which key behaves how
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// What makes answers repeat: the same seed and the same requests give the same answers
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,
    /// Append each finished request to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// The models that it knows (any, when none is given)
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    models: Vec<String>,
    /// Milliseconds between two pieces of a streamed answer
    #[arg(long, default_value_t = 0, value_name = "MS")]
    pace: u64,
    /// Print nothing for each request
    #[arg(long)]
    quiet: bool,
}

pub(super) fn run(mock: Mock, common: &Common) -> ExitCode {
    let host = common.host.as_deref().unwrap_or("127.0.0.1");
    let Ok(ip) = host.parse() else {
        return fail(&format!("`{host}` is not an IP address; give one such as 127.0.0.1 with --host"));
    };
    let options = MockOptions {
        address: SocketAddr::new(ip, common.port.unwrap_or(9100)),
        script: mock.script,
        seed: mock.seed,
        log: mock.log,
        models: mock.models,
        pace_ms: mock.pace,
    };
    let on_line: Option<OnLine> = if mock.quiet { None } else { Some(Arc::new(note)) };
    match runtime() {
        Ok(runtime) => runtime.block_on(serve(options, on_line)),
        Err(code) => code,
    }
}

async fn serve(options: MockOptions, on_line: Option<OnLine>) -> ExitCode {
    let mock = match app::Mock::start(options, on_line).await {
        Ok(mock) => mock,
        Err(error) => return fail(&error.to_string()),
    };
    say(&format!("A simulated provider listens on http://{}/v1", mock.address()));
    until_told_to_stop().await;
    mock.stop().await;
    ExitCode::SUCCESS
}

//! `trivium demo`: the hub in front of simulated accounts that run dry. Nothing but a configuration and `mock`.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::Args;

use super::{
    Common, configure,
    output::{bold, fail, note, say},
    runtime,
    serve::until_told_to_stop,
};
use crate::{
    app::{self, Hub, Mock, MockOptions, Parts},
    config::Source,
};

const LONG_ABOUT: &str = "\
Starts the hub and, over real sockets, simulated providers whose accounts run dry one after the other and recover after \
twenty seconds. Prints a line to paste and what to enter in a client. Needs no configuration, key or network, and leaves \
nothing behind.";

/// Ports that are tried after the usual one, when that is taken.
const MORE_PORTS: u16 = 20;

/// Milliseconds between two pieces of a demo answer, so that one sees it stream.
const PACE_MS: u64 = 40;

#[derive(Args)]
#[command(long_about = LONG_ABOUT)]
pub(super) struct Demo {
    /// Requests that each account answers before it runs dry
    #[arg(long, default_value_t = 3, value_name = "NUMBER")]
    requests: u32,
}

pub(super) fn run(demo: &Demo, common: &Common) -> ExitCode {
    match runtime() {
        Ok(runtime) => runtime.block_on(show(demo, common)),
        Err(code) => code,
    }
}

async fn show(demo: &Demo, common: &Common) -> ExitCode {
    let options = MockOptions {
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        script: None,
        seed: 1,
        log: None,
        models: Vec::new(),
        pace_ms: PACE_MS,
    };
    let mock = match Mock::start(options, None).await {
        Ok(mock) => mock,
        Err(error) => return fail(&error.to_string()),
    };
    let data_dir = std::env::temp_dir().join(format!("trivium-demo-{}", std::process::id()));
    let code = match start(demo, common, mock.address(), data_dir.clone()).await {
        Ok(hub) => {
            explain(&hub, demo.requests);
            until_told_to_stop().await;
            note("");
            match hub.stop().await {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => fail(&error.to_string()),
            }
        }
        Err(code) => code,
    };
    mock.stop().await;
    drop(std::fs::remove_dir_all(data_dir));
    code
}

async fn start(
    demo: &Demo,
    common: &Common,
    provider: SocketAddr,
    data_dir: PathBuf,
) -> Result<Hub, ExitCode> {
    let text = configuration(provider, demo.requests);
    let common = Common { data_dir: Some(data_dir), ..common.clone() };
    let configured = configure(&common, Some(Source::Text { name: "(demo)".to_owned(), text }))?;
    app::start_log(&configured.loaded.boot);
    let first = configured.loaded.boot.port;
    let last = if common.port.is_some() { first } else { first.saturating_add(MORE_PORTS) };
    let mut port = first;
    loop {
        let mut boot: app::Options = (&configured.loaded.boot).into();
        boot.address.set_port(port);
        // The demo's key is its own: a key of the environment would not be printed below.
        boot.api_key = None;
        boot.admin_token = None;
        match Hub::start(boot, configured.clone(), Parts::default()).await {
            Ok(hub) => return Ok(hub),
            Err(app::StartError::Listen { .. }) if port < last => port += 1,
            Err(error) => return Err(fail(&error.to_string())),
        }
    }
}

fn configuration(provider: SocketAddr, requests: u32) -> String {
    let mut text = String::from("providers:\n");
    for (name, key) in [
        ("alice", format!("sim-limit-{requests}.alice")),
        ("bob", format!("sim-limit-{requests}.bob")),
        ("carol", format!("sim-limit-{requests}.carol")),
    ] {
        text.push_str(&format!(
            "  - id: {name}\n    type: openai-compatible\n    base_url: http://{provider}/v1\n    api_key: {key}\n    models: [demo-model]\n",
        ));
    }
    text
}

fn explain(hub: &Hub, requests: u32) {
    let url = hub.base_url();
    let key = hub.first_key().map_or("", |key| key.secret.as_str());
    say(&format!("\n{}", bold("Trivium demo: three accounts behind one address")));
    say(&format!(
        "alice, bob and carol answer {requests} requests each, then they are dry for 20 seconds. Paste this a few times:\n"
    ));
    say(&format!(
        "curl -Ni {url}/v1/chat/completions \\\n  -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\\n  \
         -d '{{\"model\": \"demo-model\", \"stream\": true, \"messages\": [{{\"role\": \"user\", \"content\": \"Say something.\"}}]}}'\n"
    ));
    say("The header x-gateway-route names the account that served; the log below says why.\n");
    say(&bold("In a client (Cursor, Continue, Open WebUI, an SDK):"));
    say(&format!("  Base URL  {url}/v1\n  API key   {key}\n  Model     demo-model, or auto\n"));
    say("Ctrl-C ends the demo and leaves nothing behind.\n");
}

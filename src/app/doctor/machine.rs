//! The machine and the process: whether a hub runs and answers, whether its port is free, who can reach it, and what the system
//! grants.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::Request;
use tokio::net::TcpListener;

use super::{Examination, Finding};
use crate::{
    app::now_ms,
    config::Boot,
    outbound::{Client, Transport},
    store::RuntimeFile,
};

/// A hub on this machine answers at once, or something is wrong.
const PATIENCE: Duration = Duration::from_secs(5);
/// A hub with a thousand streams needs two descriptors for each.
const FEW_FILES: u64 = 4096;
/// The first of January 2026: no clock that is right is before this program.
const LONG_AGO: i64 = 1_767_225_600_000;

/// The hub that runs, or the place where one would listen.
pub(super) async fn hub(boot: &Boot, found: &mut Examination) {
    const CHECK: &str = "hub";
    match RuntimeFile::of_running_hub(&boot.data_dir) {
        Ok(Some(hub)) => found.add(answers(&hub).await),
        Ok(None) => {
            found.add(Finding::ok(CHECK, "none runs on this data folder"));
            found.add(port(boot).await);
        }
        Err(error) => {
            found.add(Finding::fail(
                CHECK,
                error.to_string(),
                "stop the hub, delete the file, and start it again",
            ));
        }
    }
}

async fn answers(hub: &RuntimeFile) -> Finding {
    const CHECK: &str = "hub";
    let (url, own) = (&hub.base_url, env!("CARGO_PKG_VERSION"));
    let asked = async {
        let request =
            Request::get(format!("{url}/livez")).body(Bytes::new()).map_err(|error| error.to_string())?;
        let answer = Client::new().call(request, PATIENCE).await.map_err(|error| error.to_string())?;
        if answer.status().is_success() { Ok(()) } else { Err(format!("it answers {}", answer.status())) }
    };
    let said = tokio::time::timeout(PATIENCE, asked).await;
    match said.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs()))) {
        Ok(()) if hub.version == own => Finding::ok(CHECK, format!("answers at {url}, version {own}")),
        Ok(()) => {
            let text = format!("answers at {url}, version {}; this program is {own}", hub.version);
            Finding::warn(CHECK, text, "restart the hub, so that the new version serves")
        }
        Err(why) => {
            let text =
                format!("process {} holds the data folder, and does not answer at {url}: {why}", hub.pid);
            Finding::fail(CHECK, text, "look into its log; it may be starting or stopping")
        }
    }
}

async fn port(boot: &Boot) -> Finding {
    const CHECK: &str = "port";
    let address = SocketAddr::new(boot.host, boot.port);
    match TcpListener::bind(address).await {
        Ok(_) => Finding::ok(CHECK, format!("{address} is free")),
        Err(error) => {
            let remedy = "stop who listens there, or choose another address with --host and --port";
            Finding::fail(CHECK, format!("cannot listen on {address}: {error}"), remedy)
        }
    }
}

/// Who can reach it, and how.
pub(super) fn exposure(boot: &Boot, found: &mut Examination) {
    const CHECK: &str = "exposure";
    found.add(if boot.host.is_loopback() {
        Finding::ok(CHECK, "listens for this machine alone")
    } else {
        let text = format!("listens on {} without TLS: keys and prompts can be read on the way", boot.host);
        Finding::warn(
            CHECK,
            text,
            "put a reverse proxy with TLS in front of it, or use it in a network that you trust",
        )
    });
}

/// How many files and connections the system grants this process at most.
pub(super) fn open_files(found: &mut Examination) {
    const CHECK: &str = "open files";
    let Ok((_, most)) = rlimit::getrlimit(rlimit::Resource::NOFILE) else { return };
    found.add(if most < FEW_FILES {
        let remedy = "raise the limit, such as by `LimitNOFILE=65536` in the systemd unit";
        Finding::warn(CHECK, format!("at most {most}, and every stream needs two"), remedy)
    } else {
        Finding::ok(CHECK, "enough")
    });
}

/// Whether the time of day can be right.
pub(super) fn clock(found: &mut Examination) {
    const CHECK: &str = "clock";
    found.add(if now_ms() < LONG_AGO {
        let remedy = "set the clock: budgets, quotas and the ends of keys go by it";
        Finding::fail(CHECK, "it is before this program was made", remedy)
    } else {
        Finding::ok(CHECK, "plausible")
    });
}

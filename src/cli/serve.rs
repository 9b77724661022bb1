//! `trivium serve`: becomes the hub.

use std::{
    io::{IsTerminal, stdout},
    process::ExitCode,
    sync::Arc,
};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{
    Common, Configured, configure,
    output::{bold, fail, note, say},
    runtime,
};
use crate::app::{self, Hub, Parts};

pub(super) fn run(common: &Common) -> ExitCode {
    let configured = match configure(common, None) {
        Ok(configured) => configured,
        Err(code) => return code,
    };
    app::start_log(&configured.loaded.boot);
    // Every stream needs two descriptors, and many systems start with a thousand.
    drop(rlimit::increase_nofile_limit(u64::MAX));
    for warning in &configured.loaded.warnings {
        app::warn(&crate::config::render_problems(
            std::slice::from_ref(warning),
            crate::config::Style::Plain,
        ));
    }
    match runtime() {
        Ok(runtime) => runtime.block_on(serve(configured)),
        Err(code) => code,
    }
}

async fn serve(configured: Configured) -> ExitCode {
    let boot = configured.loaded.boot.clone();
    // Before anybody can see the hub: whoever sees it may stop it.
    let told_to_stop = until_told_to_stop();
    let hub = match Hub::start((&boot).into(), configured.clone(), Parts::default()).await {
        Ok(hub) => hub,
        Err(error) => return fail(&error.to_string()),
    };
    if let Err(error) = hand_over_first_key(&hub, &boot.data_dir) {
        drop(hub.stop().await);
        return fail(&format!("the first key could not be written: {error}"));
    }
    if hub.is_without_connections() {
        note("No connection to a provider is configured yet: requests get an error that says so.");
        note("`trivium.example.yaml` in the repository is a start; `trivium demo` shows the hub at work.");
    }
    let following = tokio::spawn(app::follow(Arc::clone(hub.live()), configured));
    told_to_stop.await;
    following.abort();
    match hub.stop().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

fn hand_over_first_key(hub: &Hub, data_dir: &std::path::Path) -> std::io::Result<()> {
    let Some(key) = hub.first_key() else { return Ok(()) };
    if stdout().is_terminal() {
        say(&format!("\nThis is the first start. Your key, shown this once: {}\n", bold(&key.secret)));
        say(&format!("Base URL for OpenAI clients: {}/v1", hub.base_url()));
        say("More keys: `trivium keys create NAME`\n");
        return Ok(());
    }
    app::write_first_key(data_dir, &key.secret).map(drop)
}

/// Waits for SIGINT or SIGTERM. A second one ends the process at once.
///
/// The signals are caught from the call on, and not only when the future is awaited.
pub(super) fn until_told_to_stop() -> impl Future<Output = ()> {
    let signals = signal(SignalKind::terminate()).and_then(|terminate| {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok((terminate, interrupt))
    });
    async move {
        match signals {
            Ok((terminate, interrupt)) => first_of(terminate, interrupt).await,
            // Without signal handlers the system's own reaction to signals stays: the process ends.
            Err(_) => std::future::pending().await,
        }
    }
}

async fn first_of(mut terminate: Signal, mut interrupt: Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        note("Stopped at once; running requests were cut.");
        std::process::exit(130);
    });
}

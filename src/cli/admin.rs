//! `trivium admin`: the operator's password, at the running hub if there is one, else in its data.

use std::{io::Read, process::ExitCode};

use clap::Subcommand;
use serde::{Deserialize, Serialize};

use super::{
    Common, configure,
    output::{fail, note, say},
    remote::Remote,
    runtime, without_file,
};
use crate::{
    app::{self, LocalAdmin},
    config::Boot,
};

/// Longest password that is read, in bytes; the hub says how long one may be.
const LONGEST: u64 = 4096;

#[derive(Subcommand)]
pub(super) enum Admin {
    /// Set the operator's password; every session ends. Without --stdin one is made and printed, this once, which has to be
    /// changed at the first login
    Password {
        /// Read the new password from the first line of stdin
        #[arg(long)]
        stdin: bool,
    },
}

#[derive(Serialize)]
struct Change {
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<String>,
}

#[derive(Deserialize)]
struct Made {
    password: Option<String>,
}

pub(super) fn run(admin: &Admin, common: &Common) -> ExitCode {
    let configured = match configure(common, None) {
        Ok(configured) => configured,
        Err(code) => match without_file(common) {
            Some(configured) => configured,
            None => return code,
        },
    };
    let Admin::Password { stdin } = admin;
    let new = match stdin.then(line).transpose() {
        Ok(new) => new,
        Err(text) => return fail(&text),
    };
    match runtime().map(|runtime| runtime.block_on(set(&configured.loaded.boot, new))) {
        Ok(Ok(None)) => {
            note("The password is set. Every session has ended.");
            ExitCode::SUCCESS
        }
        Ok(Ok(Some(made))) => {
            note("The password, shown this once, to be changed at the first login:");
            say(&made);
            ExitCode::SUCCESS
        }
        Ok(Err(text)) => fail(&text),
        Err(code) => code,
    }
}

async fn set(boot: &Boot, new: Option<String>) -> Result<Option<String>, String> {
    match app::running_hub(&boot.data_dir).map_err(|error| error.to_string())? {
        Some((url, secret)) => {
            let hub = Remote::new(url, secret);
            let made = hub.put("/api/session/password", &Change { new }).await?;
            let made: Made = serde_json::from_value(made).map_err(|error| error.to_string())?;
            Ok(made.password)
        }
        None => {
            let local = LocalAdmin::open(&boot.data_dir, boot.store_url.as_ref())
                .await
                .map_err(|error| error.to_string())?;
            let made = local.set_password(new).await.map_err(|error| error.to_string());
            local.close().await.map_err(|error| error.to_string())?;
            made
        }
    }
}

fn line() -> Result<String, String> {
    let mut text = String::new();
    let read = std::io::stdin().take(LONGEST).read_to_string(&mut text);
    read.map_err(|error| format!("the password could not be read: {error}"))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

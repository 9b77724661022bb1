//! `trivium secrets`: the key to what is encrypted in the store, with the hub stopped.

use std::process::ExitCode;

use clap::Subcommand;

use super::{
    Common, configure,
    output::{fail, say},
    runtime,
};
use crate::{app, config::Boot};

#[derive(Subcommand)]
pub(super) enum Secrets {
    /// Encrypt everything in the store with a new key, with the hub stopped
    ///
    /// All of it is encrypted anew in one transaction. When this is stopped in the middle, however that comes, everything can be
    /// read and the next call goes on.
    Rotate {
        /// Go on when something cannot be read with the key that there is, and leave that as it is
        #[arg(long)]
        leave_unreadable: bool,
    },
    /// See whether everything that is encrypted can be read, with the hub stopped
    Verify,
}

pub(super) fn run(secrets: &Secrets, common: &Common) -> ExitCode {
    let configured = match configure(common, None) {
        Ok(configured) => configured,
        Err(code) => return code,
    };
    let boot = &configured.loaded.boot;
    match runtime() {
        Ok(runtime) => match runtime.block_on(act(secrets, boot)) {
            Ok(said) => {
                say(&said);
                ExitCode::SUCCESS
            }
            Err(text) => fail(&text),
        },
        Err(code) => code,
    }
}

async fn act(secrets: &Secrets, boot: &Boot) -> Result<String, String> {
    match secrets {
        Secrets::Rotate { leave_unreadable } => {
            app::rotate_secret(boot, *leave_unreadable).await.map_err(|error| error.to_string())
        }
        Secrets::Verify => {
            let found = app::verify_secret(boot).await.map_err(|error| error.to_string())?;
            if found.lost.is_empty() {
                return Ok(format!("All {} encrypted rows can be read.", found.rows));
            }
            let (lost, places) = (found.lost_rows(), found.lost_places());
            Err(format!(
                "{lost} encrypted rows cannot be read with the `secret.key` of the data folder ({places}); {} can. Put the right \
                 one back from a backup",
                found.rows
            ))
        }
    }
}

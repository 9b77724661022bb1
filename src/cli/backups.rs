//! `trivium backups restore`: puts a backup back. What else is done with backups are operations.

use std::process::ExitCode;

use clap::Subcommand;

use super::{
    Common, configure,
    output::{fail, say},
    runtime,
};
use crate::app;

#[derive(Subcommand)]
pub(super) enum Backups {
    /// Put a backup back, with the hub stopped
    ///
    /// The backup is verified first. What is in the data folder is moved aside and not deleted, and the way back is said.
    Restore {
        /// Its name, as `trivium backups list` has it, or the folder that it was copied to
        backup: String,
    },
}

pub(super) fn run(Backups::Restore { backup }: &Backups, common: &Common) -> ExitCode {
    let configured = match configure(common, None) {
        Ok(configured) => configured,
        Err(code) => return code,
    };
    match runtime() {
        Ok(runtime) => match runtime.block_on(app::restore_backup(&configured.loaded.boot, backup)) {
            Ok(said) => {
                say(&said);
                ExitCode::SUCCESS
            }
            Err(error) => fail(&error.to_string()),
        },
        Err(code) => code,
    }
}

//! `trivium doctor`: whether all is well, and what to do where it is not.

use std::process::ExitCode;

use clap::Args;

use super::{
    Common, loader,
    output::{fail, print, say},
    runtime,
};
use crate::app::doctor::{self, State};

/// Looks at the configuration, the data folder and its database, backups, the disk, the hub that runs or the port where one
/// would listen, and what the system grants. Changes nothing, and calls nobody unless it is told to. The exit status is 1
/// when something does not work.
#[derive(Args)]
pub(super) struct Doctor {
    /// Print a report for people who help: versions, system, findings, counts and settings, without secrets
    #[arg(long)]
    report: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "report")]
    json: bool,
    /// Also see whether the providers can be reached; no credential is sent
    #[arg(long)]
    online: bool,
}

pub(super) fn run(doctor: &Doctor, common: &Common) -> ExitCode {
    let (loader, source) = match loader(common, None) {
        Ok(found) => found,
        Err(code) => return code,
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(code) => return code,
    };
    let found = runtime.block_on(doctor::examine(&loader, &source, doctor.online));
    if doctor.json {
        if let Err(error) = print(&found.findings) {
            return fail(&error);
        }
    } else if doctor.report {
        say(doctor::report(&found).trim_end());
    } else {
        say(found.text().trim_end());
    }
    if found.worst() == State::Fail { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

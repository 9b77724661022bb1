//! `trivium config`: checks the configuration, or shows what holds.

use std::{
    io::{IsTerminal, stdout},
    path::PathBuf,
    process::ExitCode,
};

use clap::Subcommand;

use super::{
    Common, configure,
    output::{self, say, style},
};
use crate::config::{Source, render_effective};

#[derive(Subcommand)]
pub(super) enum Config {
    /// Explain each problem with file, line and remedy
    ///
    /// Reads the configuration as the hub would, and says what is wrong with it, what will be ignored, and what to
    /// do about it. Starts nothing. The exit status is 0 when the hub would start with it, else 2.
    Check {
        /// The file to check, instead of the one that the hub would find
        file: Option<PathBuf>,
    },
    /// Print the settings that hold; secrets are never shown
    Show {
        /// Say for each setting where it came from: the file and line, a variable, a flag, or the default
        #[arg(long)]
        origin: bool,
    },
}

pub(super) fn run(config: &Config, common: &Common) -> ExitCode {
    match config {
        Config::Check { file } => check(file.clone(), common),
        Config::Show { origin } => show(*origin, common),
    }
}

fn check(file: Option<PathBuf>, common: &Common) -> ExitCode {
    let configured = match configure(common, file.map(Source::File)) {
        Ok(configured) => configured,
        Err(code) => return code,
    };
    let loaded = &configured.loaded;
    if !loaded.warnings.is_empty() {
        output::problems(&loaded.warnings);
    }
    let connections = loaded.settings.connections.len();
    let from = loaded
        .file
        .as_ref()
        .map_or_else(|| "No file, which is fine".to_owned(), |file| file.display().to_string());
    let warnings = match loaded.warnings.len() {
        0 => "no warnings".to_owned(),
        1 => "1 warning".to_owned(),
        count => format!("{count} warnings"),
    };
    let plural = if connections == 1 { "" } else { "s" };
    say(&format!("{from}: ok, {connections} connection{plural}, {warnings}"));
    ExitCode::SUCCESS
}

fn show(origin: bool, common: &Common) -> ExitCode {
    match configure(common, None) {
        Ok(configured) => {
            let style = style(stdout().is_terminal());
            say(render_effective(&configured.loaded.effective, origin, style).trim_end());
            ExitCode::SUCCESS
        }
        Err(code) => code,
    }
}

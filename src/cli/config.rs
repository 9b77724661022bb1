//! `trivium config`: checks the configuration, shows what holds, prints combos to paste, and brings a hub to what a file declares.

mod apply;
mod bundle;
mod export;
mod made;
mod plan;

use std::{
    io::{IsTerminal, stdout},
    path::PathBuf,
    process::ExitCode,
};

use clap::Subcommand;

pub(super) use apply::bring;

use super::{
    Common, configure,
    output::{self, fail, say, style},
};
use crate::{
    app,
    config::{Source, render_effective, write_combos},
};

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
    /// Print what the file declares and what was made over the API as one file; secrets become variables
    ///
    /// The file can be started with, or applied to another hub. The names of the variables go to stderr.
    Export,
    /// Show what `apply` would change
    ///
    /// The exit status is 0 when nothing differs, 2 when something does, and 1 when the file cannot be applied. Secrets cannot
    /// be compared: a new one alone is no difference.
    Plan {
        /// A file in the language of the configuration file, each entry with an id
        file: PathBuf,
        /// Also delete what was made over the API and is not in the file
        #[arg(long)]
        prune: bool,
        /// Also put definitions again whose secrets may have changed
        #[arg(long)]
        secrets: bool,
        /// The file is a bundle, and this the identity that opens it
        #[arg(long, value_name = "FILE")]
        identity: Option<PathBuf>,
    },
    /// Make over the API what a file declares
    ///
    /// Variables in the file are filled in from this command's environment. The whole is checked before anything is changed;
    /// each change has an entry in the audit log, and can be taken back.
    Apply {
        /// A file in the language of the configuration file, each entry with an id
        file: PathBuf,
        /// Also delete what was made over the API and is not in the file
        #[arg(long)]
        prune: bool,
        /// Also put definitions again whose secrets may have changed
        #[arg(long)]
        secrets: bool,
        /// The file is a bundle, and this the identity that opens it
        #[arg(long, value_name = "FILE")]
        identity: Option<PathBuf>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Make an identity to which bundles with secrets can be encrypted; prints the recipient
    BundleKey {
        /// The new file for it; only its owner may read it
        file: PathBuf,
    },
    /// Print what is in a bundle with secrets, as a file to start with or to apply
    Open {
        /// The bundle, as `trivium bundle show --json --recipient` prints it; `-` is standard input
        bundle: PathBuf,
        /// The identity to whose recipient it was encrypted
        #[arg(long, value_name = "FILE")]
        identity: PathBuf,
    },
    /// Print combos for the models that are configured, as YAML to paste
    ///
    /// What is worth having is worked out from prices, context windows and how good families of models are at a kind of
    /// work. Nothing is written anywhere: put what you like below `combos:`, and change it as you like.
    Combos {
        #[command(subcommand)]
        what: Option<Combos>,
    },
}

#[derive(Subcommand)]
pub(super) enum Combos {
    /// Print a combo, or an alias, under another name
    Duplicate {
        /// The combo's id
        id: String,
        /// The id of the new one
        new: String,
    },
}

pub(super) fn run(config: &Config, common: &Common) -> ExitCode {
    match config {
        Config::Check { file } => check(file.clone(), common),
        Config::Show { origin } => show(*origin, common),
        Config::Export => export::run(common),
        Config::Plan { file, prune, secrets, identity } => {
            let choices = plan::Choices { prune: *prune, secrets: *secrets };
            match bundle::source(file, identity.as_deref()) {
                Ok(source) => apply::plan(&source, choices, common),
                Err(code) => code,
            }
        }
        Config::Apply { file, prune, secrets, identity, yes } => {
            let choices = plan::Choices { prune: *prune, secrets: *secrets };
            match bundle::source(file, identity.as_deref()) {
                Ok(source) => apply::apply(&source, choices, *yes, common),
                Err(code) => code,
            }
        }
        Config::BundleKey { file } => bundle::make_key(file),
        Config::Open { bundle, identity } => bundle::open(bundle, identity),
        Config::Combos { what: None } => presets(common),
        Config::Combos { what: Some(Combos::Duplicate { id, new }) } => duplicate(id, new, common),
    }
}

fn presets(common: &Common) -> ExitCode {
    let configured = match configure(common, None) {
        Ok(configured) => configured,
        Err(code) => return code,
    };
    let presets = app::preset_combos(&configured.loaded.settings);
    if presets.is_empty() {
        output::note("There are too few models, or too little is known of them, for combos to choose from.");
        return ExitCode::SUCCESS;
    }
    say(format!("combos:\n{}", write_combos(&presets)).trim_end());
    ExitCode::SUCCESS
}

fn duplicate(id: &str, new: &str, common: &Common) -> ExitCode {
    let configured = match configure(common, None) {
        Ok(configured) => configured,
        Err(code) => return code,
    };
    let combos = &configured.loaded.settings.combos;
    let named = |name: &str| combos.iter().find(|combo| *combo.id == *name);
    if named(new).is_some() {
        return fail(&format!("there is a combo or an alias `{new}` already"));
    }
    let Some(combo) = named(id) else {
        return fail(&format!("there is no combo or alias `{id}` that is switched on"));
    };
    let mut copy = (**combo).clone();
    copy.id = new.into();
    say(write_combos(&[copy]).trim_end());
    ExitCode::SUCCESS
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

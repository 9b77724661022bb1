//! The command line: what can be typed, one file per command. A command reads the configuration, and then either
//! becomes a hub or talks to one.

mod admin;
mod backups;
mod config;
mod demo;
mod doctor;
mod import;
mod keys;
mod login;
mod mcp;
mod mock;
mod operations;
mod output;
mod place;
mod remote;
mod routing;
mod secrets;
mod serve;
mod tool;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::{
    app::{self, Configured},
    config::{Env, Loader, Overrides, Source},
};
use output::fail;

const ABOUT: &str = "Many accounts at many model providers behind one address";

const LONG_ABOUT: &str = "\
Trivium stacks many accounts at many model providers behind one OpenAI-compatible address, and keeps answering when \
accounts run dry.

Point a client's base URL at http://127.0.0.1:20128/v1 and give it a key of the hub. Without a command, `trivium` starts \
the hub. New here? `trivium demo` needs no configuration, key or network.";

#[derive(Parser)]
#[command(name = "trivium", version, about = ABOUT, long_about = LONG_ABOUT, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    mcp: mcp::McpArgs,
    #[command(flatten)]
    common: Common,
}

/// What every command that reads the configuration takes.
#[derive(Args, Clone)]
struct Common {
    /// Configuration file. Otherwise TRIVIUM_CONFIG, ./trivium.yaml, ./providers.yaml, or the user's configuration
    /// folder; none is fine too
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1; also HOST]
    #[arg(long, global = true, value_name = "ADDRESS")]
    host: Option<String>,
    /// Port to listen on [default: 20128; also PORT]
    #[arg(long, global = true, value_name = "PORT")]
    port: Option<u16>,
    /// Where the hub keeps its data [also DATA_DIR]
    #[arg(long, global = true, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// off, error, warn, info, debug or trace [default: info; also LOG_LEVEL]
    #[arg(long, global = true, value_name = "LEVEL")]
    log_level: Option<String>,
    /// text, json, or auto: text on a terminal and JSON elsewhere
    #[arg(long, global = true, value_name = "FORMAT")]
    log_format: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Start the hub (the same as `trivium` alone)
    Serve,
    /// See it work: a hub and simulated accounts that run dry, with a line to paste
    Demo(demo::Demo),
    /// Run a simulated provider, to try your own routing against
    Mock(mock::Mock),
    /// Check the configuration, or show what holds
    #[command(subcommand)]
    Config(config::Config),
    /// Take over keys in variables, or the configuration of MultiRouter, MultiVibe, FreeRouter, LiteLLM, CLIProxyAPI or 9router
    ///
    /// Without -o and --apply, shows what would become of it and writes nothing. SOURCE is `env` for keys in this environment,
    /// or a file: `providers.yaml` of MultiRouter, `accounts.json` of MultiVibe, `.env` and `model_catalog.json` of FreeRouter,
    /// `config.yaml` of LiteLLM or CLIProxyAPI, an export of 9router or OmniRoute. Whose it is is seen from what is in it. Logins are not
    /// taken over, and nothing is read but these files.
    Import(import::Import),
    /// Create, list, limit, revoke and rotate the keys with which clients come in
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Log in to a connection that has an `oauth` block, at the running hub
    Login(login::LoginArgs),
    /// Forget the tokens of a connection
    Logout(login::LogoutArgs),
    /// Set the password with which the operator logs in
    #[command(subcommand)]
    Admin(admin::Admin),
    /// See whether all is well with the configuration, the data, the hub and the machine
    Doctor(doctor::Doctor),
    /// Make, list, verify, delete and restore backups of the store
    #[command(subcommand)]
    Backups(backups::Backups),
    /// Change the key to what is encrypted in the store, and see whether all can be read
    #[command(subcommand)]
    Secrets(secrets::Secrets),
    /// Call a tool by the name that agents know it by, and see which were called
    #[command(subcommand)]
    Tool(tool::Tool),
    /// Say where a request for a model would go now, and why, without calling anybody
    SimulateRoute(routing::SimulateArgs),
    /// Say why a request went where it did, by the value of x-request-id in its answer
    Explain(routing::ExplainArgs),
}

/// Runs the command that was typed.
#[must_use]
pub fn main() -> ExitCode {
    // The commands of operations are made from their schemas, which takes longer than all else of a start.
    if let Ok(cli) = Cli::try_parse() {
        return dispatch(cli);
    }
    let matches = operations::add_to(Cli::command()).get_matches();
    if let Some(definition) = operations::typed(&Cli::command(), &matches) {
        let common = Common::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        return operations::run(definition, &matches, &common);
    }
    dispatch(Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()))
}

fn dispatch(Cli { command, mcp, common }: Cli) -> ExitCode {
    if mcp.is_meant() {
        return match command {
            None => mcp::run(&mcp, &common),
            Some(_) => {
                output::note("`--mcp` stands alone: it is no option of a command.");
                ExitCode::from(2)
            }
        };
    }
    match command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(&common),
        Command::Demo(demo) => demo::run(&demo, &common),
        Command::Mock(mock) => mock::run(mock, &common),
        Command::Config(config) => config::run(&config, &common),
        Command::Import(import) => import::run(&import, &common),
        Command::Keys(keys) => keys::run(keys, &common),
        Command::Login(args) => login::login(&args, &common),
        Command::Logout(args) => login::logout(&args, &common),
        Command::Admin(admin) => admin::run(&admin, &common),
        Command::Doctor(doctor) => doctor::run(&doctor, &common),
        Command::Backups(backups) => backups::run(&backups, &common),
        Command::Secrets(secrets) => secrets::run(&secrets, &common),
        Command::Tool(tool) => tool::run(&tool, &common),
        Command::SimulateRoute(args) => routing::simulate(args, &common),
        Command::Explain(args) => routing::explain(args, &common),
    }
}

/// What reads the configuration, and from where.
fn loader(common: &Common, source: Option<Source>) -> Result<(Loader, Source), ExitCode> {
    let overrides = Overrides {
        host: common.host.clone(),
        port: common.port,
        data_dir: common.data_dir.clone(),
        log_level: common.log_level.clone(),
        log_format: common.log_format.clone(),
    };
    let catalogue = app::catalogue().map_err(|error| fail(&error.to_string()))?;
    let loader = Loader::new(Env::from_process(), overrides, catalogue, app::SPOKEN);
    let source = source.unwrap_or_else(|| common.config.clone().map_or(Source::Discover, Source::File));
    Ok((loader, source))
}

/// Reads and checks the configuration, or says what is wrong with it.
fn configure(common: &Common, source: Option<Source>) -> Result<Configured, ExitCode> {
    let (loader, source) = loader(common, source)?;
    match loader.load(&source) {
        Ok(loaded) => Ok(Configured { loader, source, loaded }),
        Err(problems) => {
            output::problems(&problems);
            Err(ExitCode::from(2))
        }
    }
}

/// The settings without the file, if a hub runs where they say its data is.
fn without_file(common: &Common) -> Option<Configured> {
    let configured = configure(common, Some(Source::Nothing)).ok()?;
    app::running_hub(&configured.loaded.boot.data_dir).ok().flatten()?;
    output::note("The configuration above is not valid; going on with the running hub.");
    Some(configured)
}

/// A runtime with as many workers as there are processors to use.
fn runtime() -> Result<tokio::runtime::Runtime, ExitCode> {
    let alone = std::thread::available_parallelism().is_ok_and(|processors| processors.get() == 1);
    // On a single processor there is nobody to share work with, and the sharing alone costs a tenth of the throughput.
    let mut builder = if alone {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    builder.enable_all().build().map_err(|error| fail(&format!("the runtime did not start: {error}")))
}

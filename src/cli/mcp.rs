//! `trivium --mcp`: speaks MCP over standard input and output, for clients that start their servers themselves. The process
//! relays to the hub that serves the data directory, or becomes that hub and relays to itself; when the hub goes, it looks
//! for the next one or becomes it. Nothing but the protocol goes to stdout.

mod lines;
mod memory;
mod pipes;
mod post;
mod relay;

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use operations::Scopes;

use super::{Common, configure, output, output::fail, runtime, serve::until_told_to_stop, without_file};
use crate::app;
use post::{Post, Wishes};

/// How the bare command becomes an MCP server.
#[derive(Args)]
pub(super) struct McpArgs {
    /// Speak MCP over standard input and output, for clients that start their servers themselves: at the hub that
    /// serves the data directory, or as that hub if none runs
    #[arg(long)]
    mcp: bool,
    /// What the client of --mcp may do: scopes with commas between, `*` for all that begin so
    #[arg(long, requires = "mcp", value_name = "SCOPES", default_value = "read:*")]
    scopes: String,
    /// Which tools --mcp lists [default: as configured]
    #[arg(long, requires = "mcp", value_name = "PROFILE")]
    profile: Option<Profile>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Profile {
    Essential,
    Standard,
    Full,
}

impl McpArgs {
    /// Whether it was asked for.
    pub(super) const fn is_meant(&self) -> bool {
        self.mcp
    }

    fn wishes(&self) -> Result<Wishes, String> {
        let scopes = Scopes::matching(&self.scopes).map_err(|error| error.to_string())?;
        let profile = self.profile.as_ref().and_then(ValueEnum::to_possible_value);
        Ok(Wishes {
            scopes: scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
            profile: profile.map(|profile| profile.get_name().to_owned()),
        })
    }
}

pub(super) fn run(args: &McpArgs, common: &Common) -> ExitCode {
    let wishes = match args.wishes() {
        Ok(wishes) => wishes,
        Err(text) => {
            output::note(&format!("--scopes: {text}"));
            return ExitCode::from(2);
        }
    };
    let configured = match configure(common, None) {
        Ok(configured) => configured,
        // The running hub has settings of its own.
        Err(code) => match without_file(common) {
            Some(configured) => configured,
            None => return code,
        },
    };
    app::start_log(&configured.loaded.boot);
    // As for any hub: this process may become one.
    drop(rlimit::increase_nofile_limit(u64::MAX));
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(code) => return code,
    };
    let served = runtime.block_on(async {
        let told_to_stop = until_told_to_stop();
        let mut post = Post::new(common, &configured.loaded.boot, wishes);
        let served = relay::relay(&mut post, told_to_stop).await;
        let closed = post.close().await;
        served.and(closed)
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => fail(&text),
    }
}

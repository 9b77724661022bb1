//! `trivium tool call NAME --args JSON`: any operation by the name that agents know it by. The other commands on tools are made
//! from their definitions.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use operations::Definition;
use serde_json::Value;

use super::{
    Common,
    output::{fail, print},
    place::at_place,
};

/// What can be done with tools.
#[derive(Subcommand)]
pub(super) enum Tool {
    /// Call a tool by its name, with the arguments that an agent would send
    Call(Call),
}

/// A call.
#[derive(Args)]
pub(super) struct Call {
    /// The tool, such as `get_health`; `trivium tool list` names them
    #[arg(value_name = "NAME")]
    name: String,
    /// Its arguments as a JSON object
    #[arg(long, value_name = "JSON", default_value = "{}")]
    args: String,
}

pub(super) fn run(tool: &Tool, common: &Common) -> ExitCode {
    let Tool::Call(call) = tool;
    let Some(definition) = Definition::named(&call.name) else {
        return fail(&format!("there is no tool `{}`; `trivium tool list` names them", call.name));
    };
    let args: Value = match serde_json::from_str(&call.args) {
        Ok(args @ Value::Object(_)) => args,
        Ok(_) => return fail("`--args` must be a JSON object, such as {\"limit\": 5}"),
        Err(error) => return fail(&format!("`--args` is no JSON: {error}")),
    };
    at_place(common, async |place| print(&place.call_by(definition, args).await?))
}

//! The `trivium` command in a build that offers the fixtures of MCP's conformance suite (the feature `conformance`).

use std::process::ExitCode;

fn main() -> ExitCode {
    trivium::cli::main()
}

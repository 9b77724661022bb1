//! The `trivium` command.

use std::process::ExitCode;

/// Faster than the system's allocator under many small allocations on several threads, which is what a hub makes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    trivium::cli::main()
}

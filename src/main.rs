//! The `trivium` command.

fn main() {}

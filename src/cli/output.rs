//! Words on the terminal. Colour only where there is one; a closed pipe is nobody's error.

use std::{
    io::{IsTerminal, Write, stderr, stdout},
    process::ExitCode,
};

use serde::Serialize;

use crate::config::{Problem, Style, render_problems};

/// Writes to stdout: what the command was asked for.
pub(super) fn say(text: &str) {
    drop(writeln!(stdout().lock(), "{text}"));
}

/// Writes to stderr: what is not the command's result.
pub(super) fn note(text: &str) {
    drop(writeln!(stderr().lock(), "{text}"));
}

/// Says why the command failed.
pub(super) fn fail(text: &str) -> ExitCode {
    note(&format!("{} {text}", paint("31;1", "error:", stderr().is_terminal())));
    ExitCode::FAILURE
}

/// Says what is wrong with the configuration.
pub(super) fn problems(problems: &[Problem]) {
    note(&render_problems(problems, style(stderr().is_terminal())));
}

/// The style for an output that is a terminal or not.
pub(super) const fn style(terminal: bool) -> Style {
    if terminal { Style::Colour } else { Style::Plain }
}

/// Text in bold, on a terminal.
pub(super) fn bold(text: &str) -> String {
    paint("1", text, stdout().is_terminal())
}

fn paint(code: &str, text: &str, terminal: bool) -> String {
    if terminal { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Writes a value to stdout as JSON.
pub(super) fn print<T: Serialize>(value: &T) -> Result<(), String> {
    let text = serde_json::to_string_pretty(value).map_err(|error| error.to_string())?;
    say(&text);
    Ok(())
}

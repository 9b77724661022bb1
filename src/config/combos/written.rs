//! Combos as they are written in the file: for people to paste. Only what differs from the default is written.

use std::fmt::Write as _;

use super::{PREFIX, knobs, routing, shaping};
use crate::{
    config::auto::MODE_NAMES,
    engine::settings::{BySize, Combo, Shaping, Step, Strategy, TAGGED, ThinkingMode, Wanted},
};

/// The list items of the section `combos` for these. Read again on top of the same connections, they are the same.
#[must_use]
pub fn write(combos: &[Combo]) -> String {
    combos.iter().map(item).collect()
}

fn item(combo: &Combo) -> String {
    let mut lines = vec![format!("id: {}", text(&combo.id))];
    let mut line = |key: &str, value: String| lines.push(format!("{key}: {value}"));
    if let Some(description) = &combo.description {
        line("description", text(description));
    }
    if combo.strategy != Strategy::Priority {
        line("strategy", combo.strategy.as_str().to_owned());
    }
    line("connections", combo.connections.as_str().to_owned());
    if combo.sticky != 1 {
        line("sticky", combo.sticky.to_string());
    }
    if combo.by_tier {
        line("by_tier", "true".to_owned());
    }
    let weights = combo.scoring.as_ref().map(|scoring| scoring.weights);
    if let Some((name, _)) = MODE_NAMES.iter().find(|(_, mode)| Some(mode.weights()) == weights) {
        line("mode", (*name).to_owned());
    }
    for (key, said) in [("cache", combo.cache), ("join", combo.join)] {
        if let Some(said) = said {
            line(key, said.to_string());
        }
    }
    if let Some(shaping) = &combo.shaping {
        shape(shaping, &mut line);
    }
    knob(combo, &mut line);
    let mut out = String::new();
    for (nth, line) in lines.iter().enumerate() {
        let start = if nth == 0 { "  - " } else { "    " };
        let _ = writeln!(out, "{start}{line}");
    }
    out.push_str("    steps:\n");
    for step in &combo.steps {
        let _ = writeln!(out, "      - {}", step_in_words(step));
    }
    out
}

fn shape(shaping: &Shaping, line: &mut impl FnMut(&str, String)) {
    if shaping.compress {
        line(shaping::COMPRESS.name, "true".to_owned());
    }
    match shaping.thinking {
        ThinkingMode::Passthrough => {}
        ThinkingMode::Auto => line(shaping::THINKING.name, "auto".to_owned()),
        ThinkingMode::Adaptive => line(shaping::THINKING.name, "adaptive".to_owned()),
        ThinkingMode::Custom(tokens) => line(shaping::THINKING.name, tokens.to_string()),
    }
    if let Some(system) = &shaping.system {
        line(shaping::SYSTEM.name, text(&system.text));
        if system.after {
            line(shaping::SYSTEM_PLACE.name, "after".to_owned());
        }
    }
    if let Some(background) = &shaping.background {
        let phrases: Vec<String> = background.phrases.iter().map(|phrase| text(phrase)).collect();
        let value = format!("{{to: {}, phrases: [{}]}}", text(&background.to), phrases.join(", "));
        line(shaping::BACKGROUND.name, value);
    }
    let size = |rule: &BySize| format!("{{tokens: {}, to: {}}}", rule.tokens, text(&rule.to));
    for (key, rule) in [(shaping::SMALL, &shaping.small), (shaping::LARGE, &shaping.large)] {
        if let Some(rule) = rule {
            line(key.name, size(rule));
        }
    }
}

fn knob(combo: &Combo, line: &mut impl FnMut(&str, String)) {
    if let Some(said) = &combo.knobs {
        if let Some(retries) = said.retries {
            line(knobs::RETRIES.name, retries.to_string());
        }
        for (key, time) in [(knobs::RETRY_PAUSE, said.retry_pause), (knobs::DEADLINE, said.deadline)] {
            if let Some(time) = time {
                line(key.name, time.as_secs_f64().to_string());
            }
        }
        let affinity = routing::ADHERENCE.iter().find(|(_, one)| Some(*one) == said.affinity);
        if let Some((name, _)) = affinity {
            line(knobs::AFFINITY.name, (*name).to_owned());
        }
    }
    if let Some(fallback) = &combo.fallback {
        line(knobs::FALLBACK.name, text(fallback));
    }
}

fn step_in_words(step: &Step) -> String {
    let (key, name, connection) = match &step.wanted {
        Wanted::Combo(id) => ("combo", &**id, None),
        Wanted::Model { name, connection } => match name.strip_prefix(TAGGED) {
            Some(tag) => ("tag", tag, connection.as_ref()),
            None => ("model", &**name, connection.as_ref()),
        },
    };
    if step.weight == 1 && connection.is_none() {
        let start = if key == "combo" { PREFIX } else { "" };
        let start = if key == "tag" { TAGGED } else { start };
        return text(&format!("{start}{name}"));
    }
    let mut parts = vec![format!("{key}: {}", text(name))];
    parts.extend(connection.map(|id| format!("connection: {}", text(id))));
    if step.weight != 1 {
        parts.push(format!("weight: {}", step.weight));
    }
    format!("{{{}}}", parts.join(", "))
}

/// A text that YAML and the filling in of variables give back as it is.
fn text(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let letters = text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(plain);
    let word =
        matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "null" | "yes" | "no" | "on" | "off");
    if letters && !word {
        return text.to_owned();
    }
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '$' => quoted.push_str("$$"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\U{:08x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

//! Keeps credentials out of what people are shown: excerpts of the file, and values quoted in messages.
//! When in doubt it hides; a report that hides too much is still useful, one that leaks is not.

use super::schema;

/// What stands where a secret was.
pub const REDACTED: &str = "[redacted]";

/// Beginnings of keys as vendors issue them.
const KEY_STARTS: [&str; 14] = [
    "sk-",
    "sk_",
    "gsk_",
    "csk-",
    "AIza",
    "xai-",
    "hf_",
    "ghp_",
    "github_pat",
    "nvapi-",
    "pplx-",
    "r8_",
    "fw_",
    "tgp_",
];

/// Whether a key of this name is likely to hold a credential.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = schema::plain(name);
    ["key", "token", "secret", "passw", "credential", "bearer", "authorization"]
        .iter()
        .any(|word| name.contains(word))
}

/// Whether text looks like a credential or carries one.
pub(super) fn looks_secret(text: &str) -> bool {
    let url_with_more = text.contains("://") && text.contains(['@', '?']);
    let separates = |c: char| c.is_whitespace() || ",;=\"'`[]{}:".contains(c);
    let words: Vec<&str> = text.split(separates).filter(|word| !word.is_empty()).collect();
    // A line break or a space was forgotten, and a key follows its name.
    let assigned = words.len() > 1 && words.iter().any(|word| names_a_secret(word));
    url_with_more || assigned || words.iter().any(|word| is_key_like(word))
}

/// Whether text begins as the keys of vendors do. For texts that are names, which may be long and mixed themselves.
pub(super) fn looks_issued(text: &str) -> bool {
    KEY_STARTS.iter().any(|start| text.starts_with(start) && text.len() > start.len() + 2)
}

fn is_key_like(word: &str) -> bool {
    let has = |kind: fn(&char) -> bool| word.chars().any(|c| kind(&c));
    let mixed = has(char::is_ascii_digit) && has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase);
    let opaque = word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let hexadecimal = word.chars().all(|c| c.is_ascii_hexdigit());
    looks_issued(word) || (word.len() >= 24 && mixed && opaque) || (word.len() >= 32 && hexadecimal)
}

fn names_a_secret(word: &str) -> bool {
    matches!(schema::plain(word).as_str(), "apikey" | "token" | "secret" | "password" | "bearer")
}

/// A setting's path with those parts hidden that the user wrote and that look like a credential.
pub(super) fn path(path: &str) -> String {
    let hide = |part| if looks_secret(part) { REDACTED } else { part };
    path.split('.').map(hide).collect::<Vec<_>>().join(".")
}

/// A value for a message: short, on one line, without control characters, and no credential.
pub(super) fn shown(text: &str) -> String {
    if looks_secret(text) {
        return REDACTED.to_owned();
    }
    let mut out: String = text.chars().take(60).map(harmless).collect();
    if text.chars().count() > 60 {
        out.push('…');
    }
    format!("`{out}`")
}

/// The character, unless it could move the cursor, colour the terminal or turn the direction of writing.
pub(super) fn harmless(c: char) -> char {
    let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || turns { ' ' } else { c }
}

/// A line of the file with every value hidden that is not known to be harmless.
pub(super) fn line(lines: &[&str], index: usize) -> String {
    let Some(line) = lines.get(index) else { return String::new() };
    let body = without_comment(line);
    let keys = keys_of(body);
    for (name, value_at) in &keys {
        if !schema::is_harmless(name) && !is_reference(&body[*value_at..]) {
            return format!("{} {REDACTED}", mask_words(&body[..*value_at]));
        }
    }
    let (head, value) = body.split_at(keys.last().map_or(indent_of(body), |(_, value_at)| *value_at));
    let governed = !keys.is_empty() || is_reference(value) || governed_by_harmless(lines, index);
    if value.trim().is_empty() || (governed && !looks_secret(value)) {
        return mask_words(body);
    }
    let space = &value[..indent_of(value)];
    format!("{}{space}{REDACTED}", mask_words(head))
}

/// Nothing, or a reference to a variable: `${NAME}`, without a default and with a name that is one.
fn is_reference(value: &str) -> bool {
    let bare = value.trim().trim_matches(['"', '\'']);
    let name = bare.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let named = |name: &str| name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    bare.is_empty() || name.is_some_and(|name| named(name) && !is_key_like(name))
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with('#') {
        return "";
    }
    line.find(" #").map_or(line, |at| &line[..at])
}

/// Whether the keys under which a line without one stands (by indentation, and by being the last one
/// before it) hold nothing secret.
fn governed_by_harmless(lines: &[&str], index: usize) -> bool {
    let indent = indent_of(lines[index]);
    let mut before = lines[..index].iter().rev().map(|line| without_comment(line));
    let mut nearest = None;
    let by_indent = before.find_map(|line| {
        let (name, _) = keys_of(line).pop()?;
        nearest.get_or_insert(name);
        (indent_of(line) <= indent).then_some(name)
    });
    [nearest, by_indent].into_iter().all(|name| name.is_some_and(schema::is_harmless))
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The mapping keys in a line, each with the byte offset behind its colon.
fn keys_of(line: &str) -> Vec<(&str, usize)> {
    let mut keys = Vec::new();
    for (colon, _) in line.match_indices(':') {
        let before = line[..colon].trim_end().trim_end_matches(['"', '\'']);
        let start = before.rfind(|c: char| !(c.is_alphanumeric() || "_-.".contains(c)));
        let name =
            &before[start.map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8))..];
        let after = line[colon + 1..].chars().next();
        let separates = after.is_none_or(|c| c.is_whitespace() || "\"'[{".contains(c));
        if !name.is_empty() && (separates || is_secret_name(name)) {
            keys.push((name, colon + 1));
        }
    }
    keys
}

fn mask_words(text: &str) -> String {
    text.split_inclusive(char::is_whitespace)
        .map(|word| {
            let bare = word.trim_end();
            if looks_secret(bare) { word.replace(bare, REDACTED) } else { word.to_owned() }
        })
        .collect()
}

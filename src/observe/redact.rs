//! Takes out of text what looks like a credential, and those that are known. By patterns: what no pattern knows stays, and
//! what is taken by mistake is no loss. Used for what people said, which is kept only where the operator wants it.

/// What stands where a credential was.
pub const MASK: &str = "[redacted]";

/// Beginnings of credentials as vendors issue them; the hub's own is among them.
const ISSUED: [&str; 27] = [
    "sk-",
    "sk_",
    "rk_live_",
    "tvm_",
    "gsk_",
    "csk-",
    "xai-",
    "hf_",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "nvapi-",
    "pplx-",
    "r8_",
    "fw_",
    "tgp_",
    "AIza",
    "ya29.",
    "AKIA",
    "ASIA",
    "xoxb-",
    "xoxp-",
    "npm_",
    "whsec_",
];

/// Characters that follow such a beginning, at least.
const ISSUED_REST: usize = 12;

/// A token behind `Bearer` has as many characters, at least; a word behind it in a sentence hardly ever.
const BEARER: usize = 16;

/// Ends of names, in lower case and without what people put between words, whose values are credentials. `token` alone is
/// not among them: answers call parts of words so.
const NAMES: [&str; 12] = [
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "password",
    "passwd",
    "passphrase",
    "clientsecret",
    "accesstoken",
    "refreshtoken",
    "authtoken",
    "authorization",
];

/// The most that is dropped of the end of a text that was cut, in bytes.
const LONGEST: usize = 4096;

/// The text without credentials: without `known` ones, and without what looks like one. Where the text `is_cut`, its last
/// word goes too, which may be the half of one.
#[must_use]
pub fn clean(text: &str, known: &[&str], is_cut: bool) -> String {
    let text = if is_cut { without_last_word(text) } else { text };
    let mut text = text.to_owned();
    for secret in known.iter().filter(|secret| secret.len() >= 4) {
        if text.contains(secret) {
            text = text.replace(secret, MASK);
        }
    }
    words(&without_private_keys(&without_passwords(&text)))
}

fn without_last_word(text: &str) -> &str {
    let end = text.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "_-.+/=~".contains(c));
    if text.len() - end.len() > LONGEST { text } else { end }
}

/// `://name:password@host` without the password.
fn without_passwords(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = after.find(|c: char| c.is_whitespace() || "/\"'\\<>?#`".contains(c)).unwrap_or(after.len());
        let (place, behind) = after.split_at(end);
        let user = place.rsplit_once('@').and_then(|(user, host)| Some((user.split_once(':')?, host)));
        match user {
            Some(((name, password), host)) if !password.is_empty() => {
                out.extend([name, ":", MASK, "@", host]);
            }
            _ => out.push_str(place),
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// Without the inside of PEM blocks of private keys.
fn without_private_keys(text: &str) -> String {
    const BEGIN: &str = "PRIVATE KEY-----";
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        out.extend([before, BEGIN]);
        let end = after.find("-----END").unwrap_or(after.len());
        if end > 0 {
            out.push_str(MASK);
        }
        let (_, behind) = after.split_at(end);
        // Past the end's own words, which look like a beginning.
        let past = behind.find(BEGIN).map_or(0, |at| at + BEGIN.len());
        let (end, behind) = behind.split_at(past);
        out.push_str(end);
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// Word by word: what looks issued, and what stands behind a name that says so.
fn words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_bearer = false;
    while !rest.is_empty() {
        let start = rest.find(is_part).unwrap_or(rest.len());
        let (between, behind) = rest.split_at(start);
        is_bearer &= between == " ";
        out.push_str(between);
        let end = behind.find(|c: char| !is_part(c)).unwrap_or(behind.len());
        let (word, after) = behind.split_at(end);
        rest = after;
        if is_issued(word) || (is_bearer && word.len() >= BEARER) {
            out.push_str(MASK);
        } else {
            out.push_str(word);
            if let Some((kept, behind)) = is_name(word).then(|| value(after)).flatten() {
                out.extend([kept, MASK]);
                rest = behind;
            }
        }
        is_bearer = word.eq_ignore_ascii_case("bearer");
    }
    out
}

/// What words are made of.
const fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

fn is_issued(word: &str) -> bool {
    let begins = |start: &str| word.starts_with(start) && word.len() >= start.len() + ISSUED_REST;
    // A signed token: three parts, the first of which is an object in JSON.
    let is_signed = || word.starts_with("eyJ") && word.len() >= 40 && word.matches('.').count() == 2;
    ISSUED.iter().any(|start| begins(start)) || is_signed()
}

fn is_name(word: &str) -> bool {
    if word.len() > 64 {
        return false;
    }
    let plain: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    NAMES.iter().any(|end| plain.ends_with(end))
}

/// What stands between a name and its value, and what follows the value: `": "` and `"}` of `": "x"}`. `None` where what
/// follows is no value.
fn value(after: &str) -> Option<(&str, &str)> {
    let sign = after.trim_start_matches(['\\', '"', '\'', ' ']);
    let behind = sign.strip_prefix([':', '='])?.trim_start_matches(' ');
    let opened = behind.trim_start_matches('\\');
    let escapes = behind.len() - opened.len();
    let (start, end) = match opened.chars().next()? {
        quote @ ('"' | '\'') => {
            let inside = opened.get(1..)?;
            (inside, closing(inside, quote, escapes))
        }
        c if is_part(c) => {
            // `Basic dXNlcg==` is one value.
            let kind =
                ["Bearer ", "Basic ", "bearer ", "basic "].iter().find(|kind| opened.starts_with(**kind));
            let skip = kind.map_or(0, |kind| kind.len());
            let ends = |c: char| c.is_whitespace() || ",;&\"'\\}])<`".contains(c);
            (opened, skip + opened.get(skip..)?.find(ends).unwrap_or(opened.len() - skip))
        }
        _ => return None,
    };
    if end == 0 || matches!(start.get(..end)?, "null" | "true" | "false" | "None" | MASK) {
        return None;
    }
    Some((after.get(..after.len() - start.len())?, start.get(end..)?))
}

/// Where a quoted value ends, whose quotes stand behind so many backslashes.
fn closing(inside: &str, quote: char, escapes: usize) -> usize {
    let mut run = 0;
    for (at, c) in inside.char_indices() {
        match c {
            '\\' => run += 1,
            c if c == quote && run <= escapes => return at - run,
            _ => run = 0,
        }
    }
    inside.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(text: &str) -> String {
        clean(text, &[], false)
    }

    #[test]
    fn what_looks_issued_goes() {
        for word in [
            "sk-proj-0123456789abcdef",
            "tvm_0123456789abcdefgh",
            "AKIAIOSFODNN7EXAMPLE",
            "ghp_abcdefghijklmnopqrst",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc-_123",
        ] {
            assert_eq!(cleaned(&format!("use \"{word}\", please")), "use \"[redacted]\", please", "{word}");
            assert_eq!(cleaned(&format!("a={word}&b=1")), "a=[redacted]&b=1", "{word}");
        }
        for word in ["sk-short", "task-oriented-programming", "eyJ", "hf_x", "sketch"] {
            assert_eq!(cleaned(word), word);
        }
    }

    #[test]
    fn what_a_name_calls_secret_goes_and_its_form_stays() {
        for (text, expected) in [
            (r#"{"password": "p@ss \"w\" d!", "a": 1}"#, r#"{"password": "[redacted]", "a": 1}"#),
            (
                r#"{"text":"{\"api_key\": \"x y\", \"b\": 2}"}"#,
                r#"{"text":"{\"api_key\": \"[redacted]\", \"b\": 2}"}"#,
            ),
            ("OPENAI_API_KEY=abc,d", "OPENAI_API_KEY=[redacted],d"),
            ("Authorization: Basic dXNlcjpwYXNz\nHost: x", "Authorization: [redacted]\nHost: x"),
            ("send Bearer abcdefghijklmnopqrst now", "send Bearer [redacted] now"),
            ("postgres://me:secret@host/db", "postgres://me:[redacted]@host/db"),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nrest",
                "-----BEGIN RSA PRIVATE KEY-----[redacted]-----END RSA PRIVATE KEY-----\nrest",
            ),
            ("-----BEGIN PRIVATE KEY-----\nMIIE", "-----BEGIN PRIVATE KEY-----[redacted]"),
        ] {
            assert_eq!(cleaned(text), expected);
            assert_eq!(cleaned(expected), expected, "once is enough");
        }
    }

    #[test]
    fn ordinary_messages_stay() {
        for text in [
            r#"{"password": {"type": "string"}, "required": ["password"]}"#,
            r#"{"token": "Hello", "logprob": -0.1, "max_tokens": 5}"#,
            "The password is asked for. The bearer of good news: 漢字 \"quoted\" \\ back",
            r#"{"api_key": null}"#,
            "https://example.com/a@b:c?x=1 mailto:x@y.z",
            "",
            "://:@",
        ] {
            assert_eq!(cleaned(text), text);
        }
    }

    #[test]
    fn known_credentials_go_and_a_cut_word_with_them() {
        assert_eq!(clean("my-own-secret!", &["my-own-secret", "a"], false), "[redacted]!");
        assert_eq!(clean(r#"{"x": "sk-proj-01"#, &[], true), r#"{"x": ""#);
        assert_eq!(clean("die Größe ist", &[], true), "die Größe ");
    }

    proptest::proptest! {
        #[test]
        fn no_text_stops_it(text in "(\\PC|[\"'\\\\:= \n]|password|://|@|PRIVATE KEY-----|-----END){0,40}") {
            let once = clean(&text, &["abcd"], false);
            proptest::prop_assert!(once.len() <= (text.len() + 1) * MASK.len());
        }
    }
}

//! The section `proxy`: what connections are reached through, where they do not say it themselves.

use std::{collections::BTreeMap, sync::Arc};

use canon::Dialect;
use http::Uri;

use super::{
    effective::Sink,
    fields::{Fields, Written, mismatch},
    node::{Node, Value},
    origin::Origin,
    schema::{Key, Section},
};
use crate::engine::settings::{Catalogue, PrefixMatch, Proxy, ProxyScheme, Secret};

/// What a proxy can be, in words.
pub(super) const KIND: &str = "a URL with http, https or socks5, or `direct`";

const URL: Key = Key::new("url", KIND, "http://proxy.example.net:3128").secret();
const BYPASS: Key = Key::new("bypass", "a list of host names", "[llm.example.net, .corp.example.net]");
const PROVIDERS: Key =
    Key::new("providers", "a mapping of provider types to URLs", "{groq: \"socks5://127.0.0.1:1080\"}");

pub(super) static SECTION: Section = Section { name: "proxy", keys: &[URL, BYPASS, PROVIDERS] };

/// A proxy, or the word that there is none.
type Said = Option<Arc<Proxy>>;

/// What holds where a connection says nothing.
#[derive(Debug, Default)]
pub(super) struct Proxies {
    all: Said,
    bypass: Vec<String>,
    providers: BTreeMap<String, Said>,
}

pub(super) fn read(fields: &Fields<'_>, catalogue: &Catalogue, sink: &mut Sink) -> Proxies {
    let all = one(fields, &URL, sink).flatten();
    let hosts = fields.texts(sink, &BYPASS).unwrap_or_default();
    let bypass: Vec<String> = hosts.into_iter().map(|host| host.value.to_ascii_lowercase()).collect();
    let origin = fields.node(&BYPASS).map_or(Origin::Default, |node| node.origin.clone());
    sink.holds(fields.path_of(&BYPASS), &BYPASS, format!("[{}]", bypass.join(", ")), origin);
    let providers = of_providers(fields, catalogue, sink);
    let names: Vec<&str> = providers.keys().map(String::as_str).collect();
    let origin = fields.node(&PROVIDERS).map_or(Origin::Default, |node| node.origin.clone());
    // Without the URLs, which may hold passwords.
    sink.holds(fields.path_of(&PROVIDERS), &PROVIDERS, format!("{{{}}}", names.join(", ")), origin);
    Proxies { all, bypass, providers }
}

/// What one key says; `None`: nothing.
pub(super) fn one(fields: &Fields<'_>, key: &Key, sink: &mut Sink) -> Option<Said> {
    let path = fields.path_of(key);
    let Some(Written { value, origin }) = fields.text(sink, key).filter(|text| !text.value.trim().is_empty())
    else {
        sink.holds_not(path, Origin::Default);
        return None;
    };
    let said = checked(&path, &value, &origin, sink);
    sink.holds(path, key, "", origin);
    said
}

fn checked(path: &str, text: &str, origin: &Origin, sink: &mut Sink) -> Option<Said> {
    match parse(text.trim()) {
        Ok(said) => Some(said),
        Err(why) => {
            let remedy =
                "write for example `http://proxy.example.net:3128`, `socks5://127.0.0.1:1080`, or `direct`";
            sink.problems.error(path, origin, why, remedy);
            None
        }
    }
}

fn of_providers(fields: &Fields<'_>, catalogue: &Catalogue, sink: &mut Sink) -> BTreeMap<String, Said> {
    let mut providers = BTreeMap::new();
    let Some(node) = fields.node(&PROVIDERS) else { return providers };
    let Value::Map(map) = &node.value else {
        mismatch(sink, &fields.path_of(&PROVIDERS), &PROVIDERS, node);
        return providers;
    };
    for (key, value) in &map.entries {
        let path = format!("{}.{}", fields.path_of(&PROVIDERS), key.name);
        let Some(PrefixMatch::Provider(provider)) = catalogue.by_prefix(&key.name) else {
            let remedy = match catalogue.nearest(&key.name) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "docs/providers.md lists the types".to_owned(),
            };
            sink.problems.error(&path, &key.origin, "there is no provider of this type", remedy);
            continue;
        };
        if let Some(said) =
            text_of(value, &path, sink).and_then(|text| checked(&path, text, &value.origin, sink))
        {
            providers.insert(provider.id.clone(), said);
        }
    }
    providers
}

fn text_of<'a>(node: &'a Node, path: &str, sink: &mut Sink) -> Option<&'a str> {
    match &node.value {
        Value::Scalar(scalar) if scalar.missing.is_empty() => Some(&scalar.text),
        Value::Scalar(scalar) => {
            let message = format!("the environment variable {} is not set", scalar.missing.join(", "));
            sink.problems.error(path, &node.origin, message, "set it where the hub is started");
            None
        }
        _ => {
            mismatch(sink, path, &PROVIDERS, node);
            None
        }
    }
}

impl Proxies {
    /// What a connection is reached through: its own word, its provider's, or what holds for all. `local` ones, and those
    /// on the list of exceptions, need a word of their own.
    pub(super) fn of(
        &self,
        own: Option<Said>,
        provider: &str,
        urls: &BTreeMap<Dialect, String>,
        local: bool,
    ) -> Said {
        if let Some(own) = own {
            return own;
        }
        let shared = self.providers.get(provider).unwrap_or(&self.all).as_ref()?;
        let excepted = local || urls.values().all(|url| self.bypasses(url));
        (!excepted).then(|| Arc::clone(shared))
    }

    fn bypasses(&self, url: &str) -> bool {
        let Ok(uri) = url.parse::<Uri>() else { return false };
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_ascii_lowercase();
        self.bypass.iter().any(|entry| {
            let end = entry.trim_start_matches('*').trim_start_matches('.');
            host == end || host.strip_suffix(end).is_some_and(|rest| rest.ends_with('.') && !end.is_empty())
        })
    }
}

/// Reads a proxy's URL. The words of a refusal do not name it, since it may hold a password.
fn parse(text: &str) -> Result<Said, &'static str> {
    if text.eq_ignore_ascii_case("direct") {
        return Ok(None);
    }
    let (scheme, rest) = text.split_once("://").ok_or("this is not the URL of a proxy")?;
    let (scheme, usual) = match scheme.to_ascii_lowercase().as_str() {
        "http" => (ProxyScheme::Http, 80),
        "https" => (ProxyScheme::Https, 443),
        // With the `h` others say that the proxy resolves names, as it always does here.
        "socks5" | "socks5h" => (ProxyScheme::Socks5, 1080),
        _ => return Err("proxies are reached by http, https or socks5"),
    };
    let rest = rest.trim_end_matches('/');
    let (login, place) = match rest.rsplit_once('@') {
        Some((login, place)) => (Some(login), place),
        None => (None, rest),
    };
    let authority: http::uri::Authority = place.parse().map_err(|_| "the proxy's URL has no usable host")?;
    let host = authority.host().trim_matches(['[', ']']);
    let has_port = place.len() > authority.host().len();
    if host.is_empty() || (has_port && authority.port_u16().is_none()) {
        return Err("the proxy's URL has no usable host and port");
    }
    let login = login.map(|login| {
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        Some((decoded(user)?, Secret::new(decoded(password)?)))
    });
    let login = match login {
        None => None,
        Some(login) => Some(login.ok_or("the user or the password in the proxy's URL is not well encoded")?),
    };
    let port = authority.port_u16().unwrap_or(usual);
    Ok(Some(Arc::new(Proxy { scheme, host: host.to_owned(), port, login })))
}

/// Text with `%41` in place of what a URL cannot hold; `None` where that is broken.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    String::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn urls_of_proxies_are_read() {
        let read = |text: &str| {
            let proxy = parse(text).unwrap().unwrap();
            let login = proxy.login.as_ref().map(|(user, password)| format!("{user}:{}", password.expose()));
            (proxy.scheme, proxy.host.clone(), proxy.port, login)
        };
        let host = |text: &str| text.to_owned();
        assert_eq!(read("http://p.example:3128/"), (ProxyScheme::Http, host("p.example"), 3128, None));
        assert_eq!(read("https://p.example"), (ProxyScheme::Https, host("p.example"), 443, None));
        let login = Some("me@x:p:w/".to_owned());
        assert_eq!(read("socks5h://me%40x:p:w%2F@[::1]"), (ProxyScheme::Socks5, host("::1"), 1080, login));
        assert_eq!(parse("DIRECT"), Ok(None));
        for bad in ["p:3128", "ftp://p", "http://", "http://p:99999", "http://u%4@p", "http://a b"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_nearest_word_holds() {
        let proxy = |host: &str| parse(&format!("http://{host}")).unwrap();
        let bypass = [".corp.example", "one.example"].map(str::to_owned).to_vec();
        let providers = BTreeMap::from([("groq".to_owned(), proxy("two")), ("glm".to_owned(), None)]);
        let proxies = Proxies { all: proxy("three"), bypass, providers };
        let of = |own, provider: &str, url: &str, local| {
            let urls = BTreeMap::from([(Dialect::Chat, url.to_owned())]);
            proxies.of(own, provider, &urls, local).map(|proxy| proxy.host.clone())
        };
        let away = "https://api.example/v1";
        for (own, provider, url, local, wanted) in [
            (Some(proxy("own")), "groq", away, false, Some("own")),
            (Some(None), "groq", away, false, None),
            (None, "groq", away, false, Some("two")),
            (None, "glm", away, false, None),
            (None, "openai", away, false, Some("three")),
            (None, "openai", "http://localhost:1/v1", true, None),
            (Some(proxy("own")), "openai", "http://localhost:1/v1", true, Some("own")),
            (None, "openai", "https://a.corp.example/v1", false, None),
            (None, "groq", "https://one.example/v1", false, None),
            (None, "openai", "https://stone.example/v1", false, Some("three")),
        ] {
            assert_eq!(of(own, provider, url, local).as_deref(), wanted, "{provider} {url}");
        }
    }
}

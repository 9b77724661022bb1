//! Where else a provider's list of models may be: guesses from how base URLs are usually got wrong. Nothing is asked here, and
//! no guess leads to another host than the one that the operator wrote, since the key goes along.

use std::net::IpAddr;

use canon::Dialect;
use url::{Host, Url};

use crate::{
    engine::settings::{AuthStyle, Connection},
    ops::ports::Way,
};

/// Ends of names that only a private network resolves.
const PRIVATE_ENDS: [&str; 5] = [".localhost", ".local", ".internal", ".lan", ".home.arpa"];

/// What versions of APIs are called in paths.
const VERSIONS: [&str; 3] = ["/v1", "/v1beta", "/v2"];

/// Whether the operator wrote the base URL, rather than the catalogue.
pub(super) fn is_written(connection: &Connection) -> bool {
    let provider = &connection.provider;
    let known = |url: &String| provider.endpoints.values().any(|known| known == url);
    // A URL with variables filled in differs from the row, and is the row's all the same.
    provider.needs_base_url() || (provider.variables.is_empty() && !connection.endpoints.values().all(known))
}

/// Other base URLs at the same place: with a version where there is none, without it, or once where it stands twice.
pub(super) fn other_paths(way: &Way) -> Vec<Way> {
    let base = way.base.trim_end_matches('/');
    let version = match way.dialect {
        Dialect::Gemini => "/v1beta",
        _ => "/v1",
    };
    let written = VERSIONS.into_iter().find(|version| base.ends_with(version));
    let bases = match written.map(|written| (written, base.strip_suffix(written).unwrap_or(base))) {
        Some((_, rest)) if VERSIONS.iter().any(|version| rest.ends_with(version)) => vec![rest.to_owned()],
        Some((written, rest)) if written == version => vec![rest.to_owned()],
        Some((_, rest)) => vec![format!("{rest}{version}"), rest.to_owned()],
        None => vec![format!("{base}{version}")],
    };
    bases.into_iter().map(|base| Way { base, ..way.clone() }).collect()
}

/// The same encrypted, where it is not and goes over the internet.
pub(super) fn encrypted(way: &Way) -> Option<Way> {
    let url = Url::parse(&way.base).ok().filter(|url| url.scheme() == "http" && !is_private(url))?;
    // A port of its own is one for unencrypted requests.
    url.port().is_none().then_some(())?;
    Some(Way { base: format!("https{}", way.base.strip_prefix("http")?), ..way.clone() })
}

/// Other ways of the key in the same dialect, and other dialects with theirs.
pub(super) fn other_manners(way: &Way, has_key: bool) -> Vec<Way> {
    let manners = [
        (Dialect::Chat, AuthStyle::Bearer),
        (Dialect::Messages, AuthStyle::Header("x-api-key".to_owned())),
        (Dialect::Gemini, AuthStyle::Header("x-goog-api-key".to_owned())),
    ];
    let dialect = match way.dialect {
        Dialect::Responses => Dialect::Chat,
        other => other,
    };
    let mut ways = Vec::new();
    if has_key && !is_bearer(&way.auth) {
        ways.push(Way { auth: AuthStyle::Bearer, ..way.clone() });
    } else if has_key {
        ways.push(Way { auth: AuthStyle::Header("x-api-key".to_owned()), ..way.clone() });
    }
    for (other, auth) in manners.into_iter().filter(|(other, _)| *other != dialect) {
        let base = match (other, way.base.strip_suffix("/v1")) {
            (Dialect::Gemini, Some(rest)) => format!("{rest}/v1beta"),
            _ => way.base.clone(),
        };
        ways.push(Way { dialect: other, base, auth });
    }
    ways
}

/// Whether a key travels as a bearer's.
pub(super) const fn is_bearer(auth: &AuthStyle) -> bool {
    matches!(auth, AuthStyle::Bearer | AuthStyle::OptionalBearer)
}

/// The base URL that an answer names for a list of models, as far as it can be one.
pub(super) fn moved(way: &Way, location: &str) -> Option<String> {
    let here = Url::parse(&format!("{}/models", way.base)).ok()?;
    let mut there = here.join(location).ok()?;
    let plain = there.username().is_empty() && there.password().is_none() && there.has_host();
    // Nobody is led from an encrypted place to one that is not.
    let safe = there.scheme() == "https" || (there.scheme() == "http" && here.scheme() == "http");
    (plain && safe).then_some(())?;
    there.set_query(None);
    there.set_fragment(None);
    let base = there.as_str().trim_end_matches('/').strip_suffix("/models")?.to_owned();
    (base != way.base && !base.contains('@')).then_some(base)
}

/// The host and port of a URL, for which looks take turns.
pub(super) fn host(base: &str) -> String {
    let url = Url::parse(base).ok();
    let host = url.as_ref().and_then(|url| Some((url.host_str()?, url.port_or_known_default()?)));
    host.map_or_else(|| base.to_owned(), |(host, port)| format!("{host}:{port}"))
}

/// Whether a URL leads to this machine or a private network.
pub(super) fn is_inside(base: &str) -> bool {
    Url::parse(base).is_ok_and(|url| is_private(&url))
}

/// This machine, a private network, or a name that only a private network resolves.
fn is_private(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => !name.contains('.') || PRIVATE_ENDS.iter().any(|end| name.ends_with(end)),
        Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Some(Host::Ipv6(ip)) => {
            ip.is_unique_local() || ip.is_unicast_link_local() || IpAddr::from(ip).is_loopback()
        }
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(dialect: Dialect, base: &str, auth: AuthStyle) -> Way {
        Way { dialect, base: base.to_owned(), auth }
    }

    #[test]
    fn versions_are_added_taken_away_and_not_doubled() {
        for (dialect, base, others) in [
            (Dialect::Chat, "https://a.example", vec!["https://a.example/v1"]),
            (Dialect::Chat, "https://a.example/v1", vec!["https://a.example"]),
            (Dialect::Chat, "https://a.example/v1/v1", vec!["https://a.example/v1"]),
            (Dialect::Gemini, "https://a.example", vec!["https://a.example/v1beta"]),
            (Dialect::Gemini, "https://a.example/v1", vec!["https://a.example/v1beta", "https://a.example"]),
            (Dialect::Messages, "https://a.example/x/", vec!["https://a.example/x/v1"]),
        ] {
            let found = other_paths(&way(dialect, base, AuthStyle::Bearer));
            assert_eq!(found.iter().map(|one| one.base.as_str()).collect::<Vec<_>>(), others, "{base}");
        }
    }

    #[test]
    fn only_what_goes_over_the_internet_is_to_be_encrypted() {
        let of = |base| encrypted(&way(Dialect::Chat, base, AuthStyle::Bearer)).map(|one| one.base);
        assert_eq!(of("http://api.example/v1").as_deref(), Some("https://api.example/v1"));
        for base in [
            "https://api.example/v1",
            "http://api.example:8080/v1",
            "http://localhost:11434/v1",
            "http://box.lan/v1",
            "http://10.0.0.7/v1",
            "http://[::1]/v1",
            "http://ollama/v1",
        ] {
            assert_eq!(of(base), None, "{base}");
        }
    }

    #[test]
    fn where_an_answer_leads_is_believed_within_bounds() {
        let of = |base: &str, location: &str| moved(&way(Dialect::Chat, base, AuthStyle::Bearer), location);
        let here = "https://a.example/v1";
        assert_eq!(of(here, "/v2/models").as_deref(), Some("https://a.example/v2"));
        assert_eq!(of(here, "https://b.example/models?x=1#y").as_deref(), Some("https://b.example"));
        assert_eq!(
            of("http://a.example/v1", "https://a.example/v1/models/").as_deref(),
            Some("https://a.example/v1")
        );
        for location in [
            "http://a.example/v1/models",
            "https://u:p@b.example/models",
            "https://b.example/login",
            "/v1/models",
            "ftp://b.example/models",
            "",
        ] {
            assert_eq!(of(here, location), None, "{location}");
        }
    }

    #[test]
    fn other_manners_stay_at_the_host() {
        let usual = way(Dialect::Chat, "https://a.example/v1", AuthStyle::OptionalBearer);
        let found = other_manners(&usual, true);
        assert!(found.iter().all(|one| host(&one.base) == "a.example:443"));
        let told: Vec<_> = found.iter().map(|one| (one.dialect, one.base.as_str())).collect();
        let base = "https://a.example/v1";
        let wanted =
            [(Dialect::Chat, base), (Dialect::Messages, base), (Dialect::Gemini, "https://a.example/v1beta")];
        assert_eq!(told, wanted);
        assert_eq!(other_manners(&usual, false).len(), 2, "without a key there is no way of it");
    }
}

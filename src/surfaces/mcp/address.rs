//! Addresses of resources: `trivium://combos/my%20combo?cursor=x`.

const SCHEME: &str = "trivium://";

/// An address, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// What it is one of: `combos`.
    pub(super) noun: String,
    /// Which one, decoded.
    pub(super) which: Option<String>,
    query: Vec<(String, String)>,
}

impl Address {
    /// `None`: it is none of the hub's.
    pub(super) fn read(uri: &str) -> Option<Self> {
        let rest = uri.strip_prefix(SCHEME)?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (noun, which) = match path.split_once('/') {
            Some((noun, which)) => (noun, Some(decoded(which)).filter(|which| !which.is_empty())),
            None => (path, None),
        };
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Some(Self { noun: noun.to_owned(), which, query })
    }

    /// What the query says of `name`.
    pub(super) fn said(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The address of a noun, or of one of them.
pub(super) fn written(noun: &str, which: Option<&str>) -> String {
    match which {
        Some(which) => format!("{SCHEME}{noun}/{}", encoded(which)),
        None => format!("{SCHEME}{noun}"),
    }
}

fn encoded(name: &str) -> String {
    let encoded: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
    // Forms write a space as a plus.
    encoded.replace('+', "%20")
}

fn decoded(name: &str) -> String {
    let pair = format!("={}", name.replace('+', "%2B").replace('&', "%26"));
    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, name)| name.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn names_come_back_as_they_were() {
        for name in ["fast", "team/fast", "a b", "a+b&c=d", "ü?#%", "100%"] {
            let uri = written("combos", Some(name));
            assert!(!uri.contains(' '), "{uri}");
            let address = Address::read(&uri).unwrap();
            assert_eq!((address.noun.as_str(), address.which.as_deref()), ("combos", Some(name)), "{uri}");
        }
        // As clients write them that encode less.
        let address = Address::read("trivium://combos/team/fast?cursor=a%20b").unwrap();
        assert_eq!((address.which.as_deref(), address.said("cursor")), (Some("team/fast"), Some("a b")));
    }

    #[test]
    fn others_are_not_read() {
        for uri in ["", "file:///etc/passwd", "trivium:health", "http://hub/health"] {
            assert_eq!(Address::read(uri), None, "{uri}");
        }
        assert_eq!(Address::read("trivium://health/").unwrap().which, None);
    }
}

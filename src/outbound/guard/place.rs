//! Where a URL leads to, read strictly: what two readers could understand in two ways is refused.

use std::net::IpAddr;

use url::{Host, Position, Url};

use super::FetchError;

/// The longest URL that is read, in bytes.
const LONGEST: usize = 8 * 1024;

/// The longest host name that DNS has.
const LONGEST_NAME: usize = 253;

/// A URL whose every part has been looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    url: Url,
    host: Where,
    /// The port, named or the scheme's own.
    pub(super) port: u16,
}

/// The host of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Where {
    /// A name that must be resolved; lower case, without a dot behind it.
    Name(String),
    /// An address that is written in the URL.
    Address(IpAddr),
}

impl Place {
    /// Reads an absolute URL.
    pub(super) fn parse(text: &str) -> Result<Self, FetchError> {
        plain(text)?;
        let (scheme, rest) = text.split_once(':').ok_or(FetchError::Malformed)?;
        if !(scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")) {
            return Err(FetchError::Scheme);
        }
        // A browser forgives a missing or a third slash, and two readers may disagree about what then is the host.
        let rest = rest.strip_prefix("//").ok_or(FetchError::Malformed)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.is_empty() {
            return Err(FetchError::Malformed);
        }
        if authority.contains('@') {
            return Err(FetchError::UserInfo);
        }
        // With scheme and slashes in order, what else is wrong is the host or the port.
        let place = Self::of(Url::parse(text).map_err(|_| FetchError::Host)?)?;
        match &place.host {
            // `127.1`, `0177.0.0.1`, `0x7f000001`, `2130706433` and digits of other scripts are not as they should be.
            Where::Address(IpAddr::V4(address)) => {
                let written = authority.split(':').next().unwrap_or_default();
                if written == address.to_string() { Ok(place) } else { Err(FetchError::Host) }
            }
            _ => Ok(place),
        }
    }

    fn of(mut url: Url) -> Result<Self, FetchError> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FetchError::UserInfo);
        }
        let host = match url.host().ok_or(FetchError::Host)? {
            Host::Ipv4(address) => Where::Address(address.into()),
            Host::Ipv6(address) => Where::Address(address.into()),
            Host::Domain(name) => Where::Name(host_name(name)?),
        };
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or(FetchError::Malformed)?;
        url.set_fragment(None);
        Ok(Self { url, host, port })
    }

    /// Where a redirect leads to from here. Its target is read as strictly as the first URL.
    pub(super) fn redirected(&self, location: &[u8]) -> Result<Self, FetchError> {
        let location = std::str::from_utf8(location).map_err(|_| FetchError::Malformed)?;
        plain(location)?;
        if location.starts_with("//") {
            return Self::parse(&format!("{}:{location}", self.url.scheme()));
        }
        match Url::parse(location) {
            Err(url::ParseError::RelativeUrlWithoutBase) => {
                Self::of(self.url.join(location).map_err(|_| FetchError::Malformed)?)
            }
            _ => Self::parse(location),
        }
    }

    pub(super) const fn host(&self) -> &Where {
        &self.host
    }

    /// Scheme, host and port, for the TLS handshake.
    pub(super) fn origin(&self) -> &str {
        &self.url[..Position::BeforePath]
    }

    /// Host and, unless it is the scheme's own, port: the `Host` field.
    pub(super) fn authority(&self) -> &str {
        &self.url[Position::BeforeHost..Position::BeforePath]
    }

    /// Path and query, for the request line.
    pub(super) fn path(&self) -> &str {
        &self.url[Position::BeforePath..Position::AfterQuery]
    }
}

/// Control characters and outer spaces are dropped by URL readers, and a backslash is a slash to some of them.
fn plain(text: &str) -> Result<(), FetchError> {
    let odd = |letter: char| letter.is_control() || letter == '\\';
    if text.is_empty() || text.len() > LONGEST || text.trim() != text || text.contains(odd) {
        return Err(FetchError::Malformed);
    }
    Ok(())
}

fn host_name(name: &str) -> Result<String, FetchError> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let label = |label: &str| !label.is_empty() && label.len() <= 63 && label.bytes().all(letter);
    if name.len() > LONGEST_NAME || !name.split('.').all(label) {
        return Err(FetchError::Host);
    }
    Ok(name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use super::*;

    fn refused(text: &str) -> FetchError {
        Place::parse(text).map(|place| place.url.to_string()).unwrap_err()
    }

    #[test]
    fn plain_urls_are_read() {
        let place = Place::parse("HTTPS://Example.com:8443/a b/ü.png?x=1&y=ä#frag").unwrap();
        assert_eq!(place.host, Where::Name("example.com".into()));
        assert_eq!(place.port, 8443);
        assert_eq!(place.origin(), "https://example.com:8443");
        assert_eq!(place.authority(), "example.com:8443");
        assert_eq!(place.path(), "/a%20b/%C3%BC.png?x=1&y=%C3%A4");
        assert_eq!(Place::parse("http://bücher.example").unwrap().authority(), "xn--bcher-kva.example");
        assert_eq!(Place::parse("http://example.com.").unwrap().host, Where::Name("example.com".into()));
        assert_eq!(
            Place::parse("http://8.8.8.8:80/").unwrap().host,
            Where::Address("8.8.8.8".parse().unwrap())
        );
        let v6 = Place::parse("https://[2606:4700::1111]/x").unwrap();
        assert_eq!((v6.host.clone(), v6.port), (Where::Address("2606:4700::1111".parse().unwrap()), 443));
        assert_eq!(v6.authority(), "[2606:4700::1111]");
        assert_eq!(Place::parse("https://example.com?q").unwrap().path(), "/?q");
    }

    #[test]
    fn other_schemes_are_refused() {
        for text in [
            "ftp://example.com/",
            "file:///etc/passwd",
            "gopher://x:70/_",
            "data:,x",
            "javascript:0",
            "blob:x",
        ] {
            assert_eq!(refused(text), FetchError::Scheme, "{text}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        let odd =
            ["http:example.com", "http:/example.com", "http:///example.com", "http://", "", "example.com"];
        for text in odd.into_iter().chain([
            "http://exa\tmple.com",
            " http://example.com",
            "http://a\\b/",
            "http:\\\\a/",
        ]) {
            assert_eq!(refused(text), FetchError::Malformed, "{text:?}");
        }
        assert_eq!(refused(&format!("http://example.com/{}", "a".repeat(LONGEST))), FetchError::Malformed);
        assert_eq!(refused("http://example.com:0/"), FetchError::Malformed);
    }

    #[test]
    fn user_info_is_refused() {
        for text in
            ["http://user:pw@example.com/", "http://user@example.com", "http://@example.com", "http://a@b@c/"]
        {
            assert_eq!(refused(text), FetchError::UserInfo, "{text}");
        }
        assert!(Place::parse("http://example.com/@user?a@b").is_ok());
    }

    #[test]
    fn addresses_in_odd_spellings_are_refused() {
        let odd = [
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.1",
            "127.0.1",
            "0x7f.1",
            "0x7f.0.0.0x1",
            "017700000001",
        ];
        let more = [
            "127.0.0.1.",
            "%31%32%37.0.0.1",
            "１２７.０.０.１",
            "①②⑦.0.0.1",
            "127。0。0。1",
            "127.0.0.01",
            "8.8.2056",
        ];
        let never = ["256.1.1.1", "1.2.3.4.5", "0xffffffffff", "08.8.8.8", "1.2.3.999", "example.1"];
        let bad_v6 = ["[::1", "[fe80::1%25eth0]", "[::ffff:1.2.3]", "::1", "[v1.x]"];
        for host in odd.into_iter().chain(more).chain(never).chain(bad_v6) {
            assert_eq!(refused(&format!("http://{host}/")), FetchError::Host, "{host}");
        }
    }

    #[test]
    fn names_that_are_none_are_refused() {
        let long = format!("{}.example", "a".repeat(64));
        for host in ["a$b", "a..b", ".a", "a,b", "*.a", "a~b", "a!b", "a(b)", "a;b", "exa mple", "%00", &long]
        {
            assert_eq!(refused(&format!("http://{host}/")), FetchError::Host, "{host}");
        }
    }

    #[test]
    fn redirects_are_read_as_strictly() {
        let here = Place::parse("https://example.com/a/b?c").unwrap();
        let to = |location: &str| here.redirected(location.as_bytes()).map(|place| place.url.to_string());
        assert_eq!(to("d").unwrap(), "https://example.com/a/d");
        assert_eq!(to("/d#e").unwrap(), "https://example.com/d");
        assert_eq!(to("?x").unwrap(), "https://example.com/a/b?x");
        assert_eq!(to("//other.example/d").unwrap(), "https://other.example/d");
        assert_eq!(to("http://other.example").unwrap(), "http://other.example/");
        assert_eq!(to("//2130706433/"), Err(FetchError::Host));
        assert_eq!(to("http://0x7f.1/"), Err(FetchError::Host));
        assert_eq!(to("http:other.example"), Err(FetchError::Malformed));
        assert_eq!(to("/\\other.example"), Err(FetchError::Malformed));
        assert_eq!(to("//u@other.example"), Err(FetchError::UserInfo));
        assert_eq!(to("file:///etc/passwd"), Err(FetchError::Scheme));
        assert_eq!(to(""), Err(FetchError::Malformed));
        assert!(here.redirected(b"\xff").is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics_the_reader_and_no_number_is_a_host(text in "\\PC{0,60}", number: u32) {
            let _read = Place::parse(&text);
            let _read = Place::parse(&format!("http://{text}"));
            let _read = Place::parse("https://example.com/a").unwrap().redirected(text.as_bytes());
            let [a, b, c, d] = number.to_be_bytes();
            let spellings = [
                format!("{number}"),
                format!("{number:#x}"),
                format!("0{number:o}"),
                format!("{a}.{}", number & 0xff_ffff),
                format!("{a}.{b}.{}", number & 0xffff),
                format!("{a:#x}.{b}.{c}.{d}"),
                format!("{a}.{b}.{c}.0{d:o}"),
            ];
            for host in spellings {
                proptest::prop_assert_eq!(refused(&format!("http://{host}/")), FetchError::Host);
            }
            let plain = Place::parse(&format!("http://{a}.{b}.{c}.{d}/")).unwrap();
            proptest::prop_assert_eq!(plain.host, Where::Address(std::net::Ipv4Addr::from(number).into()));
        }
    }
}

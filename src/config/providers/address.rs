//! A base URL as users write it: brought into one form, or refused with a reason.

use std::net::IpAddr;

use http::Uri;

/// A URL that can be used, and what was noticed on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// Without a trailing slash and without the dialect's own path.
    pub(super) url: String,
    /// The dialect's own path, if it was written; it was left off.
    pub(super) trimmed: Option<&'static str>,
    /// There is no path at all, where most servers have `/v1`.
    pub(super) bare: bool,
    /// Whether it goes over the network unencrypted.
    pub(super) plain: bool,
    /// Whether the host is this machine or one on a private network.
    pub(super) local: bool,
}

/// Paths that belong to a dialect and not to a base URL.
const DIALECT_PATHS: [&str; 5] = ["/chat/completions", "/completions", "/responses", "/messages", "/models"];

/// What is wrong, and what to do.
pub(super) type Refusal = (&'static str, &'static str);

/// Reads a URL.
///
/// # Errors
/// Why it cannot be used. The words do not name the URL, since it may hold a password.
pub(super) fn read(text: &str) -> Result<Address, Refusal> {
    const MALFORMED: Refusal = ("this is not a URL", "write it like `https://api.example.com/v1`");
    let text = text.trim();
    let (scheme, rest) = text.split_once("://").ok_or((
        "the URL does not start with `http://` or `https://`",
        "write it in full, such as `http://localhost:11434/v1`",
    ))?;
    let plain = match scheme.to_ascii_lowercase().as_str() {
        "http" => true,
        "https" => false,
        _ => {
            return Err((
                "the URL is neither http nor https",
                "write `https://…`, or `http://…` for a local server",
            ));
        }
    };
    if rest.contains('@') {
        return Err(("the URL has a user or a password in it", "put the credential into `api_key`"));
    }
    if rest.contains(['?', '#']) {
        return Err(("the URL has a query or a fragment", "leave off everything from the `?` or `#` on"));
    }
    let uri: Uri = text.parse().map_err(|_| MALFORMED)?;
    let host = uri.host().filter(|host| !host.is_empty()).ok_or(MALFORMED)?;
    let whole = text.trim_end_matches('/');
    let trimmed = DIALECT_PATHS.into_iter().find(|path| whole.ends_with(path));
    let url = whole.strip_suffix(trimmed.unwrap_or_default()).unwrap_or(whole).trim_end_matches('/');
    let bare = url.split_once("://").is_none_or(|(_, rest)| !rest.contains('/'));
    Ok(Address { url: url.to_owned(), trimmed, bare, plain, local: is_local(host) })
}

/// Whether a URL leads to this machine or a private network.
pub(super) fn is_local_url(url: &str) -> bool {
    read(url).is_ok_and(|address| address.local)
}

/// This machine, a private network, or a name that only a private network resolves.
pub(in crate::config) fn is_local(host: &str) -> bool {
    const PRIVATE_ENDS: [&str; 5] = [".localhost", ".local", ".internal", ".lan", ".home.arpa"];
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    match bare.parse() {
        Ok(IpAddr::V4(v4)) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        Ok(IpAddr::V6(v6)) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
        Err(_) => !bare.contains('.') || PRIVATE_ENDS.iter().any(|end| bare.ends_with(end)),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn urls_are_brought_into_one_form() {
        let url = |text| read(text).map(|address| (address.url, address.trimmed));
        assert_eq!(url("https://a.example/v1/"), Ok(("https://a.example/v1".to_owned(), None)));
        let trimmed = Some("/chat/completions");
        assert_eq!(
            url("https://a.example/v1/chat/completions/"),
            Ok(("https://a.example/v1".to_owned(), trimmed))
        );
        assert!(read("http://a.example").unwrap().bare);
        assert!(!read("http://a.example/v1").unwrap().bare);
        for bad in
            ["a.example/v1", "ftp://a/", "http://", "https://u:p@a/", "https://a/?k=1", "http://a b/", ""]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn local_hosts_are_known() {
        for local in
            ["localhost", "127.0.0.1", "192.168.1.2", "[::1]", "ollama", "host.docker.internal", "[fd00::1]"]
        {
            assert!(is_local_url(&format!("http://{local}:1/v1")), "{local}");
        }
        for public in ["api.groq.com", "8.8.8.8", "[2001:db8::1]"] {
            assert!(!is_local_url(&format!("http://{public}/v1")), "{public}");
        }
    }
}

//! The two versions, the headers that speak of them, and which version a call is in.

use crate::failure::{Code, Failure};
use crate::operation::Operation;

/// A version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// 0.3.
    V03,
    /// 1.0.
    V1,
}

/// The header, or the query parameter, by which a client says its version.
pub const VERSION_HEADER: &str = "A2A-Version";
/// The header by which a client of 1.0 lists the extensions that it wants, and an agent those in use.
pub const EXTENSIONS_HEADER: &str = "A2A-Extensions";
/// The same in 0.3.
pub const EXTENSIONS_HEADER_V03: &str = "X-A2A-Extensions";
/// The header that carries a webhook's token in 0.3.
pub const TOKEN_HEADER_V03: &str = "X-A2A-Notification-Token";

impl Version {
    /// All that are served, newest first.
    pub const ALL: [Self; 2] = [Self::V1, Self::V03];

    /// Major and minor, as the header and the cards write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V03 => "0.3",
            Self::V1 => "1.0",
        }
    }

    /// The version that a header means. None and an empty one mean 0.3; a patch number does not count.
    ///
    /// # Errors
    ///
    /// Another version, or none at all: `VersionNotSupported`.
    pub fn of_header(header: Option<&str>) -> Result<Self, Failure> {
        let said = header.unwrap_or_default().trim();
        let mut parts = said.splitn(3, '.');
        let (major, minor, patch) = (parts.next(), parts.next(), parts.next());
        let is_number = |it: &str| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit());
        match (major, minor) {
            _ if said.is_empty() => Ok(Self::V03),
            (Some("0"), Some("3")) if patch.is_none_or(is_number) => Ok(Self::V03),
            (Some("1"), Some("0")) if patch.is_none_or(is_number) => Ok(Self::V1),
            _ => Err(unsupported(said)),
        }
    }
}

/// The version that a client names: the header, or the query parameter if the header says nothing.
#[must_use]
pub fn said<'a>(header: Option<&'a str>, query: Option<&'a str>) -> Option<&'a str> {
    header.filter(|it| !it.trim().is_empty()).or(query)
}

/// The operation and the version of a JSON-RPC call. The method's name decides; the header must agree.
///
/// # Errors
///
/// `VersionNotSupported` for a version that is not served, and for a method of 1.0 from a client that did not say 1.0;
/// `MethodNotFound` for a name that the version does not have.
pub fn resolve(method: &str, header: Option<&str>) -> Result<(Operation, Version), Failure> {
    let version = Version::of_header(header)?;
    match (Operation::of_method(method), version) {
        (Some((operation, of)), _) if of == version => Ok((operation, of)),
        (Some((_, Version::V1)), Version::V03) => Err(Failure::new(
            Code::VersionNotSupported,
            format!(
                "{method} is of A2A 1.0, and the request is of 0.3: send the header {VERSION_HEADER}: 1.0"
            ),
        )
        .about("supportedVersions", supported())),
        _ => {
            let message = format!("A2A {} has no method {}", version.as_str(), brief(method));
            Err(Failure::new(Code::MethodNotFound, message))
        }
    }
}

/// The URIs in an extensions header, in order, each once.
#[must_use]
pub fn extensions(header: &str) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for uri in header.split(',').map(str::trim).filter(|uri| !uri.is_empty()) {
        if !found.contains(&uri) {
            found.push(uri);
        }
    }
    found
}

fn unsupported(said: &str) -> Failure {
    let message = format!("A2A {} is not spoken here; {} are", brief(said), supported());
    Failure::new(Code::VersionNotSupported, message).about("supportedVersions", supported())
}

fn supported() -> String {
    Version::ALL.map(Version::as_str).join(", ")
}

/// As much of a client's word as an error repeats.
fn brief(word: &str) -> String {
    word.chars().filter(|it| !it.is_control()).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_means_the_older_version_and_patches_do_not_count() {
        let of = |header| Version::of_header(header).map_err(|failure| failure.code);
        for older in [None, Some(""), Some("  "), Some("0.3"), Some("0.3.0"), Some(" 0.3 ")] {
            assert_eq!(of(older), Ok(Version::V03), "{older:?}");
        }
        for newer in ["1.0", "1.0.1", "1.0.0"] {
            assert_eq!(of(Some(newer)), Ok(Version::V1), "{newer}");
        }
        for other in ["1", "1.1", "0.5", "2.0", "0.2.6", "1.0.x", "1.0.", "v1.0", "01.0", "1.0, 0.3", "99.0"]
        {
            assert_eq!(of(Some(other)), Err(Code::VersionNotSupported), "{other}");
        }
    }

    #[test]
    fn the_query_speaks_where_the_header_is_silent() {
        assert_eq!(said(Some("1.0"), Some("0.3")), Some("1.0"));
        assert_eq!(said(Some(""), Some("1.0")), Some("1.0"));
        assert_eq!(said(None, None), None);
    }

    #[test]
    fn the_name_decides_and_the_header_must_agree() {
        let resolve = |method, header| resolve(method, header).map_err(|failure| failure.code);
        assert_eq!(resolve("SendMessage", Some("1.0")), Ok((Operation::Send, Version::V1)));
        assert_eq!(resolve("message/send", None), Ok((Operation::Send, Version::V03)));
        assert_eq!(resolve("tasks/get", Some("0.3")), Ok((Operation::Get, Version::V03)));
        assert_eq!(resolve("SendMessage", None), Err(Code::VersionNotSupported));
        assert_eq!(resolve("ListTasks", Some("0.3")), Err(Code::VersionNotSupported));
        assert_eq!(resolve("message/send", Some("1.0")), Err(Code::MethodNotFound));
        assert_eq!(resolve("message/send", Some("9.9")), Err(Code::VersionNotSupported));
        assert_eq!(resolve("nonsense", None), Err(Code::MethodNotFound));
    }

    #[test]
    fn extensions_are_listed_once() {
        assert_eq!(extensions(" https://a/1 ,https://b/2,, https://a/1"), ["https://a/1", "https://b/2"]);
        assert!(extensions("").is_empty());
    }
}

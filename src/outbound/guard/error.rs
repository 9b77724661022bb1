//! Why something was not fetched, in words that a client may read: they say what the URL did, and nothing of what
//! stands behind an address of the operator's own network.

use std::time::Duration;

/// A URL that was not fetched. The texts go behind "could not be fetched: ".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// It is no URL, or none that is written plainly.
    #[error("it is not a valid absolute URL")]
    Malformed,
    /// Another scheme.
    #[error("only http and https URLs are fetched")]
    Scheme,
    /// A name or a password stands in it.
    #[error("URLs with a user name or a password are not fetched")]
    UserInfo,
    /// The host is no plain name or address: `2130706433`, `0x7f.1`, `a$b`.
    #[error("its host is not a plain host name or IP address")]
    Host,
    /// A port that was not allowed.
    #[error("port {0} is not allowed")]
    Port(u16),
    /// At least one of the host's addresses is not a public one.
    #[error("its host has an address that is not public")]
    Forbidden,
    /// The name has no address.
    #[error("its host name has no address")]
    Unresolved,
    /// No connection or no TLS stood, or it broke.
    #[error("its host could not be reached")]
    Unreachable,
    /// An answer other than success. No status where the host is one of the operator's own.
    #[error("its host did not answer with success{}", Status(*.0))]
    Status(Option<u16>),
    /// More redirects than are followed.
    #[error("it redirects more than {0} times")]
    Redirects(usize),
    /// The body is compressed, though that was not asked for.
    #[error("its host answered with a content encoding")]
    Encoding,
    /// The body is larger than the limit, in bytes.
    #[error("it is larger than {0} bytes")]
    TooLarge(usize),
    /// It took longer than the limit.
    #[error("it took longer than {} s", .0.as_secs_f32())]
    Timeout(Duration),
}

impl FetchError {
    /// Whether the guard itself does not let it pass, so that another try would be in vain.
    #[must_use]
    pub const fn is_refused(&self) -> bool {
        matches!(
            self,
            Self::Malformed | Self::Scheme | Self::UserInfo | Self::Host | Self::Port(_) | Self::Forbidden
        )
    }
}

/// ` (404)`, or nothing.
struct Status(Option<u16>);

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.map_or(Ok(()), |status| write!(f, " ({status})"))
    }
}

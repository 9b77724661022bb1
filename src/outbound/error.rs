//! Why another machine could not be reached.

use std::{error::Error, fmt, io};

/// A request that got no answer, or an answer that broke.
#[derive(Debug)]
pub struct TransportError {
    /// What happened.
    pub failure: TransportFailure,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// The ways in which the network fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportFailure {
    /// The name has no address.
    Name,
    /// Nobody listens there, or the way there is closed.
    Connect,
    /// No connection stood in time.
    ConnectTimeout,
    /// The other side's certificate or TLS version was not accepted.
    Tls,
    /// The connection broke before the answer was complete.
    Broken,
    /// The proxy did not make the way: the other machine was not reached at all.
    Proxy,
    /// The URL cannot be called.
    Url,
}

impl TransportError {
    /// An error with its cause.
    pub fn new(failure: TransportFailure, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { failure, source: Some(source.into()) }
    }

    /// An error that needs no cause.
    #[must_use]
    pub const fn bare(failure: TransportFailure) -> Self {
        Self { failure, source: None }
    }

    /// The same of a connection through a proxy: whatever happened before the target's own handshake is the proxy's.
    pub(super) fn through_proxy(self) -> Self {
        match self.failure {
            TransportFailure::Tls => self,
            _ => Self { failure: TransportFailure::Proxy, ..self },
        }
    }

    /// Finds out from its causes why no connection could be made.
    pub(super) fn connecting(source: Box<dyn Error + Send + Sync>) -> Self {
        let mut failure = TransportFailure::Connect;
        let mut cause: Option<&(dyn Error + 'static)> = Some(source.as_ref());
        while let Some(error) = cause {
            if error.is::<super::connector::ConnectTimedOut>() {
                failure = TransportFailure::ConnectTimeout;
            } else if error.is::<rustls::Error>() {
                failure = TransportFailure::Tls;
            } else if let Some(io) = error.downcast_ref::<io::Error>() {
                match io.get_ref() {
                    Some(inner) if inner.is::<rustls::Error>() => failure = TransportFailure::Tls,
                    Some(inner) if inner.is::<super::connector::ConnectTimedOut>() => {
                        failure = TransportFailure::ConnectTimeout;
                    }
                    _ => {}
                }
            } else if error.to_string().contains("dns error") {
                // The resolver's error type is private to the HTTP library; its words are all that there is.
                failure = TransportFailure::Name;
            }
            cause = error.source();
        }
        Self { failure, source: Some(source) }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.failure {
            TransportFailure::Name => "the host name could not be resolved",
            TransportFailure::Connect => "no connection could be made",
            TransportFailure::ConnectTimeout => "no connection stood in time",
            TransportFailure::Tls => "the TLS handshake failed",
            TransportFailure::Broken => "the connection broke",
            TransportFailure::Proxy => "the proxy failed",
            TransportFailure::Url => "the URL cannot be called",
        })?;
        // The innermost cause is the one that says something ("Connection refused").
        let mut cause = self.source.as_deref().map(|error| error as &(dyn Error + 'static));
        let mut innermost = None;
        while let Some(error) = cause {
            innermost = Some(error);
            cause = error.source();
        }
        innermost.map_or(Ok(()), |error| write!(f, ": {error}"))
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|error| error as &(dyn Error + 'static))
    }
}

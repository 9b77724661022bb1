//! A proxy that a connection is reached through.

use super::Secret;

/// Where it is and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// How it is spoken to.
    pub scheme: ProxyScheme,
    /// Its host, without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who asks, and the password.
    pub login: Option<(String, Secret)>,
}

/// How a proxy is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyScheme {
    /// HTTP's CONNECT, unencrypted.
    Http,
    /// HTTP's CONNECT, over TLS.
    Https,
    /// SOCKS version 5.
    Socks5,
}

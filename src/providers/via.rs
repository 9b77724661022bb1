//! Which proxy a request to a provider goes through.

use std::sync::Arc;

use crate::{
    engine::settings::{Connection, ProxyScheme, Secret},
    outbound::{Proxy, ProxyScheme as Scheme, Via},
};

/// Sends a request the way that its connection says. Everything that goes out for a connection passes here: requests, tests,
/// lists of models.
pub(super) fn mark<B>(request: &mut http::Request<B>, connection: &Connection) {
    let Some(proxy) = &connection.proxy else { return };
    let scheme = match proxy.scheme {
        ProxyScheme::Http => Scheme::Http,
        ProxyScheme::Https => Scheme::Https,
        ProxyScheme::Socks5 => Scheme::Socks5,
    };
    let login =
        proxy.login.as_ref().map(|(user, password)| (user.clone(), Secret::expose(password).to_owned()));
    let proxy = Proxy { scheme, host: proxy.host.clone(), port: proxy.port, login };
    request.extensions_mut().insert(Via(Arc::new(proxy)));
}

//! `GET /auth/callback`: where a browser comes back to after a login at a provider. Nobody needs a key here: the state in
//! the address is known to who began the login alone, and is good once.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{RawQuery, State},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use http::{HeaderValue, StatusCode, Uri, header};
use tokio::{net::TcpListener, sync::Notify};

use super::{Handles, Server, operation::refused, serve};
use crate::ops::oauth::{CALLBACK, Logins, Loopback};

/// How long the last page may take to be read.
const DRAIN: Duration = Duration::from_secs(5);

/// The page holds no script and no reference, and its address, which holds a code, is told to nobody.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");

pub(super) fn routes(handles: &Handles) -> Router {
    Router::new().route(CALLBACK, get(come_back)).with_state(Arc::clone(&handles.logins))
}

/// Listens at other ports of this machine, for as long as a login takes.
#[derive(Debug, Clone, Copy)]
pub struct OtherPorts;

/// One of them.
#[derive(Clone)]
struct Port {
    logins: Arc<Logins>,
    path: Arc<str>,
    came_back: Arc<Notify>,
}

impl Loopback for OtherPorts {
    fn listen(&self, logins: Logins, port: u16, path: String, time: Duration) {
        let came_back = Arc::new(Notify::new());
        let state = Port { logins: Arc::new(logins), path: path.into(), came_back: Arc::clone(&came_back) };
        let routes = Router::new().fallback(at_port).with_state(state);
        tokio::spawn(async move {
            let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await else { return };
            let end = async move { drop(tokio::time::timeout(time, came_back.notified()).await) };
            serve(Server { listener, router: routes, drain: DRAIN }, end).await;
        });
    }
}

async fn at_port(State(port): State<Port>, uri: Uri, RawQuery(query): RawQuery) -> Response {
    if uri.path() != &*port.path {
        return page(StatusCode::NOT_FOUND, "Nothing is here", "A login at the hub waits for its browser.");
    }
    let answer = come_back(State(port.logins), RawQuery(query)).await;
    if answer.status().is_success() {
        port.came_back.notify_one();
    }
    answer
}

async fn come_back(State(logins): State<Arc<Logins>>, RawQuery(query): RawQuery) -> Response {
    match logins.come_back(query.as_deref().unwrap_or_default()).await {
        Ok(_) => page(StatusCode::OK, "You are logged in", "You can close this page."),
        Err(error) => {
            let refusal = refused(&error);
            let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
            page(status, "The login did not succeed", &refusal.message)
        }
    }
}

pub(super) fn page(status: StatusCode, title: &str, text: &str) -> Response {
    let (title, text) = (escaped(title), escaped(text));
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\
         <body style=\"font-family: sans-serif; margin: 4em\"><h1>{title}</h1><p>{text}</p></body></html>\n"
    );
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn words_of_others_are_no_markup() {
        assert_eq!(escaped("<b a=\"x\">&"), "&lt;b a=&quot;x&quot;&gt;&amp;");
    }
}

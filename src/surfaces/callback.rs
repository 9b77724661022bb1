//! `GET /auth/callback`: where a browser comes back to after a login at a provider. Nobody needs a key here: the state in
//! the address is known to who began the login alone, and is good once.

use std::sync::Arc;

use axum::{
    Router,
    extract::{RawQuery, State},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use http::{HeaderValue, StatusCode, header};

use super::{Handles, operation::refused};
use crate::ops::oauth::{CALLBACK, Logins};

/// The page holds no script and no reference, and its address, which holds a code, is told to nobody.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");

pub(super) fn routes(handles: &Handles) -> Router {
    Router::new().route(CALLBACK, get(come_back)).with_state(Arc::clone(&handles.logins))
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

fn page(status: StatusCode, title: &str, text: &str) -> Response {
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

//! The operator's login: a cookie that opens everything, and what a page needs beside it to change something.

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};
use trivium::{auth::local_caller, engine::settings::Secret};

use crate::support::{Answer, TestHub};

const PASSWORD: &str = "a long enough password";

/// A page of the hub in a browser.
struct Page<'a> {
    hub: &'a TestHub,
    cookie: String,
    csrf: String,
}

async fn call(hub: &TestHub, method: Method, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
    let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    hub.send_bare(request.body(body).unwrap()).await
}

async fn log_in<'a>(hub: &'a TestHub, password: &str) -> (Page<'a>, Answer) {
    let origin = [("origin", "https://localhost"), ("sec-fetch-site", "same-origin")];
    let answer = call(hub, Method::POST, "/api/session", &origin, json!({"password": password})).await;
    assert!(answer.status.is_success(), "{}", answer.text);
    let set = answer.header("set-cookie").to_owned();
    let cookie = set.split(';').next().unwrap().to_owned();
    let csrf = answer.json()["csrf_token"].as_str().unwrap().to_owned();
    (Page { hub, cookie, csrf }, answer)
}

impl Page<'_> {
    async fn get(&self, path: &str) -> Answer {
        call(self.hub, Method::GET, path, &[("cookie", &self.cookie)], Value::Null).await
    }

    async fn change(&self, method: Method, path: &str, more: &[(&str, &str)], body: Value) -> Answer {
        let mut headers = vec![("cookie", self.cookie.as_str())];
        headers.extend_from_slice(more);
        call(self.hub, method, path, &headers, body).await
    }
}

#[tokio::test]
async fn a_session_opens_everything_and_changes_need_a_proof() {
    let hub = TestHub::builder().account("a", "sim-ok").build().await;
    hub.admin().set_password(&local_caller(), Secret::new(PASSWORD)).await.unwrap();
    let wrong = call(&hub, Method::POST, "/api/session", &[], json!({"password": "wrong"})).await;
    assert_eq!((wrong.status.as_u16(), wrong.code().as_str()), (401, "login_failed"));
    let elsewhere = [("origin", "https://evil.example")];
    let foreign = call(&hub, Method::POST, "/api/session", &elsewhere, json!({"password": PASSWORD})).await;
    assert_eq!(foreign.code(), "csrf_failed");

    let (page, answer) = log_in(&hub, PASSWORD).await;
    let set = answer.header("set-cookie");
    for word in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/", "Max-Age=43200"] {
        assert!(set.contains(word), "{set}");
    }
    assert!(!answer.text.contains(page.cookie.split_once('=').unwrap().1), "no script learns the token");
    let who = page.get("/api/session").await.json();
    assert_eq!((&who["csrf_token"], &who["must_change_password"]), (&json!(page.csrf), &json!(false)));
    assert!(page.get("/api/keys").await.status.is_success());
    assert!(page.get("/v1/models").await.status.is_success());

    let make = json!({"name": "laptop"});
    let csrf = ("x-csrf-token", page.csrf.as_str());
    for headers in [
        vec![],
        vec![("x-csrf-token", "0")],
        vec![csrf, ("origin", "https://evil.example")],
        vec![csrf, ("origin", "null")],
        vec![csrf, ("origin", "http://localhost:3000")],
        vec![csrf, ("sec-fetch-site", "same-site")],
    ] {
        let answer = page.change(Method::POST, "/api/keys", &headers, make.clone()).await;
        assert_eq!(answer.code(), "csrf_failed", "{headers:?}");
    }
    let good = [csrf, ("origin", "https://localhost"), ("sec-fetch-site", "same-origin")];
    let made = page.change(Method::POST, "/api/keys", &good, make).await;
    assert_eq!(made.status.as_u16(), 201, "{}", made.text);

    // A key beside the cookie is what counts, and needs no proof.
    let key = made.json()["secret"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {key}");
    let refused =
        page.change(Method::POST, "/api/keys", &[("authorization", &bearer)], json!({"name": "x"})).await;
    assert_eq!(refused.code(), "insufficient_scope");

    let sessions = page.get("/api/sessions").await.json();
    assert_eq!(
        (sessions["sessions"].as_array().unwrap().len(), &sessions["sessions"][0]["current"]),
        (1, &json!(true))
    );
    let left = page.change(Method::DELETE, "/api/session", &good, Value::Null).await;
    assert_eq!(left.status.as_u16(), 204);
    assert!(left.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(page.get("/api/keys").await.status.as_u16(), 401);
}

#[tokio::test]
async fn a_made_password_opens_nothing_but_its_change() {
    let hub = TestHub::builder().account("a", "sim-ok").build().await;
    let made = hub.admin().reset_password(&local_caller()).await.unwrap();
    let (page, answer) = log_in(&hub, made.expose()).await;
    assert_eq!(answer.json()["must_change_password"], true);
    assert_eq!(page.get("/api/keys").await.code(), "password_change_required");
    assert_eq!(page.get("/v1/models").await.code(), "password_change_required");
    let csrf = [("x-csrf-token", page.csrf.as_str())];
    let change = |new: &str| json!({"current": made.expose(), "new": new});
    let unproved = page.change(Method::PUT, "/api/session/password", &[], change(PASSWORD)).await;
    assert!(!unproved.status.is_success(), "{}", unproved.text);
    let short = page.change(Method::PUT, "/api/session/password", &csrf, change("short")).await;
    assert_eq!(short.code(), "invalid_parameter");
    let changed = page.change(Method::PUT, "/api/session/password", &csrf, change(PASSWORD)).await;
    assert!(changed.status.is_success(), "{}", changed.text);
    assert_eq!(page.get("/api/session").await.status.as_u16(), 401, "the old session has ended");
    let cookie = changed.header("set-cookie").split(';').next().unwrap().to_owned();
    let open = call(&hub, Method::GET, "/api/keys", &[("cookie", &cookie)], Value::Null).await;
    assert!(open.status.is_success(), "{}", open.text);
    // No key sets a password, whatever its scopes.
    let by_key = hub.json(Method::PUT, "/api/session/password", json!({"new": PASSWORD})).await;
    assert!(!by_key.status.is_success());
}

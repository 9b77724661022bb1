//! Connections that people log in to.

use std::time::Duration;

use super::*;
use crate::engine::settings::{ClientAuth, Flow, Secret};

const CANARY: &str = "cAnary0f4llsecretsQQ";

fn yaml(oauth: &str) -> String {
    format!(
        "providers:\n  - id: a\n    type: openai-compatible\n    base_url: https://models.example.com/v1\n    oauth: {{{oauth}}}\n"
    )
}

fn refused(oauth: &str) -> String {
    let problems = load(&yaml(oauth)).unwrap_err();
    problems.iter().map(|one| format!("{}: {}; {}\n", one.path, one.message, one.remedy)).collect()
}

const URLS: &str =
    "authorization_url: 'https://login.example.com/authorize', token_url: 'https://login.example.com/token'";

#[test]
fn a_login_is_read_with_its_defaults() {
    let loaded =
        accepted(&yaml(&format!("client_id: app, {URLS}, scopes: [openid, 'email offline_access']")));
    let a = connection(&loaded, "a");
    let oauth = a.oauth.as_deref().unwrap();
    assert_eq!(
        (oauth.flow, oauth.client_auth, oauth.lead),
        (Flow::Code, ClientAuth::Basic, Duration::from_secs(300))
    );
    assert_eq!(oauth.scopes, ["openid", "email", "offline_access"]);
    assert_eq!((&oauth.redirect_url, &oauth.client_secret, &a.credential), (&None, &None, &None));
}

#[test]
fn every_key_is_read() {
    let all = format!(
        "flow: device, client_id: app, client_secret: {CANARY}, client_auth: body, {URLS}, device_url: \
         'https://login.example.com/device', redirect_url: 'http://localhost:1455/auth/callback', parameters: \
         {{audience: api}}, issuer: 'https://login.example.com', jwks_url: 'https://login.example.com/jwks', \
         workspace_claim: team, refresh_lead_seconds: 60"
    );
    let loaded = accepted(&yaml(&all));
    let oauth = connection(&loaded, "a").oauth.as_deref().unwrap();
    assert_eq!(
        (oauth.flow, oauth.client_auth, oauth.lead),
        (Flow::Device, ClientAuth::Body, Duration::from_secs(60))
    );
    assert_eq!(oauth.client_secret, Some(Secret::new(CANARY)));
    assert_eq!(oauth.parameters["audience"], "api");
    assert_eq!(oauth.workspace_claim.as_deref(), Some("team"));
    let shown = format!("{loaded:?}");
    assert!(!shown.contains(CANARY), "{shown}");
}

#[test]
fn what_cannot_work_is_refused_with_its_place() {
    for (oauth, place, word) in [
        (URLS, "oauth.client_id", "missing"),
        ("client_id: app", "oauth.token_url", "missing"),
        ("client_id: app, token_url: 'https://l.example.com/t'", "oauth.authorization_url", "missing"),
        ("flow: device, client_id: app, token_url: 'https://l.example.com/t'", "oauth.device_url", "missing"),
        (
            "flow: client-credentials, client_id: app, token_url: 'https://l.example.com/t'",
            "oauth.client_secret",
            "missing",
        ),
        ("client_id: app, token_url: 'http://l.example.com/t'", "oauth.token_url", "unencrypted"),
        ("client_id: app, token_url: 'ftp://l.example.com/t'", "oauth.token_url", "neither http nor https"),
        ("client_id: app, token_url: 'https://u:p@l.example.com/t'", "oauth.token_url", "password"),
        ("client_id: app, token_url: nonsense", "oauth.token_url", "not a URL"),
        ("client_id: app, preset: claude", "oauth.preset", "expected `chatgpt`"),
        ("client_id: app, flow: magic", "oauth.flow", "expected `code`"),
        ("client_id: app, parameters: {state: x}", "oauth.parameters.state", "OAuth's own"),
        ("client: app", "oauth.client", "did you mean `client_"),
    ] {
        let said = refused(oauth);
        assert!(said.contains(place) && said.contains(word), "{oauth}\n{said}");
    }
    assert!(refused_whole("oauth: yes").contains("a mapping of settings"));
    let both = format!("api_key: k1\n    oauth: {{client_id: app, {URLS}}}");
    assert!(refused_whole(&both).contains("a key and a login"));
}

fn refused_whole(fields: &str) -> String {
    let yaml = format!(
        "providers:\n  - id: a\n    type: openai-compatible\n    base_url: https://models.example.com/v1\n    {fields}\n"
    );
    format!("{:?}", load(&yaml).unwrap_err())
}

#[test]
fn a_preset_knows_the_server_and_says_what_to_read() {
    let loaded = accepted(&yaml("preset: chatgpt, client_id: app"));
    let oauth = connection(&loaded, "a").oauth.clone().unwrap();
    assert_eq!(oauth.token_url, "https://auth.openai.com/oauth/token");
    assert_eq!(oauth.redirect_url.as_deref(), Some("http://localhost:1455/auth/callback"));
    assert_eq!(oauth.lead, Duration::from_secs(5 * 86_400));
    assert!(loaded.warnings.iter().any(|one| one.message.contains("read its terms")));
}

#[test]
fn another_application_is_another_account() {
    let of = |client: &str| {
        let loaded = accepted(&yaml(&format!("client_id: {client}, {URLS}")));
        let a = connection(&loaded, "a");
        (a.fingerprint, a.oauth.as_ref().unwrap().binding)
    };
    assert_eq!(of("one"), of("one"));
    assert_ne!(of("one").0, of("two").0);
    assert_ne!(of("one").1, of("two").1);
}

#[test]
fn a_login_is_for_one_place() {
    let of = |base_url: &str| {
        let text = yaml(&format!("client_id: one, {URLS}"));
        let loaded = accepted(&text.replacen("https://models.example.com/v1", base_url, 1));
        connection(&loaded, "a").oauth.as_ref().unwrap().binding
    };
    assert_eq!(of("https://models.example.com/v1"), of("https://models.example.com/v2"));
    for other in
        ["https://other.example.com/v1", "http://models.example.com/v1", "https://models.example.com:8443/v1"]
    {
        assert_ne!(of("https://models.example.com/v1"), of(other), "{other}");
    }
}

#[test]
fn multivibes_variables_are_a_connection() {
    let vars = [
        ("OAUTH_CLIENT_ID", "app"),
        ("OAUTH_TOKEN_URL", "https://login.example.com/token"),
        ("OAUTH_SCOPE", "openid email"),
        ("CHATGPT_BASE_URL", "https://up.example.com/"),
        ("UPSTREAM_PATH", "/v7/codex/responses"),
        ("PROXY_MODELS", "one, two"),
    ];
    let written = "providers: [{id: b, type: groq, api_key: gsk_1}]";
    let load_with = |yaml: &str, vars: &[(&str, &str)]| {
        let env = Env::new(vars.iter().copied(), folders());
        let spoken = [Dialect::Chat, Dialect::Responses];
        Loader::new(env, Overrides::default(), catalogue(), &spoken).load(&text(yaml))
    };
    let loaded = load_with(written, &vars).unwrap();
    assert_eq!(ids(&loaded), ["b", "multivibe-oauth"]);
    let found = connection(&loaded, "multivibe-oauth");
    assert_eq!(found.endpoints.values().collect::<Vec<_>>(), ["https://up.example.com/v7/codex"]);
    assert_eq!(found.models.listed.iter().map(|one| &**one).collect::<Vec<_>>(), ["one", "two"]);
    let oauth = found.oauth.as_deref().unwrap();
    assert_eq!(
        (oauth.client_id.as_str(), oauth.token_url.as_str()),
        ("app", "https://login.example.com/token")
    );
    assert_eq!(oauth.authorization_url.as_deref(), Some("https://auth.openai.com/oauth/authorize"));
    assert_eq!(oauth.scopes, ["openid", "email"]);
    let alone = load_with("", &vars[..1]).unwrap();
    let found = connection(&alone, "multivibe-oauth");
    assert_eq!(found.endpoints.values().collect::<Vec<_>>(), ["https://chatgpt.com/backend-api/codex"]);
    assert_eq!(ids(&load_with(written, &vars[1..]).unwrap()), ["b"], "without an id there is no login");
}

//! Cards in every form.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use serde_json::json;

use super::*;

fn card() -> Card {
    let interface = |version: &str, binding: &str, url: &str| Interface {
        url: url.into(),
        protocol_binding: binding.into(),
        tenant: String::new(),
        protocol_version: version.into(),
    };
    let scopes = Scopes::from([("read".to_owned(), "Look".to_owned())]);
    let code = AuthorizationCode {
        authorization_url: "https://id.example/authorize".into(),
        token_url: "https://id.example/token".into(),
        scopes,
        pkce_required: true,
        ..AuthorizationCode::default()
    };
    let oauth = OAuth2 {
        description: String::new(),
        flows: Flow::AuthorizationCode(code),
        oauth2_metadata_url: String::new(),
    };
    let key = ApiKey { location: "header".into(), name: "X-Key".into(), ..ApiKey::default() };
    let bearer = HttpAuthentication { scheme: "Bearer".into(), ..HttpAuthentication::default() };
    let read = ScopeList { list: vec!["read".into()] };
    Card {
        name: "Hub".into(),
        supported_interfaces: vec![
            interface("1.0", JSONRPC, "https://hub.example/a2a"),
            interface("1.0", HTTP_JSON, "https://hub.example/a2a/v1"),
            interface("0.3", JSONRPC, "https://hub.example/a2a"),
            interface("0.3", "GRPC", "https://hub.example/grpc"),
        ],
        version: "1.2.3".into(),
        capabilities: Capabilities {
            streaming: Some(true),
            push_notifications: Some(false),
            extensions: vec![Extension { uri: "https://x.example/1".into(), ..Extension::default() }],
            extended_agent_card: Some(true),
        },
        security_schemes: BTreeMap::from([
            ("bearer".into(), SecurityScheme::Http(bearer)),
            ("key".into(), SecurityScheme::ApiKey(key)),
            ("login".into(), SecurityScheme::OAuth2(oauth)),
        ]),
        security_requirements: vec![Requirement::of("bearer"), Requirement::of("key")],
        default_input_modes: vec!["text/plain".into()],
        default_output_modes: vec!["text/plain".into()],
        skills: vec![Skill {
            id: "route".into(),
            name: "Routing".into(),
            description: "Finds a model".into(),
            tags: vec!["llm".into()],
            security_requirements: vec![Requirement { schemes: BTreeMap::from([("login".into(), read)]) }],
            ..Skill::default()
        }],
        signatures: vec![Signature { protected: "e30".into(), signature: "AA".into(), header: None }],
        ..Card::default()
    }
}

fn fixture(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn each_form_is_as_its_fixture() {
    assert_eq!(v1(&card()), fixture(include_str!("../../fixtures/card/v1.json")));
    assert_eq!(v03(&card()).unwrap(), fixture(include_str!("../../fixtures/card/v03.json")));
    assert_eq!(hybrid(&card()).unwrap(), fixture(include_str!("../../fixtures/card/hybrid.json")));
}

#[test]
fn a_card_is_read_as_it_was_written() {
    assert_eq!(serde_json::from_value::<Card>(v1(&card())).unwrap(), card());
    // And one for both versions is read as what it says in the newer.
    let read: Card = serde_json::from_value(v1(&card())).unwrap();
    assert_eq!(read.supported_interfaces.len(), 4);
}

#[test]
fn the_canonical_form_keeps_what_is_required_and_drops_defaults() {
    // The example of the specification (8.4.1), and the other required fields.
    let card = Card {
        name: "Example Agent".into(),
        capabilities: Capabilities {
            streaming: Some(false),
            push_notifications: Some(false),
            ..Capabilities::default()
        },
        signatures: vec![Signature::default()],
        ..Card::default()
    };
    assert_eq!(
        canonical(&card),
        r#"{"capabilities":{"pushNotifications":false,"streaming":false},"defaultInputModes":[],"defaultOutputModes":[],"description":"","name":"Example Agent","skills":[],"supportedInterfaces":[],"version":""}"#
    );
}

#[test]
fn signatures_do_not_change_what_is_signed() {
    let signed = card();
    let unsigned = Card { signatures: Vec::new(), ..card() };
    assert_eq!(canonical(&signed), canonical(&unsigned));
    assert_ne!(canonical(&Card { version: "1.2.4".into(), ..card() }), canonical(&unsigned));
    // A requirement without scopes keeps its scheme and drops the list.
    assert!(canonical(&signed).contains(r#""securityRequirements":[{"schemes":{"bearer":{}}},"#));
}

#[test]
fn a_card_without_the_older_version_has_no_older_form() {
    let mut card = card();
    card.supported_interfaces.retain(|it| it.protocol_version == "1.0");
    assert_eq!(v03(&card), Err(NoInterface));
    assert_eq!(hybrid(&card), Err(NoInterface));
}

#[test]
fn the_older_version_is_not_told_what_it_has_no_words_for() {
    let device = DeviceCode { token_url: "https://id.example/token".into(), ..DeviceCode::default() };
    let device = OAuth2 {
        description: "d".into(),
        flows: Flow::DeviceCode(device),
        oauth2_metadata_url: "https://id.example/meta".into(),
    };
    let open = OpenIdConnect { open_id_connect_url: "https://id.example".into(), ..OpenIdConnect::default() };
    let password = Direct { token_url: "https://id.example/token".into(), ..Direct::default() };
    let password = OAuth2 {
        description: String::new(),
        flows: Flow::Password(password),
        oauth2_metadata_url: String::new(),
    };
    let schemes = BTreeMap::from([
        ("device".to_owned(), SecurityScheme::OAuth2(device)),
        ("mtls".to_owned(), SecurityScheme::MutualTls(MutualTls::default())),
        ("open".to_owned(), SecurityScheme::OpenIdConnect(open)),
        ("password".to_owned(), SecurityScheme::OAuth2(password)),
    ]);
    let card = Card { security_schemes: schemes, ..card() };
    assert_eq!(
        v03(&card).unwrap()["securitySchemes"],
        json!({
            "device": {"type": "oauth2", "description": "d", "flows": {}, "oauth2MetadataUrl": "https://id.example/meta"},
            "mtls": {"type": "mutualTLS"},
            "open": {"type": "openIdConnect", "openIdConnectUrl": "https://id.example"},
            "password": {"type": "oauth2", "flows": {"password": {"tokenUrl": "https://id.example/token", "scopes": {}}}},
        })
    );
    assert_eq!(v1(&card)["securitySchemes"]["mtls"], json!({"mtlsSecurityScheme": {}}));
}

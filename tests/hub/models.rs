//! Names of models: what is listed, what is found, and what is said when nothing is.

use http::StatusCode;

use super::support::TestHub;

const YAML: &str = "
providers:
  - {id: groq-1, type: groq, api_key: gsk_1, base_url: 'http://simulator.test/v1'}
  - {id: mine, type: openai-compatible, api_key: sim-ok, base_url: 'http://simulator.test/v1', models: [vendor/model-x, gpt-4o]}
  - {id: openai-1, type: openai, api_key: sk-1, base_url: 'http://simulator.test/v1', models: [gpt-4o, gpt-4o-mini]}
  - {id: router, type: openrouter, api_key: or-1, base_url: 'http://simulator.test/v1', models: [openai/gpt-4o]}
";

#[tokio::test]
async fn the_list_holds_virtual_models_and_each_real_one_once() {
    let hub = TestHub::builder().yaml(YAML).build().await;
    for path in ["/v1/models", "/models"] {
        let list = hub.get(path).await.json();
        let ids: Vec<&str> =
            list["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
        assert_eq!(&ids[..2], ["auto", "multirouter-auto"]);
        assert_eq!(ids.iter().filter(|id| **id == "gpt-4o").count(), 1);
        assert!(ids.contains(&"vendor/model-x") && ids.contains(&"llama-3.3-70b-versatile"));
    }
    assert_eq!(hub.get("/v1/models/vendor/model-x").await.json()["owned_by"], "openai-compatible");
    assert_eq!(hub.get("/v1/models/auto").await.json()["object"], "model");
    assert_eq!(hub.get("/v1/models/nothing-like-it").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn prefixes_lead_to_their_connections() {
    let hub = TestHub::builder().yaml(YAML).build().await;
    let of = async |model: &str| {
        let answer = hub.chat(model).await;
        (answer.route().to_owned(), answer.header("x-gateway-model").to_owned())
    };
    let pair = |route: &str, model: &str| (route.to_owned(), model.to_owned());
    assert_eq!(of("groq/llama-3.3-70b-versatile").await, pair("groq-1", "llama-3.3-70b-versatile"));
    assert_eq!(of("groq/some-model/of-tomorrow").await, pair("groq-1", "some-model/of-tomorrow"));
    assert_eq!(of("openai-1/gpt-4o").await, pair("openai-1", "gpt-4o"));
    assert_eq!(of("gpt-4o").await, pair("mine", "gpt-4o"));
    assert_eq!(of("vendor/model-x").await, pair("mine", "vendor/model-x"));
    assert_eq!(of("mine/vendor/model-x").await, pair("mine", "vendor/model-x"));
    assert_eq!(of("openrouter/openai/gpt-4o").await, pair("router", "openai/gpt-4o"));
}

#[tokio::test]
async fn what_cannot_be_found_is_explained() {
    let hub = TestHub::builder().yaml(YAML).build().await;
    let of = async |model: &str| {
        let answer = hub.chat(model).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{answer:?}");
        assert_eq!(answer.json()["error"]["param"], "model");
        (answer.code(), answer.json()["error"]["message"].as_str().unwrap().to_owned())
    };
    let (code, text) = of("gpt-4o-minni").await;
    assert!(code == "model_not_found" && text.contains("`gpt-4o-mini`"), "{code}: {text}");
    let (code, text) = of("openai/gpt-4o").await;
    assert!(
        code == "model_ambiguous" && text.contains("`router/openai/gpt-4o` or `openai-1/gpt-4o`"),
        "{code}: {text}"
    );
    let (code, text) = of("cerebras/gpt-oss-120b").await;
    assert!(code == "provider_not_configured" && text.contains("cerebras"), "{code}: {text}");
    let (code, text) = of("kr/claude-sonnet").await;
    assert!(code == "provider_declined" && text.contains("Kiro"), "{code}: {text}");
    let (code, _) = of("openai-1/unlisted").await;
    assert_eq!(code, "model_not_found", "a connection with a list serves what it lists");
}

#[tokio::test]
async fn without_connections_the_answer_says_what_to_do() {
    let answer = TestHub::builder().build().await.chat("auto").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "no_connections"));
}

//! Google's generateContent as a client meets it.

use super::*;

fn post(key: &str, path: &str, body: &Value) -> Request<Body> {
    let request =
        Request::post(path).header("x-goog-api-key", key).header("content-type", "application/json");
    request.body(Body::from(body.to_string())).unwrap()
}

fn ask_gemini(text: &str) -> Value {
    json!({"contents": [{"role": "user", "parts": [{"text": text}]}]})
}

async fn whole(simulator: &Simulator, key: &str, body: &Value) -> Read {
    read(simulator, post(key, "/v1beta/models/gemini-3-pro:generateContent", body)).await
}

async fn stream(simulator: &Simulator, key: &str, body: &Value) -> Read {
    read(simulator, post(key, "/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse", body)).await
}

/// All parts of the first candidate, neighbouring texts of a kind in one.
fn parts(chunks: &[Value]) -> Vec<Value> {
    let mut joined: Vec<Value> = Vec::new();
    for part in chunks
        .iter()
        .flat_map(|chunk| chunk["candidates"][0]["content"]["parts"].as_array().into_iter().flatten())
    {
        match joined.last_mut() {
            Some(last)
                if last["text"].is_string()
                    && part["text"].is_string()
                    && last["thought"] == part["thought"] =>
            {
                last["text"] =
                    format!("{}{}", last["text"].as_str().unwrap(), part["text"].as_str().unwrap()).into();
                if part["thoughtSignature"].is_string() {
                    last["thoughtSignature"] = part["thoughtSignature"].clone();
                }
            }
            _ if part["text"] == "" => {}
            _ => joined.push(part.clone()),
        }
    }
    joined
}

#[tokio::test(start_paused = true)]
async fn a_whole_answer_and_a_stream_say_the_same() {
    let simulator = || simulator();
    for text in ["echo: one two", "weather in parallel", "cite it", "search it", "refuse me"] {
        let mut body = ask_gemini(text);
        body["tools"] =
            json!([{"googleSearch": {}}, {"functionDeclarations": [{"name": "sun"}, {"name": "rain"}]}]);
        body["generationConfig"] =
            json!({"thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": true}});
        let one = whole(&simulator(), "sim-ok", &body).await.json();
        let many = stream(&simulator(), "sim-ok", &body).await.chunks();
        assert_eq!(parts(std::slice::from_ref(&one)), parts(&many), "{text}");
        let last = many.last().unwrap();
        for name in ["finishReason", "groundingMetadata", "citationMetadata"] {
            assert_eq!(one["candidates"][0][name], last["candidates"][0][name], "{text}");
        }
        assert_eq!(one["usageMetadata"], last["usageMetadata"]);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_carry_what_is_wanted_back() {
    let simulator = simulator();
    let mut body = ask_gemini("weather in parallel");
    body["tools"] = json!([{"function_declarations": [{"name": "sun"}, {"name": "rain"}]}]);
    let content = whole(&simulator, "k", &body).await.json()["candidates"][0]["content"].clone();
    let calls = content["parts"].as_array().unwrap();
    assert!(calls[0]["thoughtSignature"].is_string() && calls[1].get("thoughtSignature").is_none());
    let answers: Vec<Value> = calls
        .iter()
        .map(|part| {
            let call = &part["functionCall"];
            json!({"functionResponse": {"id": call["id"], "name": call["name"], "response": {"output": "fine"}}})
        })
        .collect();
    let contents = body["contents"].as_array_mut().unwrap();
    contents.push(content);
    contents.push(json!({"role": "user", "parts": answers}));
    let next = whole(&simulator, "k", &body).await.json();
    assert_eq!(next["candidates"][0]["content"]["parts"][0]["text"], "The tool answered: fine");
    assert_eq!(whole(&simulator, "sim-maker-other", &body).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn streams_are_events_or_an_array() {
    let simulator = simulator();
    let events = stream(&simulator, "sim-ok", &ask_gemini("echo: one two")).await;
    assert_eq!(events.header("content-type"), Some("text/event-stream"));
    assert!(events.text().ends_with("\r\n\r\n"));
    assert_eq!(events.chunks().len(), 3);
    let crlf = stream(&simulator, "sim-crlf", &ask_gemini("echo: one two")).await;
    assert!(!crlf.text().contains("\r\r"));
    let path = "/v1beta/models/gemini-3-pro:streamGenerateContent";
    for (key, length) in
        [("sim-ok", 3), ("sim-nodone", 2), ("sim-twodone", 4), ("sim-sse-error-1", 2), ("sim-sse-error", 1)]
    {
        let array = read(&simulator, post(key, path, &ask_gemini("echo: one two"))).await;
        assert_eq!(array.header("content-type"), Some("application/json; charset=UTF-8"));
        assert_eq!(array.json().as_array().unwrap().len(), length, "{key}");
    }
    let entry = simulator.log().pop().unwrap();
    assert_eq!((entry.model.as_deref(), entry.stream), (Some("gemini-3-pro"), true));
    assert_eq!(entry.key.as_deref(), Some("sim-sse-error"));
}

#[tokio::test(start_paused = true)]
async fn faults_speak_the_dialect() {
    let simulator = simulator();
    let body = ask_gemini("echo: one two three four");
    let cut = stream(&simulator, "sim-cut-3", &body).await;
    assert!(cut.broken);
    assert_eq!(parts(&cut.chunks())[0]["text"], "one two three");
    let endless = stream(&simulator, "sim-nodone", &body).await;
    assert!(!endless.text().contains("finishReason"));
    let error = stream(&simulator, "sim-sse-error-2", &body).await.chunks().pop().unwrap();
    assert_eq!(error["error"]["status"], "INTERNAL");
    assert!(!stream(&simulator, "sim-nousage", &body).await.text().contains("usageMetadata"));
    assert!(stream(&simulator, "sim-nostream", &body).await.json()["candidates"].is_array());
}

#[tokio::test(start_paused = true)]
async fn refusals_are_googles() {
    let simulator = simulator();
    let limited = stream(&simulator, "sim-429-retry-20", &ask_gemini("hi")).await;
    assert_eq!(limited.header("retry-after"), None);
    let error = &limited.json()["error"];
    assert_eq!((&error["code"], &error["status"]), (&json!(429), &json!("RESOURCE_EXHAUSTED")));
    assert_eq!(error["details"][0]["retryDelay"], "20s");
    assert_eq!(stream(&simulator, "sim-429", &ask_gemini("hi")).await.json()["error"].get("details"), None);
    let dry = stream(&simulator, "sim-dry-0", &ask_gemini("hi")).await.json();
    assert_eq!(dry["error"]["details"][0]["@type"], "type.googleapis.com/google.rpc.QuotaFailure");
    let limit = stream(&simulator, "sim-limit-0-5", &ask_gemini("hi")).await;
    assert_eq!(limit.status, 429);
    let slip = whole(&simulator, "sim-oops", &ask_gemini("hi")).await;
    assert_eq!(
        (slip.status, &slip.json()["error"]["details"][0]["reason"]),
        (400, &json!("API_KEY_INVALID"))
    );
    let keyless = Request::post("/v1beta/models/m:generateContent").body(Body::from("{}")).unwrap();
    assert_eq!(read(&simulator, keyless).await.status, 403);
    let bad = whole(&simulator, "k", &json!({"contents": [], "foo": 1})).await.json();
    assert_eq!(bad["error"]["status"], "INVALID_ARGUMENT");
    assert_eq!(bad["error"]["details"][0]["@type"], "type.googleapis.com/google.rpc.BadRequest");
    let queried = Request::post("/v1beta/models/m:generateContent?key=k");
    let queried = queried.body(Body::from(ask_gemini("hi").to_string())).unwrap();
    assert_eq!(read(&simulator, queried).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn the_rest_of_the_api() {
    let simulator = simulator();
    let count =
        read(&simulator, post("k", "/v1beta/models/m:countTokens", &ask_gemini("hello"))).await.json();
    let wrapped =
        json!({"generateContentRequest": {"model": "models/m", "contents": ask_gemini("hello")["contents"]}});
    let again = read(&simulator, post("k", "/v1beta/models/m:countTokens", &wrapped)).await.json();
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "hello"}]});
    let chat = chat(&simulator, "k", &body).await.json();
    assert_eq!(count["totalTokens"], chat["usage"]["prompt_tokens"]);
    assert_eq!(count, again);
    let embed = json!({"content": {"parts": [{"text": "hello"}]}, "outputDimensionality": 4});
    let one = read(&simulator, post("k", "/v1beta/models/m:embedContent", &embed)).await.json();
    assert_eq!(one["embedding"]["values"].as_array().unwrap().len(), 4);
    let several = read(
        &simulator,
        post("k", "/v1beta/models/m:batchEmbedContents", &json!({"requests": [embed, embed]})),
    )
    .await;
    assert_eq!(several.json()["embeddings"][1], one["embedding"]);
    let get = |path: &str| Request::get(path).header("x-goog-api-key", "k").body(Body::empty()).unwrap();
    let list = read(&simulator, get("/v1/models")).await.json();
    assert_eq!(list["models"][0]["name"], "models/sim-large");
    let one = read(&simulator, get("/v1beta/models/x")).await.json();
    assert_eq!(one["name"], "models/x");
}

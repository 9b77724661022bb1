//! Every client dialect against every provider dialect: whole answers, the fault table, and bad input, each in the
//! client's own shape.

use canon::Dialect;
use http::StatusCode;

use super::support::{Answer, TestHub, speech};

/// What becomes of a request whose first account has the fault.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// The second account serves; the receipt says this of the first.
    Second(&'static str),
    /// The first account serves all the same.
    First,
    /// The error is the request's own and is told with this status.
    Caller(u16),
    /// The answer had begun: it ends with an error event.
    Broken,
}

use End::{Broken, Caller, First, Second};

/// Key of the first account, what becomes of a unary request, and of a streamed one.
const TABLE: &[(&str, End, End)] = &[
    ("sim-ok", First, First),
    ("sim-400", Caller(400), Caller(400)),
    ("sim-413", Caller(413), Caller(413)),
    ("sim-401", Second("unauthorized"), Second("unauthorized")),
    ("sim-402", Second("payment_required"), Second("payment_required")),
    ("sim-403", Second("unauthorized"), Second("unauthorized")),
    ("sim-404", Second("model_not_found"), Second("model_not_found")),
    ("sim-429", Second("rate_limited"), Second("rate_limited")),
    ("sim-429-retry-20", Second("rate_limited"), Second("rate_limited")),
    ("sim-500", Second("unavailable"), Second("unavailable")),
    ("sim-503", Second("unavailable"), Second("unavailable")),
    ("sim-529", Second("unavailable"), Second("unavailable")),
    ("sim-hang", Second("first_content_timeout"), Second("response_start_timeout")),
    ("sim-mute", Second("first_content_timeout"), Second("first_content_timeout")),
    ("sim-close", Second("unreachable"), Second("unreachable")),
    ("sim-cut", Second("cut"), Second("cut")),
    ("sim-cut-3", Second("cut"), Broken),
    ("sim-stall-3", Second("first_content_timeout"), Broken),
    ("sim-empty", Second("malformed"), Second("malformed")),
    ("sim-html", Second("malformed"), Second("malformed")),
    ("sim-badjson", Second("malformed"), Second("malformed")),
    ("sim-sse-error", Second("in_stream_error"), Second("in_stream_error")),
    ("sim-sse-error-3", Second("in_stream_error"), Broken),
    ("sim-slow-2000", First, First),
    ("sim-nodone", First, First),
    ("sim-twodone", First, First),
    ("sim-wrongtype", First, First),
    ("sim-tiny", First, First),
    ("sim-crlf", First, First),
    ("sim-comments", First, First),
    ("sim-nousage", First, First),
];

/// Pairs of a client's and a provider's dialect.
fn pairs() -> impl Iterator<Item = (Dialect, Dialect)> {
    Dialect::ALL.into_iter().flat_map(|client| Dialect::ALL.map(|provider| (client, provider)))
}

#[tokio::test(start_paused = true)]
async fn unary_requests() {
    let mut wrong = Vec::new();
    for (client, provider) in pairs() {
        for &(key, end, _) in TABLE {
            for strategy in strategies(client, provider) {
                wrong.extend(check(client, provider, key, end, false, strategy).await);
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn streamed_requests() {
    let mut wrong = Vec::new();
    for (client, provider) in pairs() {
        for &(key, _, end) in TABLE {
            let end = match (key, provider) {
                // Their last event is what says that the answer is complete.
                ("sim-nodone", Dialect::Responses | Dialect::Gemini) => Broken,
                _ => end,
            };
            for strategy in strategies(client, provider) {
                wrong.extend(check(client, provider, key, end, true, strategy).await);
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// The strategies that a pair is tried with. They order the targets; what a fault does is the same for all pairs.
fn strategies(client: Dialect, provider: Dialect) -> &'static [&'static str] {
    if client == provider { &["exhaust", "round-robin"] } else { &["exhaust"] }
}

/// Asks once and says what went otherwise than expected.
async fn check(
    client: Dialect,
    provider: Dialect,
    key: &str,
    end: End,
    stream: bool,
    strategy: &str,
) -> Vec<String> {
    // Deadlines before the status has to be out, so that the headers tell who served.
    let yaml = format!(
        "timeouts: {{response_start_seconds: 5, first_content_seconds: 10}}\nrouting: {{default_strategy: {strategy}}}\n"
    );
    let builder = TestHub::builder().yaml(&yaml);
    let builder = builder.account_at(provider, "first", key).account_at(provider, "second", "sim-ok");
    let hub = builder.build().await;
    let body = speech::body(client, "m", stream, "hello");
    let answer = hub.send(speech::request(client, "m", stream, &body)).await;
    let receipts = hub.receipts().await;
    let attempts: Vec<_> =
        receipts[0].detail.attempts.iter().map(|attempt| attempt.fault.as_deref()).collect();
    let as_expected = [
        match end {
            First => whole_from(client, &answer, "first", "1") && attempts == [None],
            Second(fault) => whole_from(client, &answer, "second", "2") && attempts == [Some(fault), None],
            // A caller's own error is not tried elsewhere.
            Caller(status) => {
                speech::is_error(client, &answer, status)
                    && hub.calls(["sim-ok"]) == [0]
                    && attempts == [Some("invalid_request")]
            }
            Broken => {
                is_broken(client, &answer, key, client == provider)
                    && attempts.len() == 1
                    && attempts[0].is_some()
            }
        },
        receipts.len() == 1,
        key == "sim-nousage"
            || !matches!(end, First | Second(_))
            || (receipts[0].input_tokens > Some(0)
                && receipts[0].output_tokens > Some(0)
                && !receipts[0].detail.losses.contains(&"~usage".to_owned())),
    ];
    let what = || {
        format!(
            "{client} to {provider}, {key}, {strategy}, stream: {stream}, expected {end:?}, checks {as_expected:?}, attempts {attempts:?}, \
             tokens {:?}: {answer:?}",
            (receipts[0].input_tokens, receipts[0].output_tokens),
        )
    };
    if as_expected == [true; 3] { Vec::new() } else { vec![what()] }
}

/// Whether an answer began, and ends in an honest error.
fn is_broken(client: Dialect, answer: &Answer, key: &str, native: bool) -> bool {
    // A provider of the client's dialect that reports an error does so in its own words.
    let own_words = native && key.starts_with("sim-sse-error");
    let code = speech::broke_with(client, answer);
    let told = code.is_some_and(|code| (code == "stream_interrupted") != own_words);
    answer.status == StatusCode::OK
        && told
        && !speech::text(client, answer).is_empty()
        && !answer.text.contains("[DONE]")
        && !answer.text.contains("message_stop")
}

fn whole_from(client: Dialect, answer: &Answer, route: &str, attempts: &str) -> bool {
    speech::is_whole(client, answer)
        && answer.route() == route
        && answer.header("x-gateway-attempts") == attempts
}

#[tokio::test(start_paused = true)]
async fn a_request_passes_untouched_where_the_provider_speaks_its_dialect() {
    for dialect in Dialect::ALL {
        let hub = TestHub::builder().account_at(dialect, "a", "sim-ok").build().await;
        // Spaces, an odd order and escapes: what goes out must be these bytes.
        let body = speech::body(dialect, "m", false, "h\u{e9}llo").to_string().replacen('{', "{  ", 1);
        let request =
            http::Request::post(speech::path(dialect, "m", false)).body(body.clone().into()).unwrap();
        let answer = hub.send(request).await;
        assert!(speech::is_whole(dialect, &answer), "{dialect}: {answer:?}");
        assert_eq!(hub.upstream()[0].body, body, "{dialect}");
        assert_eq!(answer.header("x-trivium-translation-loss"), "");
    }
}

#[tokio::test(start_paused = true)]
async fn bad_input_is_told_in_the_clients_own_shape() {
    for (client, provider) in pairs() {
        let hub = TestHub::builder().account_at(provider, "a", "sim-ok").build().await;
        let send = async |body: &str| {
            let request = http::Request::post(speech::path(client, "m", false));
            hub.send(request.body(body.to_owned().into()).unwrap()).await
        };
        for body in ["", "not json", "[]", "{\"model\": 7}", "\u{feff}{}", "{}"] {
            let answer = send(body).await;
            assert!(speech::is_error(client, &answer, 400), "{client}: {body:?}: {answer:?}");
        }
        let missing = speech::body(client, "nobody-has-this", false, "hello");
        let answer = hub.send(speech::request(client, "nobody-has-this", false, &missing)).await;
        assert!(speech::is_error(client, &answer, 404), "{client}: {answer:?}");
        let mut request = speech::request(client, "m", false, &speech::body(client, "m", false, "x"));
        request.headers_mut().insert("authorization", "Bearer wrong".parse().unwrap());
        let answer = hub.send(request).await;
        assert!(speech::is_error(client, &answer, 401), "{client}: {answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_usage_that_nobody_gave_is_estimated_for_translated_clients() {
    for (client, provider) in pairs().filter(|(client, provider)| client != provider) {
        for stream in [false, true] {
            let hub = TestHub::builder().account_at(provider, "a", "sim-nousage").build().await;
            let mut body = speech::body(client, "m", stream, "hello");
            if client == Dialect::Chat && stream {
                body["stream_options"] = serde_json::json!({"include_usage": true});
            }
            let answer = hub.send(speech::request(client, "m", stream, &body)).await;
            assert!(speech::usage(client, &answer) > 3, "{client} at {provider}: {answer:?}");
            let receipt = &hub.receipts().await[0];
            assert_eq!(receipt.input_tokens, None, "a receipt says what the provider said");
            assert!(receipt.detail.losses.contains(&"~usage".to_owned()), "{:?}", receipt.detail.losses);
        }
    }
}

//! The table against bodies as vendors send them, in the dialect in which they do.
#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::time::Duration;

use canon::Dialect::{self, Chat, Gemini, Messages, Responses};

use super::*;
use crate::{
    engine::fault::{FaultKind::*, Scope},
    providers::{catalog, wire},
};

/// Provider, dialect, status, body, and what it means; `None`: nothing beyond its status.
#[rustfmt::skip]
const BODIES: &[(&str, Dialect, u16, &str, Option<FaultKind>)] = &[
    // OpenAI
    ("openai", Chat, 429, r#"{"error":{"message":"You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#, Some(PaymentRequired)),
    ("openai", Chat, 429, r#"{"error":{"message":"Rate limit reached for gpt-4o in organization org-1 on tokens per min (TPM): Limit 30000, Used 29937, Requested 385. Please try again in 644ms. Visit https://platform.openai.com/account/rate-limits to learn more.","type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#, None),
    ("openai", Responses, 429, r#"{"error":{"message":"Rate limit reached for gpt-4o in organization org-1 on requests per day (RPD): Limit 200, Used 200, Requested 1. Please try again in 7m12s.","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#, Some(DailyQuota)),
    ("openai", Chat, 401, r#"{"error":{"message":"Incorrect API key provided: sk-1****. You can find your API key at https://platform.openai.com/account/api-keys.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#, None),
    ("openai", Chat, 401, r#"{"error":{"message":"The OpenAI account associated with this API key has been deactivated. If you are the account owner, please check your email for more information.","type":"invalid_request_error","param":null,"code":"account_deactivated"}}"#, Some(Deactivated)),
    ("openai", Chat, 403, r#"{"error":{"message":"Project `proj_1` does not have access to model `gpt-5`","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#, Some(ModelNotFound)),
    ("openai", Chat, 404, r#"{"error":{"message":"The model `your account is suspended` does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#, None),
    ("openai", Chat, 400, r#"{"error":{"message":"This model's maximum context length is 128000 tokens. However, your messages resulted in 140000 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#, Some(ContextLength)),
    ("openai", Responses, 400, r#"{"error":{"message":"Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try again with a different prompt.","type":"invalid_request_error","param":null,"code":"invalid_prompt"}}"#, Some(ContentFilter)),
    ("openai", Chat, 400, r#"{"error":{"message":"Billing hard limit has been reached","type":"billing_limit_user_error","param":null,"code":"billing_hard_limit_reached"}}"#, Some(PaymentRequired)),
    ("openai", Chat, 400, r#"{"error":{"message":"Unknown parameter: 'account has been suspended'.","type":"invalid_request_error","param":"x","code":"unknown_parameter"}}"#, None),
    ("azure", Chat, 400, r#"{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#, Some(ContentFilter)),
    // Anthropic
    ("anthropic", Messages, 400, r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."}}"#, Some(PaymentRequired)),
    ("anthropic", Messages, 400, r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#, Some(ContextLength)),
    ("anthropic", Messages, 400, r#"{"type":"error","error":{"type":"invalid_request_error","message":"Output blocked by content filtering policy"}}"#, Some(ContentFilter)),
    ("anthropic", Messages, 400, r#"{"type":"error","error":{"type":"invalid_request_error","message":"This organization has been disabled."}}"#, Some(Deactivated)),
    ("anthropic", Messages, 400, r#"{"type":"error","error":{"type":"invalid_request_error","message":"messages.0: unexpected text: this organization has been disabled"}}"#, None),
    ("anthropic", Messages, 401, r#"{"type":"error","error":{"type":"authentication_error","message":"OAuth token has expired. Please obtain a new token or refresh your existing token."}}"#, Some(CredentialExpired)),
    ("anthropic", Messages, 401, r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#, None),
    ("anthropic", Messages, 429, r#"{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed the rate limit for your organization of 1,000,000 input tokens per minute."}}"#, None),
    ("anthropic", Messages, 529, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, None),
    // Google
    ("gemini", Gemini, 429, r#"{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaMetric":"generativelanguage.googleapis.com/generate_content_free_tier_requests","quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier","quotaDimensions":{"model":"gemini-2.5-flash","location":"global"},"quotaValue":"20"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"33s"}]}}"#, Some(DailyQuota)),
    ("gemini", Gemini, 429, r#"{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaMetric":"generativelanguage.googleapis.com/generate_content_free_tier_input_token_count","quotaId":"GenerateContentInputTokensPerModelPerMinute-FreeTier"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"12.5s"}]}}"#, Some(ModelLimited)),
    ("gemini", Chat, 429, r#"[{"error":{"code":429,"message":"You exceeded your current quota.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}]}}]"#, Some(DailyQuota)),
    ("gemini", Gemini, 429, r#"{"error":{"code":429,"message":"Resource has been exhausted (e.g. check quota).","status":"RESOURCE_EXHAUSTED"}}"#, None),
    ("gemini", Gemini, 400, r#"{"error":{"code":400,"message":"API key expired. Please renew the API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}"#, Some(CredentialExpired)),
    ("gemini", Gemini, 403, r#"{"error":{"code":403,"message":"Permission denied: Consumer 'api_key:x' has been suspended.","status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"CONSUMER_SUSPENDED"}]}}"#, Some(Deactivated)),
    ("gemini", Gemini, 400, r#"{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}"#, Some(ContextLength)),
    // OpenRouter
    ("openrouter", Chat, 429, r#"{"error":{"message":"Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day","code":429,"metadata":{"headers":{"X-RateLimit-Limit":"50","X-RateLimit-Remaining":"0","X-RateLimit-Reset":"1767312000000"},"provider_name":null}},"user_id":"user_1"}"#, Some(DailyQuota)),
    ("openrouter", Chat, 429, r#"{"error":{"message":"Rate limit exceeded: free-models-per-min. ","code":429,"metadata":{"headers":{"X-RateLimit-Limit":"20","X-RateLimit-Remaining":"0","X-RateLimit-Reset":"1767225660000"}}}}"#, None),
    ("openrouter", Chat, 429, r#"{"error":{"message":"Provider returned error","code":429,"metadata":{"raw":"qwen/qwen3-coder:free is temporarily rate-limited upstream. Please retry shortly.","provider_name":"Venice"}}}"#, Some(ModelLimited)),
    ("openrouter", Chat, 402, r#"{"error":{"message":"Insufficient credits. Add more using https://openrouter.ai/settings/credits","code":402}}"#, None),
    ("openrouter", Chat, 402, r#"{"error":{"message":"This request requires more credits, or fewer max_tokens. You requested up to 64000 tokens, but can only afford 2666.","code":402,"metadata":{"provider_name":null}}}"#, Some(Unserved)),
    ("openrouter", Chat, 403, r#"{"error":{"message":"Key limit exceeded (total limit). Manage it using https://openrouter.ai/settings/keys","code":403}}"#, Some(PaymentRequired)),
    ("openrouter", Chat, 403, r#"{"error":{"message":"openai/gpt-4o requires moderation on OpenAI. Your input was flagged for \"violence\".","code":403,"metadata":{"reasons":["violence"],"flagged_input":"…","provider_name":"OpenAI"}}}"#, Some(ContentFilter)),
    // Groq, Mistral, DeepSeek, xAI
    ("groq", Chat, 429, r#"{"error":{"message":"Rate limit reached for model `llama-3.3-70b-versatile` in organization `org_1` service tier `on_demand` on tokens per day (TPD): Limit 100000, Used 97050, Requested 3619. Please try again in 9m38.016s. Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing","type":"tokens","code":"rate_limit_exceeded"}}"#, Some(DailyQuota)),
    ("groq", Chat, 429, r#"{"error":{"message":"Rate limit reached for model `llama-3.1-8b-instant` in organization `org_1` service tier `on_demand` on tokens per minute (TPM): Limit 6000, Used 5034, Requested 1443. Please try again in 4.77s.","type":"tokens","code":"rate_limit_exceeded"}}"#, Some(ModelLimited)),
    ("groq", Chat, 400, r#"{"error":{"message":"Organization has been restricted. Please reach out to support if you believe this was in error.","type":"invalid_request_error","code":"organization_restricted"}}"#, Some(Deactivated)),
    ("groq", Chat, 400, r#"{"error":{"message":"The model `mixtral-8x7b-32768` has been decommissioned and is no longer supported.","type":"invalid_request_error","code":"model_decommissioned"}}"#, Some(ModelNotFound)),
    ("mistral", Chat, 429, r#"{"object":"error","message":"Service tier capacity exceeded for this model.","type":"service_tier_capacity_exceeded","param":null,"code":"3505"}"#, Some(ModelLimited)),
    ("mistral", Chat, 429, r#"{"message":"Requests rate limit exceeded"}"#, None),
    ("mistral", Chat, 400, r#"{"object":"error","message":"Invalid model: mistral-huge","type":"invalid_model","param":null,"code":"1500"}"#, Some(ModelNotFound)),
    ("mistral", Chat, 400, r#"{"object":"error","message":"Prompt contains 140000 tokens and 0 draft tokens, too large for model with 131072 maximum context length","type":"invalid_request_error","param":null,"code":"3051"}"#, Some(ContextLength)),
    ("deepseek", Chat, 402, r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}"#, None),
    ("deepseek", Chat, 400, r#"{"error":{"message":"Model Not Exist","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#, Some(ModelNotFound)),
    ("xai", Chat, 400, r#"{"code":"Client specified an invalid argument","error":"Incorrect API key provided: xa***1. You can obtain an API key from https://console.x.ai."}"#, Some(Unauthorized)),
    ("xai", Chat, 403, r#"{"code":"The caller does not have permission to execute the specified operation","error":"Your newly created team doesn't have any credits or licenses yet."}"#, Some(PaymentRequired)),
    // The rest
    ("moonshot", Chat, 429, r#"{"error":{"message":"Your account is suspended due to insufficient balance, please recharge your account or check your plan and billing details","type":"exceeded_current_quota_error"}}"#, Some(PaymentRequired)),
    ("moonshot", Chat, 429, r#"{"error":{"message":"The engine is currently overloaded, please try again later","type":"engine_overloaded_error"}}"#, Some(Unavailable)),
    ("moonshot", Chat, 429, r#"{"error":{"message":"request reached organization TPD rate limit, current: 1508351, limit: 1500000","type":"rate_limit_reached_error"}}"#, Some(DailyQuota)),
    ("zai", Chat, 429, r#"{"error":{"code":"1113","message":"Insufficient balance or no resource package. Please recharge."}}"#, Some(PaymentRequired)),
    ("zai", Chat, 429, r#"{"error":{"code":"1302","message":"Rate limit reached for requests"}}"#, None),
    ("alibaba", Chat, 400, r#"{"error":{"code":"Arrearage","message":"Access denied, please make sure your account is in good standing.","type":"Arrearage"}}"#, Some(PaymentRequired)),
    ("alibaba", Chat, 400, r#"{"error":{"code":"data_inspection_failed","message":"Input data may contain inappropriate content.","type":"data_inspection_failed"}}"#, Some(ContentFilter)),
    ("cerebras", Chat, 429, r#"{"message":"Tokens per day limit exceeded - too many tokens processed.","type":"too_many_tokens_error","param":"quota","code":"token_quota_exceeded"}"#, Some(DailyQuota)),
    ("github-models", Chat, 429, r#"{"error":{"code":"RateLimitReached","message":"Rate limit of 150 per 86400s exceeded for UserByModelByDay. Please wait 54321 seconds before retrying.","details":"…"}}"#, Some(DailyQuota)),
    ("fireworks", Chat, 412, r#"{"error":{"message":"Account me is suspended, possibly due to reaching the monthly spending limit or failure to pay past invoices.","code":"PRECONDITION_FAILED","type":"error"}}"#, Some(PaymentRequired)),
    ("llama.cpp", Chat, 400, r#"{"error":{"code":400,"message":"the request exceeds the available context size, try increasing it","type":"exceed_context_size_error"}}"#, Some(ContextLength)),
    ("openai-compatible", Chat, 403, r#"{"error":{"message":"too many requests for this key","type":"forbidden"}}"#, Some(RateLimited)),
    ("openai-compatible", Chat, 403, r#"{"error":{"message":"token quota is not enough","type":"new_api_error","code":"insufficient_user_quota"}}"#, Some(PaymentRequired)),
    ("openai-compatible", Chat, 503, r#"{"error":{"code":"model_not_found","message":"no available channel for model gpt-9","type":"new_api_error"}}"#, Some(ModelNotFound)),
    ("openai-compatible", Chat, 500, "<html>rate limit</html>", None),
    ("openai-compatible", Chat, 403, "error: rate limit of this address", Some(RateLimited)),
];

fn read(dialect: Dialect, body: &str) -> Said {
    Said::read(body.as_bytes(), &wire::message_of(dialect, body.as_bytes()), 1_767_225_600_000)
}

#[test]
fn each_vendors_bodies_mean_what_they_mean() {
    for (provider, dialect, status, body, expected) in BODIES {
        let rule = rule_for(provider, *status, &read(*dialect, body));
        assert_eq!(rule.map(Rule::kind), *expected, "{provider} {status} {body}\nby {rule:?}");
    }
}

#[test]
fn bodies_say_when_to_come_back() {
    let of = |part: &str| BODIES.iter().find(|row| row.3.contains(part)).unwrap();
    for (part, seconds) in [
        ("9m38.016s", 578.016),
        ("644ms", 0.644),
        ("54321 seconds", 54_321.0),
        ("free-models-per-day", 86_400.0),
        ("free-models-per-min", 60.0),
    ] {
        let (_, dialect, _, body, _) = of(part);
        assert_eq!(read(*dialect, body).wait(), Some(Duration::from_secs_f64(seconds)), "{part}");
    }
    let daily = |body: &str| rule_for("gemini", 429, &read(Gemini, body)).unwrap().is_believed();
    assert!(!daily(of("PerDayPerProjectPerModel").3), "a delay of seconds is no midnight");
    assert!(daily(of("PerModelPerMinute").3));
}

#[test]
fn no_client_can_put_an_account_out_of_use_by_what_it_writes() {
    for rule in rules::RULES {
        let quotes =
            rule.status.is_empty() || rule.status.iter().any(|status| [400, 404, 413, 422].contains(status));
        let text = matches!(rule.says, Says::Text(_));
        let reaches = rule.kind.scope();
        assert!(!(quotes && text) || reaches == Scope::Request, "{rule:?}");
    }
}

#[test]
fn rules_name_providers_that_there_are_and_match_lower_case() {
    let catalogue = catalog::builtin().unwrap();
    for rule in rules::RULES {
        for id in rule.of {
            assert!(catalogue.get(id).is_some(), "{id}");
        }
        if let Says::Start(texts) | Says::Text(texts) = rule.says {
            assert!(texts.iter().all(|text| text.to_lowercase() == **text && !text.is_empty()), "{rule:?}");
        }
    }
}

#[test]
fn no_body_breaks_it() {
    for body in [
        "",
        "null",
        "[]",
        "[[]]",
        "\"x\"",
        "{\"error\":[]}",
        "{\"error\":{\"details\":{\"a\":1}}}",
        "\u{fffd}",
    ] {
        assert!(rule_for("openai", 400, &read(Chat, body)).is_none(), "{body}");
    }
}

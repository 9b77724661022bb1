//! The table. Rules of single providers come before those for all; within each part the order is from the request over
//! the model to the account. Bodies of each kind are in the tests beside it.

use super::Says::{self, Code, CodeWith, Start, Text};
use crate::engine::fault::FaultKind::{self, *};

/// A row of the table.
#[derive(Debug)]
pub(in crate::providers) struct Rule {
    /// The providers that it is about; empty: all.
    pub(super) of: &'static [&'static str],
    /// The statuses that it is about; empty: all, and errors inside of streams.
    pub(super) status: &'static [u16],
    pub(super) says: Says,
    pub(super) kind: FaultKind,
    /// Whether the provider's word on when to come back is to be believed.
    pub(super) believed: bool,
}

const ALL: &[&str] = &[];
const ANY: &[u16] = &[];
/// What says that the request itself is refused.
const WRONG: &[u16] = &[400, 413, 422];
/// What says that this caller may not.
const DENIED: &[u16] = &[401, 402, 403];
const MAY_NOT: &[u16] = &[401, 402, 403, 429];
const GOOGLE: &[&str] = &["gemini", "gemini-compatible", "vertex"];
const MOONSHOT: &[&str] = &["moonshot", "moonshot-cn", "kimi-coding-key"];
const ZHIPU: &[&str] = &["glm", "glm-cn", "glm-cn-coding", "glmt", "zai"];
const ALIBABA: &[&str] = &["alibaba", "alibaba-cn", "alibaba-coding-plan", "alibaba-coding-plan-cn"];

const fn rule(of: &'static [&'static str], status: &'static [u16], says: Says, kind: FaultKind) -> Rule {
    Rule { of, status, says, kind, believed: true }
}

pub(super) const RULES: &[Rule] = &[
    // Google sends a delay of seconds along with a quota of the day.
    Rule { believed: false, ..rule(GOOGLE, &[429], CodeWith(&["PerDay"]), DailyQuota) },
    rule(GOOGLE, &[429], CodeWith(&["PerModel"]), ModelLimited),
    rule(GOOGLE, &[400], Start(&["api key expired"]), CredentialExpired),
    rule(GOOGLE, &[400, 403], Code(&["CONSUMER_SUSPENDED"]), Deactivated),
    rule(GOOGLE, &[403], Text(&["reported as leaked", "has been suspended"]), Deactivated),
    // OpenRouter: what it refuses for others' reasons is not the account's.
    rule(&["openrouter"], &[403], Text(&["requires moderation", "was flagged for"]), ContentFilter),
    rule(&["openrouter"], &[402], Text(&["fewer max_tokens", "prompt tokens limit exceeded"]), Unserved),
    rule(&["openrouter"], &[403], Start(&["key limit exceeded"]), PaymentRequired),
    rule(&["openrouter"], &[429], Code(&["openrouter_free_tier_daily"]), DailyQuota),
    rule(&["openrouter"], &[429], Start(&["provider returned error"]), ModelLimited),
    rule(&["openrouter"], &[429], Text(&["rate-limited upstream"]), ModelLimited),
    // Moonshot's 429 has three meanings.
    rule(MOONSHOT, &[429], Code(&["exceeded_current_quota_error"]), PaymentRequired),
    rule(MOONSHOT, &[429], Code(&["engine_overloaded_error"]), Unavailable),
    rule(ZHIPU, ANY, Code(&["1301"]), ContentFilter),
    rule(ZHIPU, ANY, Code(&["1261"]), ContextLength),
    rule(ZHIPU, ANY, Code(&["1113"]), PaymentRequired),
    rule(ZHIPU, ANY, Code(&["1110", "1112", "1121"]), Deactivated),
    rule(ALIBABA, ANY, Code(&["Arrearage"]), PaymentRequired),
    rule(ALIBABA, &[403], Code(&["AllocationQuota.FreeTierOnly"]), ModelLimited),
    rule(ALIBABA, &[429], Text(&["allocated quota exceeded"]), ModelLimited),
    rule(&["mistral"], &[400], Code(&["invalid_model", "1500"]), ModelNotFound),
    rule(&["mistral"], &[429], Code(&["3505", "service_tier_capacity_exceeded"]), ModelLimited),
    // xAI refuses a wrong key as if the request were wrong, and an empty purse as if the key were.
    rule(&["xai"], &[400], Start(&["incorrect api key provided"]), Unauthorized),
    rule(
        &["xai"],
        DENIED,
        Text(&["doesn't have any credits", "used all available credits"]),
        PaymentRequired,
    ),
    rule(&["xai"], &[429], Text(&["used all available credits", "monthly spending limit"]), PaymentRequired),
    rule(&["deepseek"], &[400], Start(&["model not exist"]), ModelNotFound),
    rule(&["groq"], ANY, Code(&["organization_restricted"]), Deactivated),
    rule(&["groq"], ANY, Code(&["model_decommissioned"]), ModelNotFound),
    rule(&["fireworks"], &[412], Text(&["is suspended"]), PaymentRequired),
    rule(&["anthropic"], &[400, 403], Start(&["this organization has been disabled"]), Deactivated),
    rule(&["github-models"], &[429], Text(&["bymodelbyday"]), DailyQuota),
    // All: the request.
    rule(ALL, ANY, Code(&["context_length_exceeded", "exceed_context_size_error"]), ContextLength),
    rule(ALL, WRONG, Start(&["prompt is too long", "input is too long"]), ContextLength),
    rule(
        ALL,
        WRONG,
        Text(&[
            "maximum context length",
            "exceeds the maximum number of tokens allowed",
            "exceeds the available context size",
            "context window",
        ]),
        ContextLength,
    ),
    rule(
        ALL,
        ANY,
        Code(&[
            "content_filter",
            "content_policy_violation",
            "moderation_blocked",
            "data_inspection_failed",
            "ResponsibleAIPolicyViolation",
            "cyber_policy",
        ]),
        ContentFilter,
    ),
    rule(ALL, WRONG, Start(&["output blocked by content filtering policy"]), ContentFilter),
    rule(ALL, WRONG, Text(&["flagged as potentially violating", "content management policy"]), ContentFilter),
    // All: the model. Resellers say 403 and 503 of one that they have no channel for.
    rule(ALL, &[400, 403, 500, 503], Code(&["model_not_found"]), ModelNotFound),
    rule(ALL, &[400, 403], Code(&["model_not_available", "model_not_supported"]), ModelNotFound),
    rule(ALL, &[400], Start(&["invalid model", "unknown model", "model not found"]), ModelNotFound),
    // All: the account.
    rule(
        ALL,
        ANY,
        Code(&[
            "insufficient_quota",
            "billing_hard_limit_reached",
            "billing_not_active",
            "billing_error",
            "insufficient_user_quota",
            "insufficient_balance",
            "credit_balance_too_low",
        ]),
        PaymentRequired,
    ),
    rule(ALL, &[400], Start(&["your credit balance is too low"]), PaymentRequired),
    rule(ALL, ANY, Code(&["account_deactivated", "deactivated_workspace", "account_suspended"]), Deactivated),
    rule(
        ALL,
        MAY_NOT,
        Text(&[
            "has been deactivated",
            "account is deactivated",
            "account has been suspended",
            "account is suspended",
            "account has been banned",
            "organization has been disabled",
            "account has been disabled",
        ]),
        Deactivated,
    ),
    rule(ALL, ANY, Code(&["token_expired", "expired_api_key", "api_key_expired"]), CredentialExpired),
    rule(
        ALL,
        &[401, 403],
        Text(&["token has expired", "api key has expired", "api key expired", "token has been revoked"]),
        CredentialExpired,
    ),
    rule(ALL, &[401, 403, 429], Text(&["insufficient balance", "insufficient credit"]), PaymentRequired),
    rule(ALL, &[429], Start(&["you exceeded your current quota"]), PaymentRequired),
    rule(
        ALL,
        &[403, 429],
        Text(&[
            "per day",
            "per-day",
            "(tpd)",
            "(rpd)",
            "tpd rate limit",
            "rpd rate limit",
            "daily limit",
            "daily quota",
            "daily free allocation",
        ]),
        DailyQuota,
    ),
    // Groq counts by model, and names it.
    rule(&["groq"], &[429], Start(&["rate limit reached for model"]), ModelLimited),
    rule(ALL, &[403], Text(&["rate limit", "too many requests", "quota exceeded"]), RateLimited),
];

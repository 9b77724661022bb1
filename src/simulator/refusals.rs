//! The refusals that a script asks for: the 429 of a limit, and the status of a fault.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, header};
use serde_json::json;

use super::account::Standing;
use super::clock::go_duration;
use super::problem::{Problem, Voice, json_response};
use super::script::{Behaviour, RetryAfter};
use super::{Simulator, headers, subscription};

impl Simulator {
    /// The refusal of a limit: a 429, except where a vendor has another word for an empty account.
    pub(super) fn limited(
        &self,
        voice: Voice,
        behaviour: &Behaviour,
        standing: Standing,
        wait: Option<Duration>,
    ) -> Response<Body> {
        let Some(wait) = wait else { return dry(voice).response(voice) };
        let problem = match behaviour.subscription {
            Some(_) => subscription::used_up(),
            None => limit_reached(voice, behaviour, standing, wait),
        };
        let mut response = problem.response(voice);
        self.hint(response.headers_mut(), voice, behaviour, standing, wait);
        response
    }

    /// The status of a fault.
    pub(super) fn failed(
        &self,
        voice: Voice,
        behaviour: &Behaviour,
        code: u16,
        wait: Option<Duration>,
        body: Option<&serde_json::Value>,
    ) -> Response<Body> {
        let mut response = match body {
            Some(serde_json::Value::String(text)) => {
                let mut response = json_response(code, text.clone());
                let kind = if text.starts_with('<') {
                    "text/html; charset=utf-8"
                } else {
                    "text/plain; charset=utf-8"
                };
                response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
                response
            }
            Some(body) => json_response(code, body.to_string()),
            None => {
                let problem = Problem::of_status(code, voice);
                let hint = wait.filter(|_| behaviour.retry_after != RetryAfter::None);
                hint.map_or_else(|| problem.clone(), |wait| retry_info(problem.clone(), wait)).response(voice)
            }
        };
        match wait {
            Some(wait) if code == 429 => {
                let standing = Standing { limit: 1, remaining: 0, reset: wait };
                self.hint(response.headers_mut(), voice, behaviour, standing, wait);
            }
            Some(wait) => {
                headers::come_back(
                    response.headers_mut(),
                    voice,
                    behaviour.retry_after,
                    wait,
                    &self.world.clock,
                );
            }
            None => {}
        }
        response
    }

    /// The headers of a 429 that says when to come back.
    fn hint(
        &self,
        headers: &mut HeaderMap,
        voice: Voice,
        behaviour: &Behaviour,
        standing: Standing,
        wait: Duration,
    ) {
        if behaviour.retry_after == RetryAfter::None {
            return;
        }
        if behaviour.tells_rates() {
            let reset = standing.reset.max(wait);
            headers::rate_limits(headers, voice, Standing { reset, ..standing }, 0, &self.world.clock);
        }
        headers::come_back(headers, voice, behaviour.retry_after, wait, &self.world.clock);
    }
}

/// An account that will not be filled by waiting.
fn dry(voice: Voice) -> Problem {
    match voice {
        Voice::Openai => Problem::new(
            429,
            "You exceeded your current quota, please check your plan and billing details.",
            "insufficient_quota",
            None,
            Some("insufficient_quota"),
        ),
        Voice::Anthropic => Problem::invalid(
            "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or \
             purchase credits.",
        ),
        Voice::Gemini => {
            let message = "You exceeded your current quota, please check your plan and billing details.";
            quota(Problem::new(429, message, "", None, None), "GenerateRequestsPerDayPerProjectPerModel")
        }
    }
}

fn limit_reached(voice: Voice, behaviour: &Behaviour, standing: Standing, wait: Duration) -> Problem {
    let limit = standing.limit;
    let says = behaviour.retry_after != RetryAfter::None;
    match voice {
        Voice::Openai => {
            let mut message =
                format!("Rate limit reached on requests: Limit {limit}, Used {limit}, Requested 1.");
            if says {
                message.push_str(&format!(" Please try again in {}.", go_duration(wait)));
            }
            Problem::new(429, message, "requests", None, Some("rate_limit_exceeded"))
        }
        Voice::Anthropic => {
            let message = format!(
                "This request would exceed your organization's rate limit of {limit} requests per minute."
            );
            Problem::new(429, message, "", None, None)
        }
        Voice::Gemini => {
            let mut message = format!("You exceeded your current quota. Limit: {limit}.");
            if says {
                message.push_str(&format!("\nPlease retry in {}.", seconds(wait)));
            }
            let problem = Problem::new(429, message, "", None, None);
            let problem = quota(problem, "GenerateRequestsPerMinutePerProjectPerModel");
            if says { retry_info(problem, wait) } else { problem }
        }
    }
}

fn quota(problem: Problem, id: &str) -> Problem {
    problem.detail(json!({
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{
            "quotaMetric": "generativelanguage.googleapis.com/generate_requests",
            "quotaId": id,
        }],
    }))
}

/// Google's way to say when to come back; it stands in no other vendor's object.
fn retry_info(problem: Problem, wait: Duration) -> Problem {
    problem.detail(json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": seconds(wait)}))
}

/// A duration as Google's JSON writes it.
fn seconds(wait: Duration) -> String {
    format!("{}s", wait.as_secs_f64())
}

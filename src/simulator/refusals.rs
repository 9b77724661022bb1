//! The refusals that a script asks for: the 429 of a limit, and the status of a fault.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, header};

use super::account::Standing;
use super::clock::go_duration;
use super::problem::{Problem, json_response};
use super::script::{Behaviour, RetryAfter};
use super::{Simulator, headers};

impl Simulator {
    /// The 429 of a limit.
    pub(super) fn limited(
        &self,
        behaviour: &Behaviour,
        standing: Standing,
        wait: Option<Duration>,
    ) -> Response<Body> {
        let Some(wait) = wait else {
            return Problem::new(
                429,
                "You exceeded your current quota, please check your plan and billing details.",
                "insufficient_quota",
                None,
                Some("insufficient_quota"),
            )
            .response();
        };
        let limit = standing.limit;
        let mut message =
            format!("Rate limit reached on requests: Limit {limit}, Used {limit}, Requested 1.");
        if behaviour.retry_after != RetryAfter::None {
            message.push_str(&format!(" Please try again in {}.", go_duration(wait)));
        }
        let problem = Problem::new(429, message, "requests", None, Some("rate_limit_exceeded"));
        let mut response = problem.response();
        self.hint(response.headers_mut(), behaviour, standing, wait);
        response
    }

    /// The status of a fault.
    pub(super) fn failed(
        &self,
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
            None => Problem::of_status(code).response(),
        };
        match wait {
            Some(wait) if code == 429 => {
                let standing = Standing { limit: 1, remaining: 0, reset: wait };
                self.hint(response.headers_mut(), behaviour, standing, wait);
            }
            Some(wait) => {
                headers::come_back(response.headers_mut(), behaviour.retry_after, wait, &self.world.clock);
            }
            None => {}
        }
        response
    }

    /// The headers of a 429 that says when to come back.
    fn hint(&self, headers: &mut HeaderMap, behaviour: &Behaviour, standing: Standing, wait: Duration) {
        if behaviour.retry_after == RetryAfter::None {
            return;
        }
        if behaviour.rate_headers {
            let reset = standing.reset.max(wait);
            headers::rate_limits(headers, Standing { reset, ..standing }, 0);
        }
        headers::come_back(headers, behaviour.retry_after, wait, &self.world.clock);
    }
}

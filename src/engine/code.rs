//! The public error codes: one table of name, HTTP status and what to do next, which every surface renders in
//! its own shape. A code is part of the API: clients match on it, so names never change their meaning.

/// A public error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The bytes of the HTTP request make no sense.
    MalformedRequest,
    /// The body is not JSON of the promised shape.
    InvalidJson,
    /// The body is not UTF-8.
    InvalidUtf8,
    /// A required field is absent.
    MissingParameter,
    /// A field has the wrong type or value.
    InvalidParameter,
    /// The body is larger than the limit.
    BodyTooLarge,
    /// The body did not arrive in time.
    BodyTimeout,
    /// No key was sent.
    MissingKey,
    /// The key is unknown, revoked or expired.
    InvalidKey,
    /// The key lacks a scope.
    InsufficientScope,
    /// An operator has disabled the key.
    KeyDisabled,
    /// The client's address is not one that may come in, or not with this key.
    AddressNotAllowed,
    /// The key may not be used at this time.
    OutsideSchedule,
    /// The key may not use the model, or nothing that serves it.
    ModelNotAllowed,
    /// The thing was changed since the caller looked at it.
    PreconditionFailed,
    /// The password is wrong.
    LoginFailed,
    /// A change that a browser asks for with its cookie lacks what proves that a page of the hub asks.
    CsrfFailed,
    /// The password is one that was made for a first login, and must be changed first.
    PasswordChangeRequired,
    /// The `Host` header names a host that this hub does not answer for.
    HostNotAllowed,
    /// No connection serves the model.
    ModelNotFound,
    /// The name means different models at different connections.
    ModelAmbiguous,
    /// The prefix names a provider that is known and not served.
    ProviderDeclined,
    /// The prefix names a provider without a connection.
    ProviderNotConfigured,
    /// There is nothing at this path.
    UnknownRoute,
    /// The path takes another method.
    MethodNotAllowed,
    /// The thing that is asked for does not exist.
    NotFound,
    /// The change contradicts what exists.
    Conflict,
    /// An idempotency key was used before, for another request.
    IdempotencyKeyReused,
    /// The request of an idempotency key was sent, and there is no answer to give again.
    IdempotencyConflict,
    /// A rate limit of the hub, or of every provider that could serve the request.
    RateLimited,
    /// A budget has not enough left for the request.
    BudgetExceeded,
    /// What the request would spend of a budget cannot be written down.
    BudgetUnavailable,
    /// A budget takes no request whose price is not known.
    PriceUnknown,
    /// Too many failed logins from this address.
    TooManyFailures,
    /// The queue for a place is full.
    QueueFull,
    /// No place became free in time.
    QueueTimeout,
    /// The client left before the end; only receipts carry this.
    ClientClosed,
    /// Every target is out of use for a while.
    AllCoolingDown,
    /// Every target was tried, and failed.
    AllFailed,
    /// The provider refused the request as such.
    UpstreamRefused,
    /// No target can do what is asked in the dialect that it takes.
    NotSupported,
    /// The request fits into no context window that serves the model.
    ContextLengthExceeded,
    /// The model is served, and by nobody who could serve this request.
    NoExecutableTargets,
    /// The response that the request goes on from is not known here.
    PreviousResponseNotFound,
    /// The deadline of the request passed.
    DeadlineExceeded,
    /// The answer broke after its first content.
    StreamInterrupted,
    /// No connection is configured.
    NoConnections,
    /// The hub is shutting down.
    ShuttingDown,
    /// A WebSocket was asked for without a key.
    WsAuthRequired,
    /// A WebSocket was asked for with a key that is unknown, revoked or expired.
    WsAuthInvalid,
    /// The path takes WebSockets only.
    WsUpgradeRequired,
    /// A frame of a WebSocket that the protocol does not know.
    WsInvalidFrame,
    /// A request of a WebSocket has the id of one that still runs there.
    WsIdInUse,
    /// As many requests run on one WebSocket as may.
    WsTooManyRequests,
    /// A fault of the hub itself.
    Internal,
}

impl Code {
    /// Every code, for documentation and tests.
    pub const ALL: [Self; 55] = [
        Self::MalformedRequest,
        Self::InvalidJson,
        Self::InvalidUtf8,
        Self::MissingParameter,
        Self::InvalidParameter,
        Self::BodyTooLarge,
        Self::BodyTimeout,
        Self::MissingKey,
        Self::InvalidKey,
        Self::InsufficientScope,
        Self::KeyDisabled,
        Self::AddressNotAllowed,
        Self::OutsideSchedule,
        Self::ModelNotAllowed,
        Self::PreconditionFailed,
        Self::LoginFailed,
        Self::CsrfFailed,
        Self::PasswordChangeRequired,
        Self::HostNotAllowed,
        Self::ModelNotFound,
        Self::ModelAmbiguous,
        Self::ProviderDeclined,
        Self::ProviderNotConfigured,
        Self::UnknownRoute,
        Self::MethodNotAllowed,
        Self::NotFound,
        Self::Conflict,
        Self::IdempotencyKeyReused,
        Self::IdempotencyConflict,
        Self::RateLimited,
        Self::BudgetExceeded,
        Self::BudgetUnavailable,
        Self::PriceUnknown,
        Self::TooManyFailures,
        Self::QueueFull,
        Self::QueueTimeout,
        Self::ClientClosed,
        Self::AllCoolingDown,
        Self::AllFailed,
        Self::UpstreamRefused,
        Self::NotSupported,
        Self::ContextLengthExceeded,
        Self::NoExecutableTargets,
        Self::PreviousResponseNotFound,
        Self::DeadlineExceeded,
        Self::StreamInterrupted,
        Self::NoConnections,
        Self::ShuttingDown,
        Self::WsAuthRequired,
        Self::WsAuthInvalid,
        Self::WsUpgradeRequired,
        Self::WsInvalidFrame,
        Self::WsIdInUse,
        Self::WsTooManyRequests,
        Self::Internal,
    ];

    /// The code's name, HTTP status, and what to do next.
    const fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::MalformedRequest => ("malformed_request", 400, "Send a well-formed HTTP/1.1 request."),
            Self::InvalidJson => ("invalid_json", 400, "Send a JSON object as the body."),
            Self::InvalidUtf8 => ("invalid_utf8", 400, "Encode the body as UTF-8."),
            Self::MissingParameter => ("missing_required_parameter", 400, "Add the field."),
            Self::InvalidParameter => ("invalid_parameter", 400, "Correct the field."),
            Self::BodyTooLarge => ("body_too_large", 413, "Send less, or raise `server.body_limit_mb`."),
            Self::BodyTimeout => ("body_timeout", 408, "Send the whole body without a pause."),
            Self::MissingKey => ("missing_api_key", 401, "Send `Authorization: Bearer <key>`."),
            Self::InvalidKey => ("invalid_api_key", 401, "Create a key with `trivium keys create`."),
            Self::InsufficientScope => ("insufficient_scope", 403, "Use a key that holds the scope."),
            Self::KeyDisabled => ("key_disabled", 403, "Ask the hub's operator."),
            Self::AddressNotAllowed => ("address_not_allowed", 403, "Ask the hub's operator."),
            Self::OutsideSchedule => ("outside_schedule", 403, "Come back in the hours of the key."),
            Self::ModelNotAllowed => ("model_not_allowed", 403, "See `GET /v1/models`."),
            Self::PreconditionFailed => ("precondition_failed", 412, "Read the state and decide again."),
            Self::LoginFailed => ("login_failed", 401, "If it is lost: `trivium admin password`."),
            Self::CsrfFailed => ("csrf_failed", 403, "Send `x-csrf-token`; see `GET /api/session`."),
            Self::PasswordChangeRequired => ("password_change_required", 403, "`PUT /api/session/password`."),
            Self::HostNotAllowed => ("host_not_allowed", 403, "Add the host to `server.allowed_hosts`."),
            Self::ModelNotFound => ("model_not_found", 404, "See `GET /v1/models` for what is served."),
            Self::ModelAmbiguous => ("model_ambiguous", 404, "Put the connection's id before the model."),
            Self::ProviderDeclined => ("provider_declined", 404, "Use what the message names instead."),
            Self::ProviderNotConfigured => ("provider_not_configured", 404, "Add a connection for it."),
            Self::UnknownRoute => ("unknown_route", 404, "Check the path; the API stands below `/v1`."),
            Self::MethodNotAllowed => {
                ("method_not_allowed", 405, "Use a method that the `Allow` header names.")
            }
            Self::NotFound => ("not_found", 404, "Check the id."),
            Self::Conflict => ("conflict", 409, "Read the current state and decide again."),
            Self::IdempotencyKeyReused => (
                "idempotency_key_reused",
                422,
                "Give each request a key of its own, and its repeats the same.",
            ),
            Self::IdempotencyConflict => {
                ("idempotency_conflict", 409, "To have it done once more, send it under another key.")
            }
            Self::RateLimited => ("rate_limit_exceeded", 429, "Wait as long as `Retry-After` says."),
            Self::BudgetExceeded => (
                "budget_exceeded",
                429,
                "Wait as long as `Retry-After` says, or raise the limit under `budgets`.",
            ),
            Self::BudgetUnavailable => (
                "budget_unavailable",
                503,
                "Try again in a moment; the log says what is wrong with the store.",
            ),
            Self::PriceUnknown => (
                "price_unknown",
                403,
                "Write the price under `prices`, or set the budget's `unknown_price: allow`.",
            ),
            Self::TooManyFailures => ("too_many_failed_logins", 429, "Wait as long as `Retry-After` says."),
            Self::QueueFull => ("request_queue_full", 429, "Send fewer requests at a time."),
            Self::QueueTimeout => ("request_queue_timeout", 429, "Send fewer requests at a time."),
            Self::ClientClosed => ("client_closed_request", 499, ""),
            Self::AllCoolingDown => ("all_targets_cooling_down", 503, "Wait as long as `Retry-After` says."),
            Self::AllFailed => ("all_targets_failed", 502, "Try again; the attempts say what went wrong."),
            Self::UpstreamRefused => ("upstream_refused", 400, "Correct the request."),
            Self::NotSupported => {
                ("not_supported", 400, "Use a model at a provider that has it, or ask in another way.")
            }
            Self::ContextLengthExceeded => {
                ("context_length_exceeded", 400, "Send less, or use a model with a larger context window.")
            }
            Self::NoExecutableTargets => {
                ("no_executable_targets", 404, "Ask for less, or add a model that can do it.")
            }
            Self::PreviousResponseNotFound => (
                "previous_response_not_found",
                400,
                "Send the whole conversation as `input`, or have the hub keep responses with `responses.keep: on`.",
            ),
            Self::DeadlineExceeded => ("deadline_exceeded", 504, "Try again, or raise the `timeouts`."),
            Self::StreamInterrupted => ("stream_interrupted", 502, "Send the request again."),
            Self::NoConnections => ("no_connections", 503, "Add a connection under `providers`."),
            Self::ShuttingDown => ("shutting_down", 503, "Try again in a moment."),
            Self::WsAuthRequired => {
                ("ws_auth_required", 401, "Send a key in a header, or as the subprotocol `bearer.<key>`.")
            }
            Self::WsAuthInvalid => ("ws_auth_invalid", 403, "Create a key with `trivium keys create`."),
            Self::WsUpgradeRequired => {
                ("ws_upgrade_required", 426, "Connect with a WebSocket client of version 13.")
            }
            Self::WsInvalidFrame => {
                ("ws_invalid_frame", 400, "`GET /v1/ws?handshake=1` lists the frames that there are.")
            }
            Self::WsIdInUse => ("ws_id_in_use", 409, "Give each request an id of its own."),
            Self::WsTooManyRequests => {
                ("ws_too_many_requests", 429, "Wait for an answer, or open another socket.")
            }
            Self::Internal => ("internal_error", 500, "Report it with the request id."),
        }
    }

    /// The name, as clients see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.row().1
    }

    /// What the reader of the error should do next.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        self.row().2
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_statuses_are_errors() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|code| (400..600).contains(&code.status())));
    }
}

//! An operation's error as a refusal, for every surface that calls operations.

use crate::{
    engine::{code::Code, refusal::Refusal},
    ops::OpError,
};

/// An operation's error as a refusal.
pub(super) fn refused(error: &OpError) -> Refusal {
    let code = match error {
        OpError::Forbidden { .. } => Code::InsufficientScope,
        OpError::NotFound { .. } | OpError::Lost { .. } | OpError::Refused(_) => Code::NotFound,
        OpError::TooLarge { .. } => Code::BodyTooLarge,
        OpError::Conflict(_) => Code::Conflict,
        OpError::Stale { .. } => Code::PreconditionFailed,
        OpError::Denied(refusal) => return Refusal::clone(refusal),
        OpError::Invalid(_) | OpError::Malformed(_) => Code::InvalidParameter,
        OpError::Store(_) | OpError::NoEntropy(_) => Code::Internal,
        OpError::Interrupted => Code::ShuttingDown,
    };
    let text = error.to_string();
    let mut message: String =
        text.chars().take(1).flat_map(char::to_uppercase).chain(text.chars().skip(1)).collect();
    message.push('.');
    let refusal = Refusal::new(code, message);
    match error {
        OpError::Invalid(invalid) => refusal.about(invalid.field),
        _ => refusal,
    }
}

//! Parameters of a path, with an error in the usual shape when they are no text.

use axum::extract::{Path, rejection::PathRejection};

use crate::engine::{code::Code, refusal::Refusal};

/// The parameter, decoded.
///
/// # Errors
/// When its bytes are not UTF-8.
pub(super) fn text(parameter: Result<Path<String>, PathRejection>) -> Result<String, Refusal> {
    parameter.map(|Path(text)| text).map_err(|error| {
        Refusal::new(Code::MalformedRequest, format!("The path could not be read: {}.", error.body_text()))
    })
}

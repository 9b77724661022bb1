//! What a caller may do. Every surface asks here, and operations do too, so that a key means the same everywhere.

use operations::Scope;

use super::{caller::Caller, code::Code, refusal::Refusal};

/// Checks that `caller` holds `scope`.
///
/// # Errors
/// When it does not.
pub fn require(caller: &Caller, scope: Scope) -> Result<(), Refusal> {
    if caller.may(scope) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::InsufficientScope,
        format!("The key `{}` does not hold the scope `{scope}`, which this needs.", caller.name),
    ))
}

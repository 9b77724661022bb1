//! Who is calling: a presented token becomes a [`crate::engine::caller::Caller`], or an [`AuthError`] that says
//! why not. What a caller may do is judged elsewhere, and how a token is taken from a request is the surface's.

mod error;
mod fetch;
mod gate;
mod keys;
mod mac;
mod oidc;
mod password;
mod policy;
pub mod ports;
mod sessions;
mod signed;
#[cfg(test)]
pub(crate) mod test_clock;
mod throttle;
mod token;
mod tokens;

pub use error::AuthError;
pub use gate::Gate;
pub use keys::{KeyIndex, caller_of, local_caller};
pub use mac::hmac;
pub use oidc::{Begun, Oidc, OidcError, Person};
pub use password::{PasswordError, generated, hashed, is_right};
pub use policy::compiled;
pub use sessions::{ABSOLUTE_MS, SessionIndex, Visitor, csrf_of};
pub use throttle::{FailureThrottle, ThrottleLimits};
pub use token::{NoEntropy, Token};
pub use tokens::Tokens;

//! What a provider means by an error: rules as data, read from the top, and the first that fits decides. What no rule
//! names is told by its status (`refusal`) or its class (`reported`). How far a kind reaches is not said here but in
//! `engine::fault`.
//!
//! Words before statuses: a 403 may be a rate limit, a 400 an empty purse and a 429 a closed account. But a message may
//! quote what the client wrote. So where the client has a say in it (a wrong request, a model that is not known, anything
//! inside of a stream), a text is searched only for what concerns that request or model; what concerns the account must
//! be a code, or stand at the beginning. A test holds the table to that.

mod rules;
mod said;

#[cfg(test)]
mod tests;

pub(super) use rules::Rule;
pub(super) use said::Said;

use crate::engine::fault::FaultKind;

/// How a rule knows an error.
#[derive(Debug, Clone, Copy)]
enum Says {
    /// By one of its codes, types or reasons.
    Code(&'static [&'static str]),
    /// By a part of one, as in the ids of Google's quotas.
    CodeWith(&'static [&'static str]),
    /// By the beginning of its message, in lower case.
    Start(&'static [&'static str]),
    /// By any part of its message, in lower case.
    Text(&'static [&'static str]),
}

/// The first rule that fits an error of a provider; `status` is 0 inside of a stream.
pub(super) fn rule_for(provider: &str, status: u16, said: &Said) -> Option<&'static Rule> {
    rules::RULES.iter().find(|rule| rule.fits(provider, status, said))
}

impl Rule {
    /// What it means.
    pub(super) const fn kind(&self) -> FaultKind {
        self.kind
    }

    /// Whether the provider's word on when to come back is to be believed.
    pub(super) const fn is_believed(&self) -> bool {
        self.believed
    }

    fn fits(&self, provider: &str, status: u16, said: &Said) -> bool {
        (self.of.is_empty() || self.of.contains(&provider))
            && (self.status.is_empty() || self.status.contains(&status))
            && match self.says {
                Says::Code(codes) => {
                    said.codes.iter().any(|code| codes.iter().any(|one| one.eq_ignore_ascii_case(code)))
                }
                Says::CodeWith(parts) => {
                    said.codes.iter().any(|code| parts.iter().any(|part| code.contains(part)))
                }
                Says::Start(starts) => starts.iter().any(|start| said.message.starts_with(start)),
                Says::Text(parts) => parts.iter().any(|part| said.message.contains(part)),
            }
    }
}

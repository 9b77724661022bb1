//! Why a request got no answer, in the words that a surface renders for its client.

use std::time::Duration;

use super::{
    code::Code,
    fault::{Fault, PassedOn},
    policy::Told,
    receipt::{AttemptRecord, SkipRecord},
};

/// An error for a client, before it has the shape of any dialect.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Which row of the table of codes.
    pub code: Code,
    /// What happened and why. The surface adds the code's remedy.
    pub message: Box<str>,
    /// The field at fault, if a single one is.
    pub param: Option<&'static str>,
    /// When to try again.
    pub retry_after: Option<Duration>,
    /// How the limits of the caller stand, where it is one of them that refuses, and no provider's.
    pub rate: Option<Box<Told>>,
    /// What was tried. For callers who may see the topology.
    pub attempts: Vec<AttemptRecord>,
    /// What was not tried, and why. For callers who may see the topology.
    pub skipped: Vec<SkipRecord>,
    /// The provider's status, where it is the client's to see.
    pub upstream_status: Option<u16>,
    /// The provider's own answer, where that is what the client should get.
    pub passed_on: Option<Box<PassedOn>>,
}

impl Refusal {
    /// A refusal with nothing but a code and words.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into().into_boxed_str(),
            param: None,
            retry_after: None,
            rate: None,
            attempts: Vec::new(),
            skipped: Vec::new(),
            upstream_status: None,
            passed_on: None,
        }
    }

    /// The same with the field at fault.
    #[must_use]
    pub const fn about(mut self, param: &'static str) -> Self {
        self.param = Some(param);
        self
    }

    /// The same with a time to wait.
    #[must_use]
    pub const fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// A verdict on the request itself: the client gets what the provider said, or what is said in its place where the
    /// request was not fit to be put to it.
    #[must_use]
    pub fn passed_on(fault: Fault) -> Self {
        let (code, message) = match fault.status {
            Some(_) => (Code::UpstreamRefused, format!("The provider {}", fault.message)),
            None => (Code::InvalidParameter, fault.message),
        };
        let mut refusal = Self::new(code, message);
        refusal.upstream_status = fault.status;
        refusal.passed_on = fault.answer;
        refusal
    }

    /// The status that the client gets.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.upstream_status.unwrap_or(self.code.status())
    }
}

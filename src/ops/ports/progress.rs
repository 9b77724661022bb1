//! Telling a caller how far something has come, while it is worked on.

/// Somebody who listens while an operation is worked on. Must not block, and may be told more than it passes on.
pub trait Progress: Send + Sync {
    /// So much is done, of so much where that is known; with words for people, such as the next piece of an answer.
    fn report(&self, done: f64, total: Option<f64>, message: String);
}

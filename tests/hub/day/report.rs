//! What came of one day.

use trivium::{engine::settings::Strategy, ops::ports::ReceiptRow};

/// The figures of one day. Equal days are equal in every figure.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Report {
    pub(super) strategy: Strategy,
    /// Requests in all, those that were answered to the end, and those whose answer broke off before the client's eyes.
    pub(super) requests: usize,
    pub(super) whole: usize,
    pub(super) cut: usize,
    /// The time to the first content of each stream, in milliseconds, sorted.
    first: Vec<u32>,
    /// Picodollars.
    pub(super) cost: u64,
    /// Calls of providers that failed, in all; those whose answer broke off are among them.
    pub(super) wasted: usize,
    /// Turns that went on from another, and those of them that met the account of the turn before.
    pub(super) later: usize,
    pub(super) warm: usize,
    /// What the hub says that it sent, and what the simulator says that it got.
    sent: usize,
    got: u64,
    /// The same for what accounts with windows were used for: the account, the ledger's count, the simulator's.
    ledger: Vec<(String, u64, u64)>,
}

/// What the clients saw.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    pub(super) requests: usize,
    pub(super) whole: usize,
    pub(super) later: usize,
    pub(super) warm: usize,
}

impl Report {
    pub(super) fn new(
        strategy: Strategy,
        seen: Seen,
        receipts: &[ReceiptRow],
        got: u64,
        ledger: Vec<(String, u64, u64)>,
    ) -> Self {
        let ended = |how: &str| receipts.iter().filter(|row| row.outcome == how).count();
        // What the clients saw is what the receipts say.
        assert_eq!((seen.requests, seen.whole), (receipts.len(), ended("completed")));
        let attempts = || receipts.iter().flat_map(|row| &row.detail.attempts);
        let streams = receipts.iter().filter(|row| row.detail.stream);
        let mut first: Vec<u32> = streams.filter_map(|row| row.detail.first_content_ms).collect();
        first.sort_unstable();
        Self {
            strategy,
            requests: seen.requests,
            whole: seen.whole,
            cut: ended("interrupted"),
            first,
            cost: receipts.iter().filter_map(|row| row.cost).map(|cost| cost.pico()).sum(),
            wasted: attempts().filter(|attempt| attempt.fault.is_some()).count(),
            later: seen.later,
            warm: seen.warm,
            sent: attempts().count(),
            got,
            ledger,
        }
    }

    /// The time to the first content that so many of a hundred streams kept, in milliseconds.
    pub(super) fn first_content(&self, percent: usize) -> u32 {
        self.first[(self.first.len() * percent).div_ceil(100) - 1]
    }

    /// The mean of it.
    pub(super) fn mean_first_content(&self) -> f64 {
        self.first.iter().copied().map(f64::from).sum::<f64>() / self.first.len() as f64
    }

    /// What holds of every strategy.
    pub(super) fn check(&self) {
        assert_eq!(
            self.sent as u64,
            self.got,
            "{}: every call has its place in a receipt",
            self.strategy.as_str()
        );
        for (account, counted, served) in &self.ledger {
            assert_eq!(counted, served, "{}: the ledger of {account}", self.strategy.as_str());
        }
        // There is always an account that could answer. What breaks off after its first content no hub can mend.
        let refused = self.requests - self.whole - self.cut;
        assert!(refused * 1000 <= self.requests, "{}: {refused} refused", self.strategy.as_str());
        assert!(
            self.whole * 100 >= self.requests * 97,
            "{}: {} of {}",
            self.strategy.as_str(),
            self.whole,
            self.requests
        );
    }
}

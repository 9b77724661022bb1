//! Exhaust, also known as fill-first: stay with the first target until it is limited, then go to the next; go
//! back to the first as soon as it may be used again. The configured order is the whole strategy.

/// The order of `count` targets.
pub(super) fn order(count: usize) -> Vec<usize> {
    (0..count).collect()
}

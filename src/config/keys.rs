//! The section `keys`: how often each key may ask that says nothing of its own.

use super::{
    effective::Sink,
    fields::Fields,
    schema::{Key, Section},
};
use crate::engine::settings::KeyLimits;

const KIND: &str = "a whole number from 0 (no limit) to 1000000000000";

const REQUESTS_PER_MINUTE: Key = Key::new("requests_per_minute", KIND, "60");
const REQUESTS_PER_HOUR: Key = Key::new("requests_per_hour", KIND, "1000");
const REQUESTS_PER_DAY: Key = Key::new("requests_per_day", KIND, "5000");
const REQUESTS_PER_WEEK: Key = Key::new("requests_per_week", KIND, "25000");
const REQUESTS_PER_MONTH: Key = Key::new("requests_per_month", KIND, "100000");
const TOKENS_PER_MINUTE: Key = Key::new("tokens_per_minute", KIND, "200000");
const TOKENS_PER_DAY: Key = Key::new("tokens_per_day", KIND, "20000000");
const CONCURRENT: Key = Key::new("concurrent", KIND, "16");

pub(super) static SECTION: Section = Section {
    name: "keys",
    keys: &[
        REQUESTS_PER_MINUTE,
        REQUESTS_PER_HOUR,
        REQUESTS_PER_DAY,
        REQUESTS_PER_WEEK,
        REQUESTS_PER_MONTH,
        TOKENS_PER_MINUTE,
        TOKENS_PER_DAY,
        CONCURRENT,
    ],
};

const MOST: u64 = 1_000_000_000_000;

pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> KeyLimits {
    // What is not written says nothing, and what is written as 0 says that there is no limit.
    let mut limit = |key: &Key| {
        let number = fields.number(sink, key, 0..=MOST, 0);
        fields.node(key).map(|_| number)
    };
    let windows = [
        limit(&REQUESTS_PER_MINUTE),
        limit(&REQUESTS_PER_HOUR),
        limit(&REQUESTS_PER_DAY),
        limit(&REQUESTS_PER_WEEK),
        limit(&REQUESTS_PER_MONTH),
        limit(&TOKENS_PER_MINUTE),
        limit(&TOKENS_PER_DAY),
    ];
    let limits = KeyLimits { windows, concurrent: limit(&CONCURRENT) }.with_usual_weeks();
    if limits.in_force().is_empty() { KeyLimits::default() } else { limits }
}

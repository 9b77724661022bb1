//! The section `resilience`: how long what is left alone, and what is tried again. A profile gives all numbers, and each
//! can be set by itself. What they mean is said in `engine::settings`.

use super::{
    effective::Sink,
    fields::Fields,
    schema::{Key, Section},
};
use crate::engine::settings::{BreakerLimits, Profile, Resilience};

const PROFILE: Key = Key::new("profile", "`aggressive`, `balanced` or `conservative`", "balanced");
const COUNT: &str = "a whole number from 1 to 1000";
const PAUSE: &str = "seconds from 0.1 to 604800 (a week)";
const DOUBLINGS: Key = Key::new("cooldown_doublings", "a whole number from 0 to 16", "3");
const PASSING: Key = Key::new("passing_seconds", PAUSE, "5");
const MODEL: Key = Key::new("model_seconds", PAUSE, "120");
const MODEL_LONGEST: Key = Key::new("model_longest_seconds", PAUSE, "1800");
const DEGRADED: Key = Key::new("breaker_degraded", COUNT, "7");
const OPEN: Key = Key::new("breaker_open", COUNT, "12");
const RESET: Key = Key::new("breaker_reset_seconds", PAUSE, "30");
const LOCAL_DEGRADED: Key = Key::new("local_breaker_degraded", COUNT, "1");
const LOCAL_OPEN: Key = Key::new("local_breaker_open", COUNT, "2");
const LOCAL_RESET: Key = Key::new("local_breaker_reset_seconds", PAUSE, "15");
const BREAKER_LONGEST: Key = Key::new("breaker_longest_seconds", PAUSE, "300");
const CONFIRMATIONS: Key = Key::new("confirmations", "a whole number from 1 to 100", "3");
const RETEST: Key = Key::new("retest_seconds", PAUSE, "3600");
const RETEST_LONGEST: Key = Key::new("retest_longest_seconds", PAUSE, "86400");
const RETRIES: Key = Key::new("retries", "a whole number from 0 to 10", "2");
const RETRY_PAUSE: Key = Key::new("retry_pause_seconds", "seconds from 0 to 60", "2");

pub(super) static SECTION: Section = Section {
    name: "resilience",
    keys: &[
        PROFILE,
        DOUBLINGS,
        PASSING,
        MODEL,
        MODEL_LONGEST,
        DEGRADED,
        OPEN,
        RESET,
        LOCAL_DEGRADED,
        LOCAL_OPEN,
        LOCAL_RESET,
        BREAKER_LONGEST,
        CONFIRMATIONS,
        RETEST,
        RETEST_LONGEST,
        RETRIES,
        RETRY_PAUSE,
    ],
};

const PROFILES: [(&str, Profile); 3] = [
    (Profile::Aggressive.as_str(), Profile::Aggressive),
    (Profile::Balanced.as_str(), Profile::Balanced),
    (Profile::Conservative.as_str(), Profile::Conservative),
];

pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> Resilience {
    let default = Resilience::of(fields.choice(sink, &PROFILE, &PROFILES, Profile::default()));
    let doublings = fields.number(sink, &DOUBLINGS, 0..=16, default.doublings);
    let mut pause = |key, default| fields.seconds(sink, key, 0.1..=604_800.0, default);
    let passing = pause(&PASSING, default.passing);
    let model = pause(&MODEL, default.model);
    let model_longest = pause(&MODEL_LONGEST, default.model_longest);
    let breaker_longest = pause(&BREAKER_LONGEST, default.breaker_longest);
    let retest = pause(&RETEST, default.retest);
    let retest_longest = pause(&RETEST_LONGEST, default.retest_longest);
    let breaker = breaker(fields, sink, [&DEGRADED, &OPEN, &RESET], default.breaker);
    let keys = [&LOCAL_DEGRADED, &LOCAL_OPEN, &LOCAL_RESET];
    let local_breaker = self::breaker(fields, sink, keys, default.local_breaker);
    Resilience {
        doublings,
        passing,
        model,
        model_longest,
        breaker,
        local_breaker,
        breaker_longest,
        confirmations: fields.number(sink, &CONFIRMATIONS, 1..=100, default.confirmations),
        retest,
        retest_longest,
        retries: fields.number(sink, &RETRIES, 0..=10, default.retries),
        retry_pause: fields.seconds(sink, &RETRY_PAUSE, 0.0..=60.0, default.retry_pause),
    }
}

fn breaker(
    fields: &Fields<'_>,
    sink: &mut Sink,
    [degraded, open, reset]: [&Key; 3],
    default: BreakerLimits,
) -> BreakerLimits {
    BreakerLimits {
        degraded: fields.number(sink, degraded, 1..=1000, default.degraded),
        open: fields.number(sink, open, 1..=1000, default.open),
        reset: fields.seconds(sink, reset, 0.1..=604_800.0, default.reset),
    }
}

//! The section `timeouts`: how long to wait for a provider. What each means is said in `engine::settings`.

use super::{
    effective::Sink,
    fields::Fields,
    schema::{Key, Section},
};
use crate::engine::settings::Timeouts;

const KIND: &str = "seconds from 0.001 to 86400 (a day)";
const CONNECT: Key = Key::new("connect_seconds", KIND, "10");
const RESPONSE_START: Key = Key::new("response_start_seconds", KIND, "120");
const FIRST_CONTENT: Key = Key::new("first_content_seconds", KIND, "300");
const IDLE: Key = Key::new("idle_seconds", KIND, "300");
const TOTAL: Key = Key::new("total_seconds", KIND, "3600");

pub(super) static SECTION: Section =
    Section { name: "timeouts", keys: &[CONNECT, RESPONSE_START, FIRST_CONTENT, IDLE, TOTAL] };

pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> Timeouts {
    let default = Timeouts::default();
    let mut seconds = |key, default| fields.seconds(sink, key, 0.001..=86_400.0, default);
    Timeouts {
        connect: seconds(&CONNECT, default.connect),
        response_start: seconds(&RESPONSE_START, default.response_start),
        first_content: seconds(&FIRST_CONTENT, default.first_content),
        idle: seconds(&IDLE, default.idle),
        total: seconds(&TOTAL, default.total),
    }
}

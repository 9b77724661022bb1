//! The section `diagnosis`: whether the hub looks by itself whether connections are as they are configured.

use super::{
    effective::Sink,
    fields::Fields,
    schema::{Key, SWITCH, Section},
};
use crate::engine::settings::DiagnosisSettings;

const ENABLED: Key = Key::new("enabled", "`on` or `off`", "off").short("AUTO_ENDPOINT_DIAGNOSIS_ENABLED");
const INTERVAL: Key = Key::new("interval_seconds", "seconds from 60 to 2592000 (30 days)", "86400")
    .short("AUTO_ENDPOINT_DIAGNOSIS_INTERVAL_SECONDS");
const DELAY: Key = Key::new("start_delay_seconds", "seconds from 0 to 86400", "60")
    .short("AUTO_ENDPOINT_DIAGNOSIS_STARTUP_DELAY_SECONDS");
const MAINTENANCE: Key =
    Key::new("safe_maintenance", "`on` or `off`", "off").short("AUTO_ENDPOINT_MAINTENANCE_ENABLED");

pub(super) static SECTION: Section =
    Section { name: "diagnosis", keys: &[ENABLED, INTERVAL, DELAY, MAINTENANCE] };

const MONTH: f64 = 2_592_000.0;
const DAY: f64 = 86_400.0;

pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> DiagnosisSettings {
    let default = DiagnosisSettings::default();
    DiagnosisSettings {
        enabled: fields.choice(sink, &ENABLED, &SWITCH, default.enabled),
        interval: fields.seconds(sink, &INTERVAL, 60.0..=MONTH, default.interval),
        start_delay: fields.seconds(sink, &DELAY, 0.0..=DAY, default.start_delay),
        safe_maintenance: fields.choice(sink, &MAINTENANCE, &SWITCH, default.safe_maintenance),
    }
}

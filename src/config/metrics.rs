//! The section `metrics`: whether Prometheus may read, and who.

use super::{
    effective::Sink,
    fields::Fields,
    schema::{Key, SWITCH, Section},
};
use crate::engine::settings::MetricsSettings;

const ENABLED: Key = Key::new("enabled", "`on` or `off`", "on");
const OPEN: Key = Key::new("open_on_loopback", "`on` or `off`", "on");

pub(super) static SECTION: Section = Section { name: "metrics", keys: &[ENABLED, OPEN] };

pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> MetricsSettings {
    let default = MetricsSettings::default();
    MetricsSettings {
        enabled: fields.choice(sink, &ENABLED, &SWITCH, default.enabled),
        open_on_loopback: fields.choice(sink, &OPEN, &SWITCH, default.open_on_loopback),
    }
}

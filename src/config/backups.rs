//! The section `backups`: how often the hub copies its store by itself, and how many of those copies stay.

use std::time::Duration;

use super::{
    effective::Sink,
    fields::Fields,
    schema::{Key, Section},
};

const EVERY: Key = Key::new("every_hours", "a whole number from 0 to 8760 (a year)", "24");
const KEEP: Key = Key::new("keep", "a whole number from 1 to 1000", "7");

pub(super) static SECTION: Section = Section { name: "backups", keys: &[EVERY, KEEP] };

const HOUR: u64 = 3600;

/// When the hub copies its store by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupSchedule {
    /// How often; `None`: never.
    pub every: Option<Duration>,
    /// How many of them stay.
    pub keep: usize,
}

impl Default for BackupSchedule {
    /// Once a day, for a week.
    fn default() -> Self {
        Self { every: Some(Duration::from_secs(24 * HOUR)), keep: 7 }
    }
}

pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> BackupSchedule {
    let default = BackupSchedule::default();
    let hours =
        fields.number(sink, &EVERY, 0..=8760, default.every.map_or(0, |every| every.as_secs() / HOUR));
    let keep = fields.number(sink, &KEEP, 1..=1000, default.keep);
    BackupSchedule { every: (hours > 0).then(|| Duration::from_secs(hours * HOUR)), keep }
}

//! What the operating system says of the process, under the names that Prometheus's own libraries use. Linux tells it; elsewhere
//! only the start and the version are told.

use crate::observe::exposition::{Exposition, Kind};

/// Ticks of a processor's time in a second, which is the same for every program on Linux.
const TICKS: f64 = 100.0;

pub(super) fn write(text: &mut Exposition, started_at: i64) {
    text.family("trivium_build_info", Kind::Gauge, "1, with the version.");
    text.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    let help = "When the hub started, in seconds since the Unix epoch.";
    text.family("process_start_time_seconds", Kind::Gauge, help);
    text.sample(&[], started_at as f64 / 1000.0);
    if let Some(bytes) = resident() {
        text.family("process_resident_memory_bytes", Kind::Gauge, "Memory that the process holds.");
        text.sample(&[], bytes);
    }
    if let Some(seconds) = processor() {
        text.family(
            "process_cpu_seconds_total",
            Kind::Counter,
            "Time that processors worked for the process.",
        );
        text.sample(&[], seconds);
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        text.family("process_open_fds", Kind::Gauge, "Open files and sockets.");
        text.sample(&[], open.count());
    }
}

/// Memory that the process holds, in bytes.
pub(in crate::ops) fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

fn processor() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name before may hold anything, even parentheses.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) / TICKS)
}

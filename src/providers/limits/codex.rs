//! `x-codex-{primary,secondary}-*`: the two windows of a ChatGPT subscription, in percent. Which of them is the one of five
//! hours and which the week is told by their length alone: plans differ.

use super::{Headers, reading};
use crate::engine::{ports::Reading, settings::Span};

/// A window's name where its length is none of the usual ones, and its headers: percent, minutes, time of the reset, and
/// seconds to the reset.
const WINDOWS: [(&str, [&str; 4]); 2] = [
    (
        "primary",
        [
            "x-codex-primary-used-percent",
            "x-codex-primary-window-minutes",
            "x-codex-primary-reset-at",
            "x-codex-primary-reset-after-seconds",
        ],
    ),
    (
        "secondary",
        [
            "x-codex-secondary-used-percent",
            "x-codex-secondary-window-minutes",
            "x-codex-secondary-reset-at",
            "x-codex-secondary-reset-after-seconds",
        ],
    ),
];

pub(super) fn read(headers: &Headers<'_>, found: &mut Vec<Reading>) {
    for (slot, [percent, minutes, at, after]) in WINDOWS {
        let Some(percent) = headers.number(percent) else { continue };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be within the range"
        )]
        let span = headers
            .number(minutes)
            .filter(|minutes| (1.0..=31.0 * 1440.0).contains(minutes))
            .map(|minutes| Span::Seconds(minutes as u32 * 60));
        let name = match span {
            Some(Span::FIVE_HOURS) => "5h",
            Some(Span::WEEK) => "week",
            _ => slot,
        };
        let resets_at = headers.reset(at).or_else(|| headers.reset(after));
        let used = (percent / 100.0).min(1.0);
        found.push(Reading { used, resets_at, ..reading(name, None, span) });
    }
}

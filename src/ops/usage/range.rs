//! Which hours and which days together make a time: whole days where there are any, hours at both ends. Where hours are no
//! longer kept, their whole day is taken.

use crate::ops::ports::usage::{DAY_MS, HOUR_MS};

/// A time in pieces that are kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cover {
    /// Where it begins, in milliseconds since the Unix epoch.
    pub(super) since: i64,
    /// Where it ends.
    pub(super) until: i64,
    /// In time.
    pub(super) pieces: Vec<Piece>,
}

/// Hours, or days, in a row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) span_ms: i64,
    pub(super) from: i64,
    pub(super) until: i64,
}

impl Cover {
    /// Whole days.
    pub(super) fn days(since: i64, until: i64) -> Self {
        Self::one(DAY_MS, down(since, DAY_MS), up(until, DAY_MS))
    }

    /// Hours, as far back as they are kept.
    pub(super) fn hours(since: i64, until: i64, oldest: Option<i64>) -> Self {
        let (from, until) = (down(since, HOUR_MS), up(until, HOUR_MS));
        Self::one(HOUR_MS, from.max(oldest.unwrap_or(from)).min(until), until)
    }

    /// Whole days, and hours at both ends.
    pub(super) fn mixed(since: i64, until: i64, oldest: Option<i64>) -> Self {
        // Hours are deleted by whole days: the day of the oldest is still there from its beginning.
        let has_hours = |day: i64| oldest.is_some_and(|oldest| down(oldest, DAY_MS) <= day);
        let (mut from, mut end) = (down(since, HOUR_MS), up(until, HOUR_MS));
        // The day of an end whose hours may be gone is taken as a whole.
        if !has_hours(down(from, DAY_MS)) {
            from = down(from, DAY_MS);
        }
        if !has_hours(down(end, DAY_MS)) {
            end = up(end, DAY_MS);
        }
        let (first, last) = (up(from, DAY_MS), down(end, DAY_MS));
        let mut pieces = Vec::new();
        if first >= last {
            // Hours of one day, or of two that follow each other.
            pieces.push(Piece { span_ms: HOUR_MS, from, until: end });
        } else {
            pieces.push(Piece { span_ms: HOUR_MS, from, until: first });
            pieces.push(Piece { span_ms: DAY_MS, from: first, until: last });
            pieces.push(Piece { span_ms: HOUR_MS, from: last, until: end });
        }
        pieces.retain(|piece| piece.from < piece.until);
        Self { since: from, until: end, pieces }
    }

    fn one(span_ms: i64, since: i64, until: i64) -> Self {
        let piece = Piece { span_ms, from: since, until };
        Self { since, until, pieces: if since < until { vec![piece] } else { Vec::new() } }
    }
}

const fn down(at: i64, span: i64) -> i64 {
    at - at.rem_euclid(span)
}

const fn up(at: i64, span: i64) -> i64 {
    down(at.saturating_add(span - 1), span)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 20_000 * DAY_MS;

    fn piece(span_ms: i64, from: i64, until: i64) -> Piece {
        Piece { span_ms, from, until }
    }

    #[test]
    fn whole_days_lie_between_hours() {
        let cover = Cover::mixed(DAY - HOUR_MS - 5, DAY + 2 * DAY_MS + 1, Some(DAY - 30 * DAY_MS));
        assert_eq!((cover.since, cover.until), (DAY - 2 * HOUR_MS, DAY + 2 * DAY_MS + HOUR_MS));
        assert_eq!(
            cover.pieces,
            [
                piece(HOUR_MS, DAY - 2 * HOUR_MS, DAY),
                piece(DAY_MS, DAY, DAY + 2 * DAY_MS),
                piece(HOUR_MS, DAY + 2 * DAY_MS, DAY + 2 * DAY_MS + HOUR_MS),
            ]
        );
    }

    #[test]
    fn nothing_is_counted_twice_and_nothing_left_out() {
        for oldest in [None, Some(DAY - DAY_MS), Some(DAY), Some(DAY + 5 * HOUR_MS), Some(DAY + 9 * DAY_MS)] {
            for since in (0..60).map(|hour| DAY + hour * HOUR_MS + 7) {
                for until in (1..70).map(|hours| since + hours * HOUR_MS) {
                    let cover = Cover::mixed(since, until, oldest);
                    assert!(cover.since <= since && cover.until >= until);
                    let mut at = cover.since;
                    for piece in &cover.pieces {
                        assert_eq!((piece.from, piece.from % piece.span_ms), (at, 0));
                        assert_eq!(piece.until % piece.span_ms, 0);
                        at = piece.until;
                        let kept = piece.span_ms == DAY_MS
                            || oldest.is_some_and(|old| piece.from >= down(old, DAY_MS));
                        assert!(kept, "{oldest:?} {cover:?}");
                    }
                    assert_eq!(at, cover.until);
                }
            }
        }
    }

    #[test]
    fn days_stand_in_for_hours_that_are_gone() {
        let cover = Cover::mixed(DAY + HOUR_MS, DAY + 2 * HOUR_MS, Some(DAY + 9 * DAY_MS));
        assert_eq!(cover.pieces, [piece(DAY_MS, DAY, DAY + DAY_MS)]);
        let cover = Cover::hours(DAY, DAY + DAY_MS, Some(DAY + 5 * HOUR_MS));
        assert_eq!((cover.since, cover.until), (DAY + 5 * HOUR_MS, DAY + DAY_MS));
    }
}

//! Who asks during the day: conversations by a daily curve, and a thousand agents at noon. Everything follows from the seed.

use super::chance::Chance;

const SEED: u64 = 2026;

const SECOND: u64 = 1000;
const HOUR: u64 = 3600 * SECOND;

/// Conversations that begin in each hour of the day.
const CURVE: [u64; 24] = [3, 2, 2, 1, 1, 2, 4, 6, 9, 12, 14, 14, 12, 12, 14, 14, 13, 12, 9, 8, 7, 6, 5, 4];

/// Agents that begin at noon, within this many milliseconds.
const AGENTS: u64 = 1000;
const RUSH: u64 = 60 * SECOND;

/// A conversation, whose turns come one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Talk {
    /// A number of its own.
    pub(super) number: u64,
    /// Its beginning, in milliseconds since midnight.
    pub(super) begins: u64,
    pub(super) turns: u64,
    /// Milliseconds from an answer to the next question.
    pub(super) pause: u64,
    pub(super) stream: bool,
    /// Whether the client gives it a name.
    pub(super) is_named: bool,
    /// The words of its system prompt.
    pub(super) words: usize,
}

/// The conversations of the day.
pub(super) fn talks() -> Vec<Talk> {
    let mut chance = Chance::new(SEED);
    let mut talks = Vec::new();
    for (hour, count) in (0..).zip(CURVE) {
        for _ in 0..count {
            let begins = hour * HOUR + chance.within(0..HOUR);
            let (turns, pause) = (chance.within(2..9), chance.within(15..90) * SECOND);
            talks.push(talk(&mut chance, begins, turns, pause));
        }
    }
    for _ in 0..AGENTS {
        let begins = 12 * HOUR + chance.within(0..RUSH);
        let (turns, pause) = (chance.within(1..4), chance.within(5..25) * SECOND);
        talks.push(talk(&mut chance, begins, turns, pause));
    }
    for (number, talk) in (0..).zip(&mut talks) {
        talk.number = number;
    }
    talks
}

fn talk(chance: &mut Chance, begins: u64, turns: u64, pause: u64) -> Talk {
    let (stream, is_named) = (chance.percent(60), chance.percent(30));
    Talk {
        number: 0,
        begins,
        turns,
        pause,
        stream,
        is_named,
        words: if chance.percent(50) { 40 } else { 240 },
    }
}

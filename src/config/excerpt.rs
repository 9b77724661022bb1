//! The line that a problem is about, with the place to point at. Secrets are masked on the way in,
//! so an excerpt can be kept and printed anywhere.

use super::{mask, origin::Origin};

/// Longer lines are shown as a window around the place.
const WIDTH: usize = 100;

/// A line of the configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The line's number, from 1.
    pub line: usize,
    /// The line, secrets masked, without control characters.
    pub text: String,
    /// Characters before the place.
    pub start: usize,
    /// Characters to underline, at least one.
    pub length: usize,
}

impl Excerpt {
    pub(super) fn at(lines: &[&str], origin: &Origin) -> Option<Self> {
        let Origin::File { line, column, .. } = origin else { return None };
        let index = line.checked_sub(1)?;
        lines.get(index)?;
        let masked: Vec<char> = mask::line(lines, index).chars().map(mask::harmless).collect();
        if masked.iter().all(|c| c.is_whitespace()) {
            return None;
        }
        // Masking may have shortened the line: then the end of what is left is pointed at.
        let start = column.saturating_sub(1).min(masked.len() - 1);
        let skip = if start + 20 > WIDTH { start - 20 } else { 0 };
        let text: String = masked.iter().skip(skip).take(WIDTH).collect();
        let length =
            masked[start..].iter().take_while(|c| !c.is_whitespace() && !",:]}".contains(**c)).count();
        let start = start - skip;
        Some(Self {
            line: *line,
            length: length.clamp(1, WIDTH - start),
            text: text.trim_end().to_owned(),
            start,
        })
    }
}

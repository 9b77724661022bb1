//! Server-sent events as bytes: where one event ends and what its data is. What the data
//! means is each dialect's own business.
//!
//! Lines end with LF or CRLF. (The specification also allows a lone CR, which no provider
//! sends, and which could not be told from half a CRLF at the end of a packet.) U+2028 and
//! the like are not line ends here.

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};
use memchr::{memchr, memchr_iter};

/// Splits a byte stream into events, whatever its packets look like: without copying events that
/// arrive in one packet, and in linear time for those that arrive in many.
#[derive(Debug, Default)]
pub struct Splitter {
    /// The packet that came last, as long as nothing is left over from earlier ones.
    packet: Bytes,
    /// The beginning of an event whose end has not come yet.
    partial: BytesMut,
    /// How much of what is pending is known to hold no end of an event.
    seen: usize,
}

impl Splitter {
    /// Adds a packet.
    pub fn push(&mut self, packet: Bytes) {
        if self.pending() == 0 {
            self.packet = packet;
            return;
        }
        let left = std::mem::take(&mut self.packet);
        self.partial.extend_from_slice(&left);
        self.partial.extend_from_slice(&packet);
    }

    /// Takes the next whole event, its blank line included.
    pub fn next_event(&mut self) -> Option<Bytes> {
        let bytes = if self.partial.is_empty() { &self.packet[..] } else { &self.partial[..] };
        let Some(end) = find_end(bytes, self.seen) else {
            // The last byte may be the line end before a blank line that is still to come.
            self.seen = bytes.len().saturating_sub(1);
            return None;
        };
        self.seen = 0;
        Some(if self.partial.is_empty() {
            self.packet.split_to(end)
        } else {
            self.partial.split_to(end).freeze()
        })
    }

    /// Bytes that wait for the rest of their event.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.packet.len() + self.partial.len()
    }

    /// Takes what is left when the stream is over: an event without its blank line, or nothing.
    pub fn rest(&mut self) -> Option<Bytes> {
        self.seen = 0;
        let rest = if self.partial.is_empty() {
            std::mem::take(&mut self.packet)
        } else {
            std::mem::take(&mut self.partial).freeze()
        };
        rest.iter().any(|byte| !byte.is_ascii_whitespace()).then_some(rest)
    }
}

/// Where the first event of `bytes` ends, given that no line end before `seen` ends one.
fn find_end(bytes: &[u8], seen: usize) -> Option<usize> {
    for at in memchr_iter(b'\n', &bytes[seen..]).map(|at| at + seen) {
        let line_end = if bytes[..at].last() == Some(&b'\r') { at - 1 } else { at };
        // A line that is empty and not the first of the event ends it.
        if line_end > 0 && bytes[line_end - 1] == b'\n' {
            return Some(at + 1);
        }
    }
    None
}

/// The data of an event, its lines joined by LF; `None` for an event that has none, such as a comment.
#[must_use]
pub fn data(event: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut found: Option<Cow<'_, [u8]>> = None;
    let mut rest = event;
    while !rest.is_empty() {
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(value) = line.strip_prefix(b"data:") else { continue };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        found = Some(match found {
            None => Cow::Borrowed(value),
            Some(earlier) => {
                let mut joined = earlier.into_owned();
                joined.push(b'\n');
                joined.extend_from_slice(value);
                Cow::Owned(joined)
            }
        });
    }
    found
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use proptest::prelude::*;

    use super::*;

    fn split(packets: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut splitter = Splitter::default();
        let mut events = Vec::new();
        for packet in packets {
            splitter.push(Bytes::copy_from_slice(packet));
            while let Some(event) = splitter.next_event() {
                events.push(event.to_vec());
            }
        }
        events.extend(splitter.rest().map(|rest| rest.to_vec()));
        events
    }

    #[test]
    fn events_end_at_blank_lines_of_either_kind() {
        let events = split(&[b"data: a\n\ndata: b\r\n\r\n: note\n\ndata: c"]);
        assert_eq!(events, [&b"data: a\n\n"[..], b"data: b\r\n\r\n", b": note\n\n", b"data: c"]);
    }

    #[test]
    fn data_is_joined_and_comments_have_none() {
        assert_eq!(data(b"event: x\ndata: 1\ndata:2\n\n").unwrap().as_ref(), b"1\n2");
        assert_eq!(data(b"data: {}\r\n\r\n").unwrap().as_ref(), b"{}");
        assert!(data(b": processing\n\n").is_none());
    }

    #[test]
    fn a_line_separator_of_unicode_does_not_split() {
        let event = "data: a\u{2028}b\n\n".as_bytes();
        assert_eq!(split(&[event]), [event]);
    }

    proptest! {
        #[test]
        fn packets_do_not_matter(cuts in proptest::collection::vec(0usize..64, 0..12)) {
            let whole: &[u8] = b"data: one\r\n\r\ndata: two\ndata: more\n\n: c\n\nevent: e\ndata: three\n\ndata: [DONE]\n\n";
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % whole.len()).collect();
            cuts.sort_unstable();
            let mut packets = Vec::new();
            let mut from = 0;
            for cut in cuts {
                packets.push(&whole[from..cut]);
                from = cut;
            }
            packets.push(&whole[from..]);
            prop_assert_eq!(split(&packets), split(&[whole]));
        }
    }
}

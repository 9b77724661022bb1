//! Bytes to lines of bounded length, for readers of either kind. What is in a line is not looked at.

use bytes::Bytes;
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// What a stream gives.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A line with its end.
    Line(Bytes),
    /// A line was longer than may be, and thrown away.
    TooLong,
}

/// Puts lines together.
pub(super) struct Splitter {
    line: Vec<u8>,
    limit: usize,
    too_long: bool,
}

impl Splitter {
    /// For lines of up to `limit` bytes.
    pub(super) const fn new(limit: usize) -> Self {
        Self { line: Vec::new(), limit, too_long: false }
    }

    /// Takes bytes up to the end of a line. Answers how many, and what they end.
    pub(super) fn take(&mut self, bytes: &[u8]) -> (usize, Option<Piece>) {
        let end = memchr::memchr(b'\n', bytes);
        let count = end.map_or(bytes.len(), |at| at + 1);
        self.add(bytes.get(..count).unwrap_or_default());
        (count, end.and_then(|_| self.finish()))
    }

    /// What is left when no more comes: a last line without an end gets one.
    pub(super) fn last(&mut self) -> Option<Piece> {
        if !self.line.is_empty() {
            self.add(b"\n");
        }
        self.finish()
    }

    fn add(&mut self, bytes: &[u8]) {
        if self.line.len() + bytes.len() > self.limit {
            self.too_long = true;
            self.line = Vec::new();
        }
        if !self.too_long {
            self.line.extend_from_slice(bytes);
        }
    }

    fn finish(&mut self) -> Option<Piece> {
        let line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.too_long) {
            return Some(Piece::TooLong);
        }
        (!line.is_empty()).then(|| Piece::Line(line.into()))
    }
}

/// The next line; `None` when no more comes. Can be given up in the middle and asked again.
pub(super) async fn next(from: &mut (impl AsyncBufRead + Unpin), splitter: &mut Splitter) -> Option<Piece> {
    loop {
        // A connection that breaks has ended.
        let bytes = from.fill_buf().await.unwrap_or_default();
        if bytes.is_empty() {
            return splitter.last();
        }
        let (count, piece) = splitter.take(bytes);
        from.consume(count);
        if piece.is_some() {
            return piece;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(limit: usize, chunks: &[&str]) -> Vec<Piece> {
        let mut splitter = Splitter::new(limit);
        let mut found = Vec::new();
        for chunk in chunks {
            let mut left = chunk.as_bytes();
            while !left.is_empty() {
                let (count, piece) = splitter.take(left);
                left = &left[count..];
                found.extend(piece);
            }
        }
        found.extend(splitter.last());
        found
    }

    fn line(text: &'static str) -> Piece {
        Piece::Line(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn lines_are_put_together_however_they_come() {
        assert_eq!(pieces(9, &["a\nb", "c", "\n\nd"]), [line("a\n"), line("bc\n"), line("\n"), line("d\n")]);
        assert_eq!(pieces(9, &[]), []);
    }

    #[test]
    fn what_is_too_long_is_thrown_away_up_to_its_end() {
        assert_eq!(pieces(4, &["abc\n", "abcd\n", "ab"]), [line("abc\n"), Piece::TooLong, line("ab\n")]);
        assert_eq!(pieces(4, &["ab", "cdefghijkl", "m\nx\n"]), [Piece::TooLong, line("x\n")]);
        assert_eq!(pieces(4, &["abcdefgh"]), [Piece::TooLong]);
    }
}

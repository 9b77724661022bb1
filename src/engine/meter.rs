//! Counts what an answer is made of while it goes by.

use std::sync::Arc;

use canon::{Frame, Losses, Mark, Usage};
use tokio::time::Instant;

use super::{pipeline::Served, ports::Tape, reuse::Recorder};

/// Bytes of text that make a token.
const BYTES: u64 = 4;

/// The count of one request.
#[derive(Debug)]
pub(super) struct Meter {
    arrived: Instant,
    first_content: Option<u32>,
    usage: Option<Usage>,
    bytes: u64,
    losses: Losses,
    said: Said,
    /// Writes along what is to be kept.
    recorder: Option<Box<Recorder>>,
    /// Takes it down for the operator.
    tape: Option<Arc<Tape>>,
}

/// Frames with content, for an estimate of tokens that nobody reports. Each is an envelope of about the same size around
/// some text, and most providers put one token into each.
#[derive(Debug, Clone, Copy, Default)]
struct Said {
    frames: u64,
    bytes: u64,
    smallest: u64,
}

impl Meter {
    /// A meter for a request that arrives now.
    #[must_use]
    pub(super) fn start() -> Self {
        Self {
            arrived: Instant::now(),
            first_content: None,
            usage: None,
            bytes: 0,
            losses: Losses::default(),
            said: Said::default(),
            recorder: None,
            tape: None,
        }
    }

    /// When the request arrived.
    #[must_use]
    pub(super) const fn arrived(&self) -> Instant {
        self.arrived
    }

    /// Milliseconds since the arrival.
    #[must_use]
    pub(super) fn elapsed_ms(&self) -> u32 {
        self.arrived.elapsed().as_millis().try_into().unwrap_or(u32::MAX)
    }

    /// Forgets the frames of an attempt that failed: the client got none of them.
    pub(super) fn forget(&mut self) {
        (self.usage, self.bytes, self.losses) = (None, 0, Losses::default());
        self.said = Said::default();
        if let Some(recorder) = &mut self.recorder {
            recorder.forget();
        }
        if let Some(tape) = &self.tape {
            tape.forget_given();
        }
    }

    /// Notes that the first content is there.
    pub(super) fn content(&mut self) {
        if self.first_content.is_none() {
            self.first_content = Some(self.elapsed_ms());
        }
    }

    /// Counts a frame. Providers that report usage more than once report running totals.
    pub(super) fn frame(&mut self, frame: &Frame) {
        self.bytes += frame.bytes.len() as u64;
        if frame.mark == Mark::Content {
            self.said.add(frame.bytes.len() as u64);
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.add(&frame.bytes);
        }
        if let Some(tape) = &self.tape {
            tape.gave(&frame.bytes);
        }
        if let Some(usage) = frame.usage {
            self.usage = Some(self.usage.unwrap_or_default().merged(usage));
        }
        if let Some(losses) = &frame.losses {
            self.losses.extend(losses.as_ref().clone());
        }
    }

    /// Has the answer written along, to be kept.
    pub(super) fn record(&mut self, recorder: Option<Recorder>) {
        self.recorder = recorder.map(Box::new);
    }

    /// Has the answer taken down.
    pub(super) fn take_down(&mut self, tape: Option<Arc<Tape>>) {
        self.tape = tape;
    }

    /// Tells who serves the answer that is written along.
    pub(super) fn serve(&mut self, served: Served) {
        if let Some(recorder) = &mut self.recorder {
            recorder.serve(served);
        }
    }

    /// Whether the answer is written along.
    #[must_use]
    pub(super) const fn records(&self) -> bool {
        self.recorder.is_some()
    }

    /// The answer is whole: keeps it, where it was written along.
    pub(super) fn keep(&mut self) {
        if let Some(recorder) = self.recorder.take() {
            recorder.keep();
        }
    }

    /// Counts bytes of an answer that is given again.
    pub(super) fn gave(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// What was lost in translating the answer.
    #[must_use]
    pub(super) const fn losses(&self) -> &Losses {
        &self.losses
    }

    /// Milliseconds from arrival to the first content.
    #[must_use]
    pub(super) const fn first_content_ms(&self) -> Option<u32> {
        self.first_content
    }

    /// Tokens, where they were reported.
    #[must_use]
    pub(super) const fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// What the provider has counted by now: of an answer that broke off at least what went by.
    #[must_use]
    pub(super) fn taken(&self, complete: bool) -> Option<Usage> {
        let usage = self.usage?;
        let output = if complete { usage.output } else { usage.output.max(self.estimated_output()) };
        Some(Usage { output, ..usage })
    }

    /// About how many tokens the answer has so far, by what went by.
    #[must_use]
    pub(super) const fn estimated_output(&self) -> u64 {
        match self.said.frames {
            // An answer in one piece.
            0 => self.bytes / BYTES,
            frames => {
                let text = self.said.bytes.saturating_sub(self.said.smallest.saturating_mul(frames));
                frames.saturating_add(text / BYTES)
            }
        }
    }

    /// Bytes of answer.
    #[must_use]
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Said {
    fn add(&mut self, bytes: u64) {
        self.smallest = if self.frames == 0 { bytes } else { self.smallest.min(bytes) };
        (self.frames, self.bytes) = (self.frames + 1, self.bytes.saturating_add(bytes));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn what_went_by_is_estimated_without_its_envelopes() {
        let mut meter = Meter::start();
        let mut frame =
            |bytes: usize, mark| meter.frame(&Frame::new(Bytes::from(vec![b'x'; bytes]), mark, None));
        frame(300, Mark::Empty);
        for _ in 0..10 {
            frame(200, Mark::Content);
        }
        frame(240, Mark::Content);
        assert_eq!(meter.estimated_output(), 11 + 10, "eleven frames, and one of them holds ten tokens more");
        meter.forget();
        meter.frame(&Frame::new(Bytes::from(vec![b'x'; 400]), Mark::End, None));
        assert_eq!(meter.estimated_output(), 100, "an answer in one piece");
    }
}

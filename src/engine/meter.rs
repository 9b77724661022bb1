//! Counts what an answer is made of while it goes by.

use canon::{Frame, Losses, Usage};
use tokio::time::Instant;

use super::{pipeline::Served, reuse::Recorder};

/// The count of one request.
#[derive(Debug)]
pub(super) struct Meter {
    arrived: Instant,
    first_content: Option<u32>,
    usage: Option<Usage>,
    bytes: u64,
    losses: Losses,
    /// Writes along what is to be kept.
    recorder: Option<Box<Recorder>>,
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
            recorder: None,
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
        if let Some(recorder) = &mut self.recorder {
            recorder.forget();
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
        if let Some(recorder) = &mut self.recorder {
            recorder.add(&frame.bytes);
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

    /// Bytes of answer.
    #[must_use]
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }
}

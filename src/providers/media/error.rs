//! Why a medium could not be inlined: which block it is, and what is wrong with it. For the client, as a 400.

use std::fmt;

use canon::DecodeError;

use crate::outbound::guard::FetchError;

/// A medium that cannot be sent on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaError {
    /// Its block, as a path within the turn such as `messages[3].content[1]`.
    pub at: String,
    /// What is wrong with it.
    pub problem: MediaProblem,
}

/// What is wrong with a medium, as a sentence without its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MediaProblem {
    /// It could not be fetched.
    #[error("could not be fetched: {0}")]
    Fetch(#[from] FetchError),
    /// More URLs than are fetched for one request.
    #[error("is one too many: at most {0} different media are fetched for a request")]
    TooMany(usize),
    /// More bytes than are fetched for one request.
    #[error("makes the request too large: at most {0} bytes of media are fetched for it")]
    TooMuch(usize),
    /// A `data:` URL that cannot be read.
    #[error("is not a valid data URL")]
    DataUrl,
    /// Nothing that is known.
    #[error(
        "is of an unknown type: a picture (PNG, JPEG, GIF, WebP, HEIC), sound (WAV, MP3, FLAC, Ogg, M4A), a video (MP4, QuickTime, WebM), a PDF or a plain text is expected"
    )]
    Unknown,
    /// The content type says one thing and the bytes another.
    #[error("is not of the type that it is said to be")]
    Mislabelled,
    /// A known type in a block of another kind.
    #[error("must be {wanted}, and is {is}")]
    Unfit {
        /// What the block is for.
        wanted: &'static str,
        /// The MIME type that was found.
        is: &'static str,
    },
}

impl MediaProblem {
    pub(super) fn at(self, at: &impl fmt::Display) -> MediaError {
        MediaError { at: at.to_string(), problem: self }
    }
}

impl fmt::Display for MediaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}.", self.at, self.problem)
    }
}

impl std::error::Error for MediaError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.problem)
    }
}

impl From<MediaError> for DecodeError {
    fn from(error: MediaError) -> Self {
        Self::new(error.at, error.problem.to_string())
    }
}

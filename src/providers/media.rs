//! Puts the media that a request names by URL into the request itself, for providers that do not fetch them. The
//! fetching goes through the guard of `outbound`; what came is sent on only if it is what it claims to be.

mod data_url;
mod error;
mod format;
#[cfg(test)]
mod tests;
mod walk;

pub use error::{MediaError, MediaProblem};

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use canon::{Dialect, Media, Source, Turn};
use futures_util::{StreamExt, stream};

use crate::outbound::guard::{Fetch, FetchError, Fetched};
use format::Format;

/// How much one request may have fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Different URLs.
    pub count: usize,
    /// Bytes of all media together, each counted as often as it is named, before base64 makes them a third larger.
    pub bytes: usize,
    /// Fetches at a time.
    pub parallel: usize,
}

impl Default for Limits {
    /// 50 MB in base64 stay below the 100 MB that Gemini takes in a body.
    fn default() -> Self {
        Self { count: 20, bytes: 50_000_000, parallel: 4 }
    }
}

/// Whether media that are named by URL must be inlined for a target of `dialect`.
///
/// - Gemini: yes. Since January 2026 `fileData.fileUri` may be a public https URL, but not for the models of the 2.0
///   family, not over http, and with the MIME type beside it, which clients of other dialects do not give.
///   <https://ai.google.dev/gemini-api/docs/file-input-methods>
/// - Messages: no, `source.type: url` of images and documents is fetched by the vendor. (Bedrock and the Google
///   managed Claude models take base64 only.) <https://platform.claude.com/docs/en/build-with-claude/vision>,
///   <https://platform.claude.com/docs/en/build-with-claude/pdf-support>
/// - Responses: no, `image_url` and `file_url` are. <https://developers.openai.com/docs/guides/pdf-files>
/// - Chat: no, `image_url` is; files cannot be named by URL there at all, which its encoder declares.
///   <https://platform.openai.com/docs/guides/images-vision>
#[must_use]
pub const fn needs_inlining(dialect: Dialect) -> bool {
    match dialect {
        Dialect::Gemini => true,
        Dialect::Chat | Dialect::Responses | Dialect::Messages => false,
    }
}

/// What Gemini knows how to reach by itself, and nobody else could get: videos at YouTube, files that were uploaded
/// to it, and objects in Google's storage. <https://ai.google.dev/gemini-api/docs/video-understanding#youtube>
const STAYING: &[&str] = &[
    "https://www.youtube.com/",
    "https://youtube.com/",
    "https://m.youtube.com/",
    "https://youtu.be/",
    "https://generativelanguage.googleapis.com/",
    "gs://",
];

/// Replaces every [`Source::Url`] in instructions, messages and results of tools by [`Source::Base64`] and the MIME
/// type, but for those that only Gemini can read. Data URLs are read in place and count for no limit: they are in the
/// request already.
///
/// # Errors
/// At the first medium, in the order of the request, that cannot be had or is not what it should be. The turn may
/// then be changed in part.
pub async fn inline(turn: &mut Turn, fetch: &dyn Fetch, limits: &Limits) -> Result<(), MediaError> {
    let jobs = prepare(turn, limits)?;
    if jobs.is_empty() {
        return Ok(());
    }
    let mut fetched = fetch_all(jobs, fetch, limits).await?;
    walk::media(turn, &mut |at, block, media| {
        let Source::Url(url) = &media.source else { return Ok(()) };
        let Some(medium) = fetched.get_mut(url) else { return Ok(()) };
        let data = medium.data().unwrap_or_default();
        put(media, medium.format, data, block).map_err(|problem| problem.at(at))
    })
}

/// A URL to fetch.
struct Job {
    url: String,
    /// The first block that names it.
    at: String,
    uses: usize,
}

/// Bytes that were fetched, ready to be put into blocks.
struct Medium {
    format: &'static Format,
    base64: Option<String>,
    /// Blocks that still wait for it.
    uses: usize,
}

impl Medium {
    /// The last block gets the string itself, those before it copies.
    fn data(&mut self) -> Option<String> {
        self.uses = self.uses.saturating_sub(1);
        if self.uses == 0 { self.base64.take() } else { self.base64.clone() }
    }
}

/// Reads the data URLs, and finds what must be fetched.
fn prepare(turn: &mut Turn, limits: &Limits) -> Result<Vec<Job>, MediaError> {
    let mut jobs: Vec<Job> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    walk::media(turn, &mut |at, block, media| {
        let Source::Url(url) = &mut media.source else { return Ok(()) };
        if data_url::is_one(url) {
            let read = data_url::read(std::mem::take(url));
            return read
                .and_then(|(format, base64)| put(media, format, base64, block))
                .map_err(|problem| problem.at(at));
        }
        if STAYING.iter().any(|start| url.starts_with(start)) {
            return Ok(());
        }
        if let Some(job) = known.get(url.as_str()).and_then(|index| jobs.get_mut(*index)) {
            job.uses += 1;
            return Ok(());
        }
        if jobs.len() >= limits.count {
            return Err(MediaProblem::TooMany(limits.count).at(at));
        }
        known.insert(url.clone(), jobs.len());
        jobs.push(Job { url: url.clone(), at: at.to_string(), uses: 1 });
        Ok(())
    })?;
    Ok(jobs)
}

/// Fetches everything, some at a time. What comes later in the request is not waited for once something failed.
async fn fetch_all(
    jobs: Vec<Job>,
    fetch: &dyn Fetch,
    limits: &Limits,
) -> Result<HashMap<String, Medium>, MediaError> {
    let mut media = HashMap::with_capacity(jobs.len());
    let mut left = limits.bytes;
    let fetching = jobs.into_iter().map(|job| {
        // Nothing begins before it is its turn.
        async move {
            let answer = fetch.fetch(&job.url).await;
            (job, answer)
        }
    });
    let mut fetching = std::pin::pin!(stream::iter(fetching).buffered(limits.parallel.max(1)));
    while let Some((job, answer)) = fetching.next().await {
        let medium = arrived(answer, job.uses, &mut left, limits).map_err(|problem| problem.at(&job.at))?;
        media.insert(job.url, medium);
    }
    Ok(media)
}

fn arrived(
    answer: Result<Fetched, FetchError>,
    uses: usize,
    left: &mut usize,
    limits: &Limits,
) -> Result<Medium, MediaProblem> {
    let Fetched { bytes, content_type } = answer?;
    *left = left.checked_sub(bytes.len().saturating_mul(uses)).ok_or(MediaProblem::TooMuch(limits.bytes))?;
    let format = format::of(content_type.as_deref(), &bytes)?;
    Ok(Medium { format, base64: Some(STANDARD.encode(&bytes)), uses })
}

/// Makes a medium one that stands in the request, if its format is one for its block.
fn put(
    media: &mut Media,
    format: &'static Format,
    base64: String,
    block: walk::BlockKind,
) -> Result<(), MediaProblem> {
    if !block.takes(format.family) {
        return Err(MediaProblem::Unfit { wanted: block.wanted(), is: format.mime });
    }
    media.mime = Some(format.mime.to_owned());
    media.source = Source::Base64(base64);
    Ok(())
}

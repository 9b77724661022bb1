//! Turns an answer and what goes wrong with it into the steps of a body.
//!
//! It works on steps alone: what happens before the status line is the receiver's affair.

use std::time::Duration;

use bytes::Bytes;

use super::account::Course;
use super::fault::Fault;
use super::player::{Kind, Step};
use super::problem::{Problem, Voice};
use super::speech::{Answer, Mark, Speech};

/// A body that is ready to be played, and the headers that belong to it.
#[derive(Debug)]
pub(super) struct Staged {
    /// What the body does.
    pub(super) steps: Vec<Step>,
    /// `content-type`.
    pub(super) content_type: &'static str,
    /// `content-length`, of a body that does not come in events.
    pub(super) length: Option<usize>,
}

/// An answer, before anything goes wrong with it.
pub(super) struct Scene<'a> {
    /// The dialect, and what was asked in it.
    pub(super) speech: &'a dyn Speech,
    /// What is said.
    pub(super) answer: &'a Answer<'a>,
    /// The vendor who speaks.
    pub(super) voice: Voice,
    /// What goes wrong.
    pub(super) course: &'a Course,
    /// Time before the first chunk.
    pub(super) first: Duration,
    /// Time between two content chunks.
    pub(super) interval: Duration,
}

const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

const WEB_PAGE: &str = "<!DOCTYPE html>\n<html><head><title>One moment</title></head>\
    <body><h1>We are checking your browser</h1></body></html>\n";

/// Bytes of one fragment of `tiny_fragments`.
const TINY: usize = 7;

/// Comment lines that `comments` sends before the first chunk.
const COMMENTS: u32 = 3;

/// The body of an answer in one piece.
pub(super) fn whole(scene: &Scene<'_>) -> Staged {
    let body = scene.speech.whole(scene.answer);
    let half = body.get(..body.floor_char_boundary(body.len() / 2)).map_or_else(String::new, str::to_owned);
    let mut length = None;
    let mut content_type = JSON;
    let steps = match &scene.course.main {
        Some(Fault::HangBeforeFirstToken) => vec![Step::Hang],
        Some(Fault::Empty200) => Vec::new(),
        Some(Fault::Html200) => {
            content_type = HTML;
            vec![send(Kind::Other, WEB_PAGE)]
        }
        Some(Fault::InvalidJson200) => vec![send(Kind::Other, half)],
        Some(Fault::ErrorInSse { code, .. }) => {
            vec![send(Kind::Other, Problem::of_status(*code, scene.voice).json(scene.voice))]
        }
        // A body that is announced in full and does not come is what a broken connection looks like.
        Some(Fault::CutAfterRole) => {
            length = Some(body.len());
            vec![Step::Flush, Step::Cut]
        }
        Some(Fault::CutMidStream { .. }) => {
            length = Some(body.len());
            vec![send(Kind::Other, half), Step::Flush, Step::Cut]
        }
        Some(Fault::StallMidStream { .. }) => {
            length = Some(body.len());
            vec![send(Kind::Other, half), Step::Hang]
        }
        _ => vec![send(Kind::Other, body)],
    };
    let ends = !steps.iter().any(|step| matches!(step, Step::Hang | Step::Cut));
    let length = length.or_else(|| ends.then(|| sent(&steps)));
    finish(scene.course, Staged { steps, content_type, length })
}

/// The body of an answer in events.
pub(super) fn stream(scene: &Scene<'_>) -> Staged {
    let mut steps = events(scene);
    let mut content_type = scene.speech.stream_type();
    match &scene.course.main {
        Some(Fault::HangBeforeFirstToken) => steps = vec![Step::Hang],
        Some(Fault::Empty200) => steps.clear(),
        Some(Fault::Html200) => {
            content_type = HTML;
            steps = vec![send(Kind::Other, WEB_PAGE)];
        }
        Some(Fault::InvalidJson200) => break_first_content(&mut steps),
        Some(Fault::ErrorInSse { after_chunks, code }) => {
            let begun = *after_chunks > 0;
            let end = if begun { after_contents(&steps, *after_chunks) } else { first_event(&steps) };
            steps.truncate(end);
            let problem = Problem::of_status(*code, scene.voice);
            steps.push(send(Kind::Other, scene.speech.failure(scene.answer, &problem, begun)));
        }
        Some(Fault::CutAfterRole) => end_after(&mut steps, 0, &[Step::Flush, Step::Cut]),
        Some(Fault::CutMidStream { after_chunks }) => {
            end_after(&mut steps, *after_chunks, &[Step::Flush, Step::Cut]);
        }
        Some(Fault::StallMidStream { after_chunks }) => end_after(&mut steps, *after_chunks, &[Step::Hang]),
        _ => {}
    }
    reshape(&mut steps, scene.course);
    finish(scene.course, Staged { steps, content_type, length: None })
}

/// The events of a healthy stream.
fn events(scene: &Scene<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    think(&mut steps, scene);
    for mark in scene.speech.stream(scene.answer) {
        match mark {
            Mark::Send(kind, text) => steps.push(send(kind, text)),
            Mark::Pause => wait(&mut steps, scene.interval),
        }
    }
    steps
}

/// The time before the first chunk, with comments in it if the script wants them.
fn think(steps: &mut Vec<Step>, scene: &Scene<'_>) {
    if !scene.course.has(&Fault::Comments) {
        return wait(steps, scene.first);
    }
    for _ in 0..COMMENTS {
        steps.push(send(Kind::Comment, ": SIMULATOR PROCESSING\n\n"));
        wait(steps, scene.first / COMMENTS);
    }
}

/// Ends the stream after the role and `contents` content chunks, with `ending`.
fn end_after(steps: &mut Vec<Step>, contents: usize, ending: &[Step]) {
    steps.truncate(after_contents(steps, contents));
    steps.extend_from_slice(ending);
}

/// The place after `contents` content chunks; never behind the chunk that ends the answer.
fn after_contents(steps: &[Step], contents: usize) -> usize {
    let mut seen = 0;
    steps
        .iter()
        .position(|step| {
            let content = matches!(step, Step::Send(Kind::Content, _));
            seen += usize::from(content);
            (content && seen > contents) || matches!(step, Step::Send(Kind::Finish | Kind::Done, _))
        })
        .unwrap_or(steps.len())
}

fn first_event(steps: &[Step]) -> usize {
    let first = |step: &Step| matches!(step, Step::Send(kind, _) if *kind != Kind::Comment);
    steps.iter().position(first).unwrap_or(0)
}

fn break_first_content(steps: &mut [Step]) {
    let first = steps.iter_mut().find_map(|step| match step {
        Step::Send(Kind::Content, bytes) => Some(bytes),
        _ => None,
    });
    if let Some(bytes) = first {
        let mut broken = bytes.slice(..bytes.len() / 2).to_vec();
        broken.extend_from_slice(b"\n\n");
        *bytes = Bytes::from(broken);
    }
}

/// The faults that only streams can show.
fn reshape(steps: &mut Vec<Step>, course: &Course) {
    let is_done = |step: &Step| matches!(step, Step::Send(Kind::Done, _));
    if course.has(&Fault::MissingDone) {
        steps.retain(|step| !is_done(step));
    }
    if course.has(&Fault::DuplicateDone)
        && let Some(at) = steps.iter().rposition(is_done)
    {
        let again = steps[at].clone();
        steps.insert(at, again);
    }
    if course.has(&Fault::Crlf) {
        for step in steps {
            if let Step::Send(_, bytes) = step {
                // JSON writes its own line breaks as `\n`, so each line feed here is the end of a line.
                let lines =
                    bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
                let lines = lines.collect::<Vec<_>>();
                *bytes = Bytes::from(lines.join(&b"\r\n"[..]));
            }
        }
    }
}

/// The faults that every body can show.
fn finish(course: &Course, mut staged: Staged) -> Staged {
    if course.has(&Fault::WrongContentType) {
        staged.content_type = TEXT;
    }
    if course.has(&Fault::TinyFragments) {
        staged.steps = staged.steps.into_iter().flat_map(fragments).collect();
    }
    staged
}

fn fragments(step: Step) -> Vec<Step> {
    let Step::Send(kind, bytes) = step else { return vec![step] };
    let mut pieces = Vec::new();
    for (at, start) in (0..bytes.len()).step_by(TINY).enumerate() {
        // A content chunk in ten pieces is still one content chunk.
        let kind = if at > 0 && kind == Kind::Content { Kind::Other } else { kind };
        pieces.push(Step::Send(kind, bytes.slice(start..bytes.len().min(start + TINY))));
        pieces.push(Step::Flush);
    }
    pieces
}

fn sent(steps: &[Step]) -> usize {
    steps.iter().map(|step| if let Step::Send(_, bytes) = step { bytes.len() } else { 0 }).sum()
}

fn wait(steps: &mut Vec<Step>, time: Duration) {
    if !time.is_zero() {
        steps.push(Step::Wait(time));
    }
}

fn send(kind: Kind, bytes: impl Into<Bytes>) -> Step {
    Step::Send(kind, bytes.into())
}

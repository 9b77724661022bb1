//! Inlining with a stand-in for the network, on a paused clock.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use canon::{Block, DecodeError, Kind, Message, Role, ToolResult};
use futures_core::future::BoxFuture;
use tokio::time::Instant;

use super::*;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n0123456789";

/// Answers after a second; the URL says what.
#[derive(Default)]
struct Net {
    log: Arc<Mutex<Vec<String>>>,
    under_way: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Net {
    fn asked(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

impl Fetch for Net {
    fn fetch(&self, url: &str) -> BoxFuture<'static, Result<Fetched, FetchError>> {
        self.log.lock().unwrap().push(url.to_owned());
        let (under_way, most) = (Arc::clone(&self.under_way), Arc::clone(&self.most));
        let answer = if url.ends_with("gone") {
            Err(FetchError::Status(Some(404)))
        } else {
            let (mime, bytes) = match url.rsplit('.').next() {
                Some("pdf") => ("application/pdf", &b"%PDF-1.7"[..]),
                Some("html") => ("text/html", &b"<html>"[..]),
                Some("mp3") => ("audio/mpeg", &b"ID3"[..]),
                Some("mp4") => ("video/mp4", &b"\0\0\0\x20ftypisom"[..]),
                _ => ("image/png", PNG),
            };
            Ok(Fetched { bytes: Bytes::from_static(bytes), content_type: Some(mime.into()) })
        };
        Box::pin(async move {
            most.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_secs(1)).await;
            under_way.fetch_sub(1, Ordering::SeqCst);
            answer
        })
    }
}

fn at(url: &str) -> Media {
    Media { mime: None, source: Source::Url(url.into()), name: Some("n".into()), detail: Some("low".into()) }
}

fn image(url: &str) -> Block {
    Block::new(Kind::Image(at(url)))
}

fn turn(blocks: Vec<Block>) -> Turn {
    let messages =
        vec![Message::new(Role::User, vec![Block::text("look")]), Message::new(Role::User, blocks)];
    Turn { messages, ..Turn::default() }
}

fn pictures(count: usize) -> Turn {
    turn((0..count).map(|index| image(&format!("https://x.example/{index}.png"))).collect())
}

/// The MIME type and the data of each medium.
fn seen(turn: &mut Turn) -> Vec<(Option<String>, Source)> {
    let mut seen = Vec::new();
    walk::media(turn, &mut |_, _, media| {
        seen.push((media.mime.clone(), media.source.clone()));
        Ok(())
    })
    .unwrap();
    seen
}

fn inlined(mime: &str, bytes: &[u8]) -> (Option<String>, Source) {
    (Some(mime.to_owned()), Source::Base64(STANDARD.encode(bytes)))
}

async fn refusal(mut turn: Turn, limits: &Limits) -> MediaError {
    inline(&mut turn, &Net::default(), limits).await.unwrap_err()
}

#[test]
fn only_gemini_needs_it() {
    let needing: Vec<Dialect> = Dialect::ALL.into_iter().filter(|dialect| needs_inlining(*dialect)).collect();
    assert_eq!(needing, [Dialect::Gemini]);
}

/// Callers move it between threads.
#[test]
fn inlining_can_be_sent() {
    fn is_sent<'a>(turn: &'a mut Turn, fetch: &'a dyn Fetch, limits: &'a Limits) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let _done = inline(turn, fetch, limits).await;
        })
    }
    drop(is_sent(&mut Turn::default(), &Net::default(), &Limits::default()));
}

#[tokio::test(start_paused = true)]
async fn media_are_replaced_wherever_they_stand() {
    let result = ToolResult {
        call: "c".into(),
        name: None,
        content: vec![Block::text("t"), image("https://x.example/a.png")],
        failed: false,
        custom: false,
    };
    let mut turn = turn(vec![
        Block::new(Kind::ToolResult(result)),
        Block::new(Kind::File(at("https://x.example/a.pdf"))),
        Block::new(Kind::Audio(at("https://x.example/a.mp3"))),
        Block::new(Kind::Video(at("https://x.example/a.mp4"))),
    ]);
    turn.instructions.push(image("https://x.example/i.png"));
    let before = turn.messages[0].clone();
    inline(&mut turn, &Net::default(), &Limits::default()).await.unwrap();
    let wanted = [
        inlined("image/png", PNG),
        inlined("image/png", PNG),
        inlined("application/pdf", b"%PDF-1.7"),
        inlined("audio/mpeg", b"ID3"),
        inlined("video/mp4", b"\0\0\0\x20ftypisom"),
    ];
    assert_eq!(seen(&mut turn), wanted);
    assert_eq!(turn.messages[0], before);
    let Kind::File(media) = &turn.messages[1].blocks[1].kind else { unreachable!() };
    assert_eq!((media.name.as_deref(), media.detail.as_deref()), (Some("n"), Some("low")), "the rest stays");
}

#[tokio::test(start_paused = true)]
async fn what_gemini_reads_itself_and_what_is_there_already_stays() {
    let urls = [
        "https://www.youtube.com/watch?v=abc",
        "https://youtu.be/abc",
        "https://generativelanguage.googleapis.com/v1beta/files/abc",
        "gs://bucket/object.pdf",
    ];
    let mut blocks: Vec<Block> = urls.iter().map(|url| Block::new(Kind::Video(at(url)))).collect();
    let uploaded = Source::Uploaded { dialect: Dialect::Messages, id: "file_1".into() };
    for source in [uploaded, Source::Base64("AAAA".into()), Source::Text("t".into())] {
        blocks.push(Block::new(Kind::File(Media { source, ..at("") })));
    }
    let mut turn = turn(blocks);
    let before = turn.clone();
    let net = Net::default();
    inline(&mut turn, &net, &Limits::default()).await.unwrap();
    assert_eq!(turn, before);
    assert_eq!(net.asked(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn names_that_only_look_like_geminis_are_fetched() {
    let net = Net::default();
    let mut turn = turn(vec![image("https://www.youtube.com.evil.example/a"), image("http://youtu.be/a")]);
    inline(&mut turn, &net, &Limits::default()).await.unwrap();
    assert_eq!(net.asked().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn four_are_fetched_at_a_time() {
    let net = Net::default();
    let begun = Instant::now();
    inline(&mut pictures(10), &net, &Limits::default()).await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 3);
    assert_eq!(net.most.load(Ordering::SeqCst), 4);
    assert_eq!(net.asked().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn the_same_url_is_fetched_once_and_counted_each_time() {
    let net = Net::default();
    let mut turn = turn((0..50).map(|_| image("https://x.example/a.png")).collect());
    inline(&mut turn, &net, &Limits::default()).await.unwrap();
    assert_eq!(net.asked(), ["https://x.example/a.png"]);
    assert_eq!(seen(&mut turn), vec![inlined("image/png", PNG); 50]);
    let limits = Limits { bytes: PNG.len() * 2, ..Limits::default() };
    let error = refusal(self::turn(vec![image("https://x.example/a.png"); 3]), &limits).await;
    assert_eq!(error.problem, MediaProblem::TooMuch(limits.bytes));
}

#[tokio::test(start_paused = true)]
async fn count_and_bytes_are_bounded() {
    let limits = Limits::default();
    assert!(inline(&mut pictures(20), &Net::default(), &limits).await.is_ok());
    let net = Net::default();
    let error = inline(&mut pictures(21), &net, &limits).await.unwrap_err();
    assert_eq!(
        error,
        MediaError { at: "messages[1].content[20]".into(), problem: MediaProblem::TooMany(20) }
    );
    assert_eq!(net.asked(), [""; 0], "nothing is fetched in vain");
    let limits = Limits { bytes: PNG.len() * 3, ..limits };
    assert!(inline(&mut pictures(3), &Net::default(), &limits).await.is_ok());
    let error = refusal(pictures(5), &limits).await;
    assert_eq!(error, MediaError { at: "messages[1].content[3]".into(), problem: MediaProblem::TooMuch(54) });
}

#[tokio::test(start_paused = true)]
async fn the_first_failure_in_the_requests_order_is_told_and_ends_it() {
    let net = Net::default();
    let mut turn = pictures(8);
    turn.messages[1].blocks[1] = image("https://x.example/gone");
    turn.messages[1].blocks[0] = image("https://x.example/a.html");
    let error = inline(&mut turn, &net, &Limits::default()).await.unwrap_err();
    assert_eq!(error, MediaError { at: "messages[1].content[0]".into(), problem: MediaProblem::Unknown });
    assert!(net.asked().len() < 8);
    let error = refusal(self::turn(vec![image("https://x.example/gone")]), &Limits::default()).await;
    assert_eq!(
        error.to_string(),
        "`messages[1].content[0]` could not be fetched: its host did not answer with success (404)."
    );
    assert_eq!(DecodeError::from(error.clone()).to_string(), error.to_string());
}

#[tokio::test(start_paused = true)]
async fn a_medium_must_fit_its_block() {
    let result = ToolResult {
        call: "c".into(),
        name: None,
        content: vec![image("https://x.example/a.pdf")],
        failed: false,
        custom: false,
    };
    let error = refusal(turn(vec![Block::new(Kind::ToolResult(result))]), &Limits::default()).await;
    assert_eq!(
        error.to_string(),
        "`messages[1].content[0].content[0]` must be a picture, and is application/pdf."
    );
    let mut as_file = turn(vec![Block::new(Kind::File(at("https://x.example/a.png")))]);
    assert!(inline(&mut as_file, &Net::default(), &Limits::default()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn data_urls_are_read_without_fetching() {
    let net = Net::default();
    let data = STANDARD.encode(PNG);
    let url = format!("data:image/png;base64,{data}");
    let mut turn = turn(vec![image(&url); 30]);
    let limits = Limits { count: 0, bytes: 0, ..Limits::default() };
    inline(&mut turn, &net, &limits).await.unwrap();
    assert_eq!(seen(&mut turn), vec![inlined("image/png", PNG); 30]);
    assert_eq!(net.asked(), [""; 0]);
    let error = refusal(self::turn(vec![image("data:image/png;base64,AAAA")]), &limits).await;
    assert_eq!(error.to_string(), "`messages[1].content[0]` is not of the type that it is said to be.");
    let error = refusal(self::turn(vec![image("data:application/pdf;base64,JVBERi0=")]), &limits).await;
    assert_eq!(error.problem, MediaProblem::Unfit { wanted: "a picture", is: "application/pdf" });
}

//! Bytes as they are, for requests that no HTTP client would send.

use std::{net::SocketAddr, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
};
use trivium::engine::code::Code;

/// How long the hub may take to answer, or to close.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came back: everything up to the end of the connection.
#[derive(Debug)]
pub(super) struct Raw(pub(super) String);

/// Sends the bytes and, unless an answer comes, soon hangs up: for bytes that may be only half a request. No answer
/// at all is one of those that may come back.
pub(super) async fn send_and_leave(address: SocketAddr, bytes: &[u8]) -> Raw {
    exchange(address, bytes, Some(Duration::from_millis(10))).await
}

/// Sends the bytes and reads until the hub closes of itself. A client that closed its own side first would be
/// taken for one that left.
pub(super) async fn send(address: SocketAddr, bytes: &[u8]) -> Raw {
    exchange(address, bytes, None).await
}

async fn exchange(address: SocketAddr, bytes: &[u8], leave_after: Option<Duration>) -> Raw {
    let answered = Notify::new();
    let talk = async {
        let (mut from, mut to) = TcpStream::connect(address).await.unwrap().into_split();
        let writing = async {
            // The hub may close before it has taken everything; what it said counts.
            let written = to.write_all(bytes).await.is_ok();
            if let Some(wait) = leave_after.filter(|_| written) {
                drop(tokio::time::timeout(wait, answered.notified()).await);
                drop(to.shutdown().await);
            }
            to
        };
        let reading = async {
            let mut all = Vec::new();
            let mut buffer = vec![0; 16 * 1024];
            while let Ok(count @ 1..) = from.read(&mut buffer).await {
                all.extend_from_slice(&buffer[..count]);
                answered.notify_one();
            }
            all
        };
        let (_to, all) = tokio::join!(writing, reading);
        all
    };
    let all = tokio::time::timeout(PATIENCE, talk).await;
    let all = all.unwrap_or_else(|_| {
        panic!(
            "the hub neither answered nor closed: {:?}",
            String::from_utf8_lossy(&bytes[..bytes.len().min(300)])
        )
    });
    Raw(String::from_utf8_lossy(&all).into_owned())
}

impl Raw {
    /// The status codes of all answers, in order. Answers' bodies are JSON on one line or plain words.
    pub(super) fn statuses(&self) -> Vec<u16> {
        let starts = self.0.match_indices("HTTP/1.").map(|(at, _)| &self.0[at..]);
        starts.filter_map(|answer| answer.get(9..12)?.parse().ok()).collect()
    }

    /// The first status; 0 without an answer.
    pub(super) fn status(&self) -> u16 {
        self.statuses().first().copied().unwrap_or_default()
    }

    /// The value of a header of the first answer.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let head = self.0.split("\r\n\r\n").next()?;
        head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// The body of the only answer.
    pub(super) fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    /// Fails unless this is one error answer of 4xx in OpenAI's shape, with a request id. Answers its code.
    pub(super) fn must_be_refused(&self) -> (u16, String) {
        assert!((400..500).contains(&self.status()), "{self:?}");
        let id = self.header("x-request-id").unwrap_or_else(|| panic!("no request id: {self:?}"));
        assert!(id.starts_with("req_"), "{id}");
        assert!(
            self.header("content-type").is_some_and(|kind| kind.starts_with("application/json")),
            "{self:?}"
        );
        (self.status(), error_code(self.body()))
    }
}

/// The code of an error body in OpenAI's shape, which must be in the table.
pub(super) fn error_code(body: &str) -> String {
    let json: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body:?}"));
    let error = json["error"].as_object().unwrap_or_else(|| panic!("no error object: {body}"));
    for name in ["message", "type", "param", "code"] {
        assert!(error.contains_key(name), "`{name}` is missing: {body}");
    }
    assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
    assert!(error["type"].is_string(), "{body}");
    let code = error["code"].as_str().unwrap_or_else(|| panic!("no code: {body}"));
    assert!(Code::ALL.iter().any(|known| known.as_str() == code), "`{code}` is not in the table");
    code.to_owned()
}

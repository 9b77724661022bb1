//! Gives a body to the answers that the HTTP library writes by itself. When bytes are no HTTP request, no handler
//! is asked, and the library answers with a bare status; clients are promised an error in one shape.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use canon::Dialect;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use uuid::Uuid;

use super::{front::Ids, render};
use crate::engine::{code::Code, refusal::Refusal};

/// A client's connection.
pub(super) struct Connection {
    tcp: TcpStream,
    /// What is written in place of a bare answer, and how much of it is out.
    instead: Option<(Vec<u8>, usize)>,
}

impl Connection {
    pub(super) const fn new(tcp: TcpStream) -> Self {
        Self { tcp, instead: None }
    }

    fn write_instead(&mut self, cx: &mut Context<'_>, of: usize) -> Poll<io::Result<usize>> {
        while let Some((bytes, out)) = &mut self.instead {
            if *out == bytes.len() {
                self.instead = None;
                break;
            }
            *out += ready!(Pin::new(&mut self.tcp).poll_write(cx, &bytes[*out..]))?;
        }
        Poll::Ready(Ok(of))
    }
}

/// The answer with a body, when `head` is a bare one of the library. The hub's own answers carry a request id.
fn with_body(head: &[u8]) -> Option<Vec<u8>> {
    let rest = head.strip_prefix(b"HTTP/1.1 4").or_else(|| head.strip_prefix(b"HTTP/1.0 4"))?;
    let text = std::str::from_utf8(rest).ok()?;
    if text.contains("x-request-id") || !text.ends_with("\r\n\r\n") {
        return None;
    }
    let (status, what) = match text.get(..2)? {
        "31" => ("431 Request Header Fields Too Large", "The header fields are too large or too many."),
        "14" => ("414 URI Too Long", "The URI is too long."),
        _ => ("400 Bad Request", "The bytes are no HTTP/1.1 request, or contradict each other."),
    };
    let own = Arc::from(format!("req_{}", Uuid::now_v7().simple()));
    let ids = Ids { own, client: None, dialect: Dialect::Chat, broke: None };
    let body = render::body(&Refusal::new(Code::MalformedRequest, what), &ids, false);
    let mut answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\nx-request-id: {}\r\ncontent-length: {}\r\n\r\n",
        ids.own,
        body.len(),
    )
    .into_bytes();
    answer.extend_from_slice(&body);
    Some(answer)
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, into)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.instead.is_none() {
            self.instead = with_body(bytes).map(|answer| (answer, 0));
        }
        if self.instead.is_some() {
            return self.write_instead(cx, bytes.len());
        }
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // A bare answer has no body, and so is a single slice.
        if let [head] = slices {
            return self.poll_write(cx, head);
        }
        Pin::new(&mut self.tcp).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

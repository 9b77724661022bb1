//! What the store is given of an answer: its head as one line of JSON, and its body as it was sent.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use super::Head;

#[derive(Serialize, Deserialize)]
struct Written {
    status: u16,
    headers: Vec<(String, String)>,
}

/// The text of an answer. Headers that are no text are left out.
pub(super) fn write(head: &Head, body: &[Bytes]) -> serde_json::Result<Vec<u8>> {
    let texts = head.headers.iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    });
    let mut text = serde_json::to_vec(&Written { status: head.status.as_u16(), headers: texts.collect() })?;
    text.push(b'\n');
    text.reserve_exact(body.iter().map(Bytes::len).sum());
    body.iter().for_each(|bytes| text.extend_from_slice(bytes));
    Ok(text)
}

/// What [`write`] wrote; `None` when it is something else.
pub(super) fn read(text: Vec<u8>) -> Option<(Head, Bytes)> {
    let end = memchr::memchr(b'\n', &text)?;
    let written: Written = serde_json::from_slice(text.get(..end)?).ok()?;
    let mut headers = HeaderMap::new();
    for (name, value) in written.headers {
        headers.append(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
    }
    let status = StatusCode::from_u16(written.status).ok()?;
    Some((Head { status, headers }, Bytes::from(text).slice(end + 1..)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn an_answer_comes_back_as_it_went() {
        let headers = HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static("a/b"))]);
        let head = Head { status: StatusCode::CREATED, headers };
        let body = [Bytes::from_static(b"one\n"), Bytes::new(), Bytes::from_static(b"\ntwo")];
        let (read_head, read_body) = read(write(&head, &body).unwrap()).unwrap();
        assert_eq!((read_head.status, read_head.headers), (head.status, head.headers));
        assert_eq!(&read_body[..], b"one\n\ntwo");
        assert!(read(b"not written by this".to_vec()).is_none());
    }
}

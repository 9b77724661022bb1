//! The web of the tests: pictures and documents by their endings, at names but not at addresses.

use bytes::Bytes;
use futures_core::future::BoxFuture;
use trivium::outbound::guard::{Fetch, FetchError, Fetched};

/// Where a picture is.
pub(crate) const PICTURE: &str = "https://pictures.test/road.png";

/// What is found under an ending: its type, and as much of the file as tells that it is one.
const FILES: [(&str, &str, &[u8]); 4] = [
    (".png", "image/png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
    (".jpg", "image/jpeg", b"\xff\xd8\xff\xe0\0\x10JFIF\0"),
    (".webp", "image/webp", b"RIFF\x10\0\0\0WEBPVP8 "),
    (".pdf", "application/pdf", b"%PDF-1.7\n"),
];

pub(super) struct Pictures;

impl Fetch for Pictures {
    fn fetch(&self, url: &str) -> BoxFuture<'static, Result<Fetched, FetchError>> {
        let found = FILES.iter().find(|(ending, _, _)| url.ends_with(ending)).copied();
        Box::pin(async move {
            let (_, kind, bytes) = found.ok_or(FetchError::Forbidden)?;
            Ok(Fetched { bytes: Bytes::from_static(bytes), content_type: Some(kind.to_owned()) })
        })
    }
}

//! The web of the tests: one picture, and nothing else.

use bytes::Bytes;
use futures_core::future::BoxFuture;
use trivium::outbound::guard::{Fetch, FetchError, Fetched};

/// Where the picture is.
pub(crate) const PICTURE: &str = "https://pictures.test/road.png";

/// The picture: as much of a PNG as tells that it is one.
pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

pub(super) struct Pictures;

impl Fetch for Pictures {
    fn fetch(&self, url: &str) -> BoxFuture<'static, Result<Fetched, FetchError>> {
        let found = url == PICTURE;
        Box::pin(async move {
            if !found {
                return Err(FetchError::Forbidden);
            }
            Ok(Fetched { bytes: Bytes::from_static(PNG), content_type: Some("image/png".to_owned()) })
        })
    }
}

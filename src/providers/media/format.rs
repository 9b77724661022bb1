//! The formats that media may have, and how each is known by its first bytes.

use super::MediaProblem;

/// A format that providers take.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Format {
    /// Its registered MIME type.
    pub(super) mime: &'static str,
    /// What kind of thing it is.
    pub(super) family: Family,
    /// Other names that servers have for it.
    also: &'static [&'static str],
    /// Bytes that it has at offsets; a format without any is text.
    magic: &'static [&'static [(usize, &'static [u8])]],
}

/// What kind of thing a format holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Image,
    Audio,
    Video,
    Document,
}

use Family::{Audio, Document, Image, Video};

/// What servers say that do not know.
const UNSAID: &[&str] = &["", "application/octet-stream", "binary/octet-stream", "application/binary"];

/// The first one that fits counts: MP4 comes behind the formats that share its box.
#[rustfmt::skip]
const BINARY: &[Format] = &[
    Format { mime: "image/png",  family: Image, also: &["image/x-png"], magic: &[&[(0, b"\x89PNG\r\n\x1a\n")]] },
    Format { mime: "image/jpeg", family: Image, also: &["image/jpg", "image/pjpeg"], magic: &[&[(0, b"\xff\xd8\xff")]] },
    Format { mime: "image/gif",  family: Image, also: &[], magic: &[&[(0, b"GIF87a")], &[(0, b"GIF89a")]] },
    Format { mime: "image/webp", family: Image, also: &[], magic: &[&[(0, b"RIFF"), (8, b"WEBP")]] },
    Format { mime: "image/heic", family: Image, also: &["image/heif"],
             magic: &[&[(4, b"ftypheic")], &[(4, b"ftypheix")], &[(4, b"ftypmif1")]] },
    Format { mime: "application/pdf", family: Document, also: &["application/x-pdf"], magic: &[&[(0, b"%PDF-")]] },
    Format { mime: "audio/wav",  family: Audio, also: &["audio/x-wav", "audio/wave", "audio/vnd.wave"],
             magic: &[&[(0, b"RIFF"), (8, b"WAVE")]] },
    // An ID3 tag, or the first frame of layer III: version 1, 2 or 2.5, with or without a checksum.
    Format { mime: "audio/mpeg", family: Audio, also: &["audio/mp3", "audio/x-mp3", "audio/x-mpeg", "audio/mpeg3"],
             magic: &[&[(0, b"ID3")], &[(0, b"\xff\xfb")], &[(0, b"\xff\xfa")], &[(0, b"\xff\xf3")],
                      &[(0, b"\xff\xf2")], &[(0, b"\xff\xe3")], &[(0, b"\xff\xe2")]] },
    Format { mime: "audio/flac", family: Audio, also: &["audio/x-flac"], magic: &[&[(0, b"fLaC")]] },
    Format { mime: "audio/ogg",  family: Audio, also: &["application/ogg", "audio/opus"], magic: &[&[(0, b"OggS")]] },
    Format { mime: "audio/mp4",  family: Audio, also: &["audio/x-m4a", "audio/m4a"], magic: &[&[(4, b"ftypM4A ")]] },
    Format { mime: "video/quicktime", family: Video, also: &["video/mov"], magic: &[&[(4, b"ftypqt  ")]] },
    Format { mime: "video/mp4",  family: Video, also: &["video/x-m4v"], magic: &[&[(4, b"ftyp")]] },
    Format { mime: "video/webm", family: Video, also: &[], magic: &[&[(0, b"\x1a\x45\xdf\xa3")]] },
];

/// Texts are known by what they are called; they must be UTF-8.
const TEXT: &[Format] = &[
    Format { mime: "text/plain", family: Document, also: &[], magic: &[] },
    Format { mime: "text/markdown", family: Document, also: &["text/x-markdown"], magic: &[] },
    Format { mime: "text/csv", family: Document, also: &["application/csv"], magic: &[] },
    Format { mime: "application/json", family: Document, also: &["text/json"], magic: &[] },
];

impl Format {
    fn is_called(&self, mime: &str) -> bool {
        self.mime == mime || self.also.contains(&mime)
    }

    fn begins(&self, bytes: &[u8]) -> bool {
        let has = |&(offset, magic): &(usize, &[u8])| {
            bytes.get(offset..).is_some_and(|rest| rest.starts_with(magic))
        };
        self.magic.iter().any(|parts| parts.iter().all(has))
    }
}

/// The format of `bytes` that are `said` to be of a MIME type. Name and bytes must agree; without a name the bytes
/// alone decide.
pub(super) fn of(said: Option<&str>, bytes: &[u8]) -> Result<&'static Format, MediaProblem> {
    let said = said.and_then(|said| said.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase();
    let found = BINARY.iter().find(|format| format.begins(bytes));
    if UNSAID.contains(&said.as_str()) {
        return found.ok_or(MediaProblem::Unknown);
    }
    let mut known = BINARY.iter().chain(TEXT);
    let named = known.find(|format| format.is_called(&said)).ok_or(MediaProblem::Unknown)?;
    let agree = match found {
        Some(found) => found == named,
        None => named.magic.is_empty() && std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0')),
    };
    if agree { Ok(named) } else { Err(MediaProblem::Mislabelled) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mime(said: &str, bytes: &[u8]) -> Result<&'static str, MediaProblem> {
        of(Some(said), bytes).map(|format| format.mime)
    }

    #[test]
    fn each_format_is_known_by_its_bytes_and_its_names() {
        let samples: [(&str, &str, &[u8]); 16] = [
            ("image/png", "image/png", b"\x89PNG\r\n\x1a\n..."),
            ("image/jpeg", "image/jpg", b"\xff\xd8\xff\xe0..."),
            ("image/gif", "image/gif", b"GIF87a..."),
            ("image/gif", "IMAGE/GIF; q=1", b"GIF89a..."),
            ("image/webp", "image/webp", b"RIFF\0\0\0\0WEBPVP8 "),
            ("image/heic", "image/heif", b"\0\0\0\x18ftypheic"),
            ("application/pdf", "application/pdf", b"%PDF-1.7"),
            ("audio/wav", "audio/x-wav", b"RIFF\0\0\0\0WAVEfmt "),
            ("audio/mpeg", "audio/mp3", b"ID3\x04"),
            ("audio/mpeg", "audio/mpeg", b"\xff\xfb\x90"),
            ("audio/flac", "audio/flac", b"fLaC"),
            ("audio/ogg", "audio/ogg", b"OggS"),
            ("audio/mp4", "audio/x-m4a", b"\0\0\0\x20ftypM4A "),
            ("video/quicktime", "video/quicktime", b"\0\0\0\x14ftypqt  "),
            ("video/mp4", "video/mp4", b"\0\0\0\x20ftypisom"),
            ("video/webm", "video/webm", b"\x1a\x45\xdf\xa3"),
        ];
        for (wanted, said, bytes) in samples {
            assert_eq!(mime(said, bytes), Ok(wanted));
            assert_eq!(mime("application/octet-stream", bytes), Ok(wanted));
            assert_eq!(of(None, bytes).map(|format| format.mime), Ok(wanted));
            assert_eq!(mime("text/plain", bytes), Err(MediaProblem::Mislabelled), "{wanted}");
        }
    }

    #[test]
    fn names_and_bytes_that_disagree_are_refused() {
        assert_eq!(mime("image/png", b"GIF89a"), Err(MediaProblem::Mislabelled));
        assert_eq!(mime("image/png", b"<html>"), Err(MediaProblem::Mislabelled));
        assert_eq!(mime("image/png", b""), Err(MediaProblem::Mislabelled));
        assert_eq!(mime("image/webp", b"RIFF\0\0\0\0WAVE"), Err(MediaProblem::Mislabelled));
        assert_eq!(mime("text/plain", b"a\0b"), Err(MediaProblem::Mislabelled));
        assert_eq!(mime("text/plain", b"\xff\xfe"), Err(MediaProblem::Mislabelled));
    }

    #[test]
    fn unknown_types_are_refused() {
        assert_eq!(mime("text/html", b"<html>"), Err(MediaProblem::Unknown));
        assert_eq!(mime("image/svg+xml", b"<svg/>"), Err(MediaProblem::Unknown));
        assert_eq!(mime("application/zip", b"PK"), Err(MediaProblem::Unknown));
        assert_eq!(mime("", b"hello"), Err(MediaProblem::Unknown));
        assert_eq!(mime("application/octet-stream", b"RIFF"), Err(MediaProblem::Unknown));
    }

    #[test]
    fn texts_are_taken_by_their_name() {
        assert_eq!(mime("text/plain; charset=utf-8", "hé".as_bytes()), Ok("text/plain"));
        assert_eq!(mime("text/x-markdown", b"# x"), Ok("text/markdown"));
    }
}

//! `data:` URLs (RFC 2397): media that stand in the URL itself.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};

use super::{
    MediaProblem,
    format::{self, Format},
};

/// Takes what others write: without padding, or with odd last bits.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const SCHEME: &str = "data:";

pub(super) fn is_one(url: &str) -> bool {
    url.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
}

/// The format of what stands in a data URL, and its bytes as canonical base64.
pub(super) fn read(mut url: String) -> Result<(&'static Format, String), MediaProblem> {
    let comma = url.find(',').ok_or(MediaProblem::DataUrl)?;
    let data = url.split_off(comma + 1);
    let head = url.get(SCHEME.len()..comma).unwrap_or_default();
    let mime = head.split(';').next();
    let in_base64 = head.rsplit_once(';').is_some_and(|(_, last)| last.trim().eq_ignore_ascii_case("base64"));
    if !in_base64 {
        let bytes = unescaped(&data).ok_or(MediaProblem::DataUrl)?;
        return Ok((format::of(mime, &bytes)?, STANDARD.encode(bytes)));
    }
    // Most are written as they should be, and need no second encoding.
    if let Ok(bytes) = STANDARD.decode(&data) {
        return Ok((format::of(mime, &bytes)?, data));
    }
    let mut text = unescaped(&data).ok_or(MediaProblem::DataUrl)?;
    text.retain(|byte| !byte.is_ascii_whitespace());
    let bytes = LENIENT.decode(text).map_err(|_| MediaProblem::DataUrl)?;
    Ok((format::of(mime, &bytes)?, STANDARD.encode(bytes)))
}

/// Replaces `%xx` by the byte it stands for.
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let high = char::from(rest.next()?).to_digit(16)?;
        let low = char::from(rest.next()?).to_digit(16)?;
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use super::*;

    const GIF: &str = "R0lGODlhAQABAAAAACw=";

    fn mime_and_data(url: &str) -> Result<(&'static str, String), MediaProblem> {
        read(url.to_owned()).map(|(format, data)| (format.mime, data))
    }

    #[test]
    fn data_urls_are_told_from_others() {
        assert!(is_one("data:,x") && is_one("DATA:image/png;base64,"));
        assert!(!is_one("https://data:80/") && !is_one("dat") && !is_one("dätä:"));
    }

    #[test]
    fn all_spellings_of_base64_are_made_one() {
        let unpadded = GIF.trim_end_matches('=');
        let urls = [
            format!("data:image/gif;base64,{GIF}"),
            format!("DATA:Image/GIF;name=x.gif;BASE64,{GIF}"),
            format!("data:;base64,{GIF}"),
            format!("data:application/octet-stream;base64,{GIF}"),
            format!("data:image/gif;base64,{unpadded}"),
            format!("data:image/gif;base64,{unpadded}%3D"),
            "data:image/gif;base64,R0lG\nODlh AQABAAAAACw=".to_owned(),
        ];
        for url in urls {
            assert_eq!(mime_and_data(&url).unwrap(), ("image/gif", GIF.into()), "{url}");
        }
    }

    #[test]
    fn texts_may_be_escaped() {
        let wanted = ("text/plain", STANDARD.encode("a b,ü"));
        assert_eq!(mime_and_data("data:text/plain;charset=utf-8,a%20b,%c3%BC").unwrap(), wanted);
        assert_eq!(mime_and_data("data:text/plain,%GIF89a"), Err(MediaProblem::DataUrl));
        assert_eq!(mime_and_data("data:text/plain,x%2"), Err(MediaProblem::DataUrl));
    }

    #[test]
    fn what_is_broken_or_mislabelled_is_refused() {
        assert_eq!(mime_and_data("data:image/gif;base64"), Err(MediaProblem::DataUrl));
        assert_eq!(mime_and_data("data:image/gif;base64,R0lG!"), Err(MediaProblem::DataUrl));
        assert_eq!(mime_and_data(&format!("data:image/png;base64,{GIF}")), Err(MediaProblem::Mislabelled));
        assert_eq!(mime_and_data("data:text/html,<p>"), Err(MediaProblem::Unknown));
        assert_eq!(mime_and_data("data:,"), Err(MediaProblem::Unknown));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics_the_reader(head in ".{0,20}", data in "\\PC{0,40}") {
            let _read = read(format!("data:{head},{data}"));
            let _read = read(format!("data:image/png;base64,{data}"));
            let _read = read(head);
        }
    }
}

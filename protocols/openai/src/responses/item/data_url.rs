//! Data URLs, and the MIME types of files.

use canon::Source;

/// The MIME type and the base64 of a data URL that holds base64 and says nothing else.
fn parts(url: &str) -> Option<(&str, &str)> {
    let (mime, data) = url.strip_prefix("data:")?.split_once(";base64,")?;
    (!mime.is_empty() && !mime.contains([';', ','])).then_some((mime, data))
}

/// Where an address leads: into itself, or elsewhere.
pub(super) fn read(url: String) -> (Option<String>, Source) {
    match parts(&url) {
        Some((mime, data)) => (Some(mime.to_owned()), Source::Base64(data.to_owned())),
        None => (None, Source::Url(url)),
    }
}

/// The data URL of some base64.
pub(super) fn written(mime: Option<&str>, fallback: &str, data: &str) -> String {
    format!("data:{};base64,{data}", mime.unwrap_or(fallback))
}

/// The MIME type of a file that came without one, by the way in which it begins or is named.
pub(super) fn guessed(name: Option<&str>, data: &str) -> Option<&'static str> {
    // `%PDF-` in base64.
    if data.starts_with("JVBERi0") {
        return Some("application/pdf");
    }
    let (_, ending) = name?.rsplit_once('.')?;
    ENDINGS.iter().find(|(_, known)| ending.eq_ignore_ascii_case(known)).map(|(mime, _)| *mime)
}

/// A name for a file that came without one, which the dialect does not allow.
pub(super) fn name_for(mime: Option<&str>) -> String {
    let known = ENDINGS.iter().find(|(known, _)| mime == Some(*known));
    known.map_or_else(|| "file".to_owned(), |(_, ending)| format!("file.{ending}"))
}

const ENDINGS: &[(&str, &str)] = &[
    ("application/pdf", "pdf"),
    ("text/plain", "txt"),
    ("text/markdown", "md"),
    ("text/csv", "csv"),
    ("text/html", "html"),
    ("application/json", "json"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_base64_is_taken_apart() {
        let base64 = (Some("image/png".to_owned()), Source::Base64("AA==".to_owned()));
        assert_eq!(read("data:image/png;base64,AA==".to_owned()), base64);
        for other in ["https://a.example/x.png", "data:,x", "data:text/plain;charset=utf-8;base64,AA=="] {
            assert_eq!(read(other.to_owned()), (None, Source::Url(other.to_owned())));
        }
        assert_eq!(guessed(Some("a.PDF"), ""), Some("application/pdf"));
        assert_eq!(guessed(None, "JVBERi0xLjQ="), Some("application/pdf"));
        assert_eq!(name_for(Some("application/pdf")), "file.pdf");
    }
}

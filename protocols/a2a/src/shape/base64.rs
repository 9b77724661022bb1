//! Whether a text is base64. It is never decoded here: who needs the bytes does that.

/// Base64 in either alphabet (not mixed), with padding or without, as protobuf's JSON accepts it.
pub(crate) fn is_base64(text: &str) -> bool {
    let data = text.trim_end_matches('=');
    let padding = text.len() - data.len();
    let fits = match data.len() % 4 {
        0 => padding == 0,
        2 => padding == 0 || padding == 2,
        3 => padding == 0 || padding == 1,
        _ => false,
    };
    let (mut plain, mut url) = (true, true);
    for byte in data.bytes() {
        plain &= byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        url &= byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    }
    fits && (plain || url)
}

#[test]
fn base64_is_told_from_other_text() {
    for good in ["", "QQ==", "QQ", "QUI=", "QUI", "QUJD", "+/+/", "-_-_"] {
        assert!(is_base64(good), "{good}");
    }
    for bad in ["Q", "QQ=", "QUI==", "QUJD=", "+_+_", "Q Q=", "Q=Q=", "é", "===="] {
        assert!(!is_base64(bad), "{bad}");
    }
}

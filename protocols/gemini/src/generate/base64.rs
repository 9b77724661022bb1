//! Base64 in the two alphabets that occur: Google takes both, its SDKs write the one for URLs, and canon holds the
//! standard one, padded.

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Text in the standard alphabet, and how it was spelled if that was otherwise.
pub(super) fn standard(text: String) -> (String, Option<&'static str>) {
    let url = text.bytes().any(|byte| byte == b'-' || byte == b'_');
    let bare = !text.len().is_multiple_of(4);
    let mut text = if url { text.replace('-', "+").replace('_', "/") } else { text };
    while bare && !text.len().is_multiple_of(4) {
        text.push('=');
    }
    let spelled = match (url, bare) {
        (false, false) => None,
        (true, false) => Some("url"),
        (false, true) => Some("bare"),
        (true, true) => Some("url bare"),
    };
    (text, spelled)
}

/// Undoes [`standard`].
pub(super) fn spelled(text: &str, how: &str) -> String {
    let text = if how.contains("bare") { text.trim_end_matches('=') } else { text };
    if how.contains("url") { text.replace('+', "-").replace('/', "_") } else { text.to_owned() }
}

/// Bytes as text in the standard alphabet.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let three = [0, 1, 2].map(|at| u32::from(group.get(at).copied().unwrap_or(0)));
        let bits = three[0] << 16 | three[1] << 8 | three[2];
        for at in 0..4 {
            let six = (bits >> (18 - 6 * at)) as usize & 63;
            text.push(if at <= group.len() { char::from(STANDARD[six]) } else { '=' });
        }
    }
    text
}

/// The bytes of a text in either alphabet, padded or not; `None` when it is no base64.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for letter in text.bytes() {
        let six = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xff) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn alphabets_and_padding_are_evened_out_and_given_back() {
        for (text, even) in [("a-_b", "a+/b"), ("QQ", "QQ=="), ("a-", "a+=="), ("QQ==", "QQ==")] {
            let (standard, how) = standard(text.to_owned());
            assert_eq!(standard, even);
            assert_eq!(spelled(&standard, how.unwrap_or("")), text);
        }
        assert_eq!(encode(b"trivium."), "dHJpdml1bS4=");
        assert_eq!(decode("no base64!"), None);
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(bytes in proptest::collection::vec(any::<u8>(), 0..50)) {
            let text = encode(&bytes);
            prop_assert_eq!(text.len() % 4, 0);
            prop_assert_eq!(decode(&text), Some(bytes.clone()));
            prop_assert_eq!(decode(&spelled(&text, "url bare")), Some(bytes));
        }
    }
}

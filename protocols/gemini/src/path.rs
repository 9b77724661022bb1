//! The paths of the API: the model and the verb stand there, not in the body.

/// The path of `verb` on `model`, below the base URL. A model may carry its collection (`models/`, `tunedModels/`).
pub(crate) fn of(model: &str, verb: &str) -> String {
    let (collection, name) = ["models/", "tunedModels/"]
        .into_iter()
        .find_map(|collection| Some((collection, model.strip_prefix(collection)?)))
        .unwrap_or(("models/", model));
    format!("/{collection}{}:{verb}", escaped(name))
}

/// The name as one segment of a path. A colon would begin the verb, and a slash another segment.
fn escaped(name: &str) -> String {
    let mut segment = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'@' => {
                segment.push(char::from(byte));
            }
            other => segment.push_str(&format!("%{other:02X}")),
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_collection_is_kept_and_the_name_is_one_segment() {
        assert_eq!(of("gemini-2.5-pro", "generateContent"), "/models/gemini-2.5-pro:generateContent");
        assert_eq!(of("models/gemini-3-pro", "countTokens"), "/models/gemini-3-pro:countTokens");
        assert_eq!(of("tunedModels/mine-1", "generateContent"), "/tunedModels/mine-1:generateContent");
        assert_eq!(of("a/b:c d", "generateContent"), "/models/a%2Fb%3Ac%20d:generateContent");
    }
}

//! Spellings of field names. Google takes `snake_case` beside `camelCase`, and some clients send it. Known fields are
//! read under the one name; what was written is kept as a hint. Nothing that users make (arguments, schemas) is touched.

use canon::{Dialect, Rest};
use serde_json::{Map, Value};

/// The hint under which [`tidy`]'s finding is kept.
const HINT: &str = "$spelling";

/// Known fields of an object, and the objects among them.
pub(super) struct Shape {
    names: &'static [&'static str],
    inner: &'static [(&'static str, &'static Shape)],
}

const fn flat(names: &'static [&'static str]) -> Shape {
    Shape { names, inner: &[] }
}

/// A request.
pub(super) const REQUEST: Shape = Shape {
    names: &[
        "systemInstruction",
        "toolConfig",
        "generationConfig",
        "safetySettings",
        "cachedContent",
        "serviceTier",
    ],
    inner: &[("toolConfig", &TOOL_CONFIG), ("generationConfig", &GENERATION_CONFIG)],
};

const TOOL_CONFIG: Shape = Shape {
    names: &["functionCallingConfig", "retrievalConfig", "includeServerSideToolInvocations"],
    inner: &[("functionCallingConfig", &flat(&["allowedFunctionNames", "streamFunctionCallArguments"]))],
};

const GENERATION_CONFIG: Shape = Shape {
    names: &[
        "maxOutputTokens",
        "topP",
        "topK",
        "candidateCount",
        "stopSequences",
        "presencePenalty",
        "frequencyPenalty",
        "responseMimeType",
        "responseSchema",
        "responseJsonSchema",
        "responseFormat",
        "responseModalities",
        "speechConfig",
        "thinkingConfig",
        "responseLogprobs",
        "mediaResolution",
        "imageConfig",
        "audioTimestamp",
    ],
    inner: &[("thinkingConfig", &flat(&["thinkingBudget", "includeThoughts", "thinkingLevel"]))],
};

/// An entry of `tools`.
pub(super) const TOOL: Shape = flat(&[
    "functionDeclarations",
    "googleSearch",
    "googleSearchRetrieval",
    "codeExecution",
    "urlContext",
    "googleMaps",
    "fileSearch",
    "computerUse",
    "enterpriseWebSearch",
]);

/// A function declaration.
pub(super) const DECLARATION: Shape = flat(&["parametersJsonSchema", "responseJsonSchema"]);

/// A part of a content.
pub(super) const PART: Shape = Shape {
    names: &[
        "thoughtSignature",
        "inlineData",
        "fileData",
        "functionCall",
        "functionResponse",
        "executableCode",
        "codeExecutionResult",
        "videoMetadata",
        "mediaResolution",
        "partMetadata",
        "toolCall",
        "toolResponse",
    ],
    inner: &[
        ("inlineData", &flat(&["mimeType", "displayName"])),
        ("fileData", &flat(&["mimeType", "displayName", "fileUri"])),
        ("functionCall", &flat(&["partialArgs", "willContinue"])),
        ("functionResponse", &flat(&["willContinue"])),
    ],
};

/// Gives the known fields of `map` their one name. What was found otherwise is returned, for [`keep`].
pub(super) fn tidy(map: &mut Map<String, Value>, shape: &Shape) -> Option<Map<String, Value>> {
    let (mut found, mut renamed) = (Map::new(), Vec::new());
    if map.keys().any(|name| name.contains('_')) {
        for (name, value) in std::mem::take(map) {
            let camel = camel(&name);
            if camel != name && shape.names.contains(&camel.as_str()) && !map.contains_key(&camel) {
                map.insert(camel, value);
                renamed.push(Value::from(name));
            } else {
                map.insert(name, value);
            }
        }
    }
    for (name, inner) in shape.inner {
        if let Some(Value::Object(inside)) = map.get_mut(*name)
            && let Some(hint) = tidy(inside, inner)
        {
            found.insert((*name).to_owned(), hint.into());
        }
    }
    // Behind the inner ones, which are found by the one name.
    if !renamed.is_empty() {
        found.insert(String::new(), renamed.into());
    }
    (!found.is_empty()).then_some(found)
}

/// Keeps what [`tidy`] found.
pub(super) fn keep(rest: &mut Rest, found: Option<Map<String, Value>>) {
    if let Some(found) = found {
        rest.hint(Dialect::Gemini, HINT, found);
    }
}

/// Gives an object the spelling in which it was read.
pub(super) fn restore(map: &mut Map<String, Value>, rest: &Rest) {
    if let Some(Value::Object(found)) = rest.hinted(Dialect::Gemini, HINT) {
        respell(map, found);
    }
}

fn respell(map: &mut Map<String, Value>, found: &Map<String, Value>) {
    for (name, hint) in found {
        match hint {
            Value::Object(inner) => {
                if let Some(Value::Object(inside)) = map.get_mut(name) {
                    respell(inside, inner);
                }
            }
            Value::Array(names) => {
                for name in names.iter().filter_map(Value::as_str) {
                    if let Some(value) = map.shift_remove(&camel(name)) {
                        map.insert(name.to_owned(), value);
                    }
                }
            }
            _ => {}
        }
    }
}

fn camel(snake: &str) -> String {
    let mut words = snake.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use serde_json::json;

    use super::*;

    #[test]
    fn known_names_are_evened_out_and_given_back() {
        let written = json!({"inline_data": {"mime_type": "image/png", "data": "AA=="}, "my_field": 1,
            "functionCall": {"name": "f", "args": {"mime_type": 1}}});
        let mut map = written.as_object().unwrap().clone();
        let found = tidy(&mut map, &PART);
        let tidied = json!({"inlineData": {"mimeType": "image/png", "data": "AA=="}, "my_field": 1,
            "functionCall": {"name": "f", "args": {"mime_type": 1}}});
        assert_eq!(Value::Object(map.clone()), tidied);
        let mut rest = Rest::default();
        keep(&mut rest, found);
        restore(&mut map, &rest);
        assert_eq!(Value::Object(map), written);
    }
}

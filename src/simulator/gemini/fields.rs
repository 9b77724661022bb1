//! The tables of generateContent's messages.

use super::proto::{Fields, Type};

/// A request.
pub(super) const REQUEST: &Fields = &[
    ("contents", Type::List(&Type::Message(CONTENT))),
    ("systemInstruction", Type::Message(CONTENT)),
    ("tools", Type::List(&Type::Message(TOOL))),
    ("toolConfig", Type::Message(TOOL_CONFIG)),
    ("safetySettings", Type::List(&Type::Message(SAFETY))),
    ("generationConfig", Type::Message(GENERATION)),
    ("cachedContent", Type::Text),
    ("model", Type::Text),
    ("serviceTier", Type::Text),
    ("store", Type::Flag),
    ("labels", Type::Any),
    ("continuationToken", Type::Text),
];

/// A request to count tokens: contents alone, or a whole request.
pub(super) const COUNT: &Fields =
    &[("contents", Type::List(&Type::Message(CONTENT))), ("generateContentRequest", Type::Message(REQUEST))];

/// A request for one embedding.
pub(super) const EMBED: &Fields = &[
    ("model", Type::Text),
    ("content", Type::Message(CONTENT)),
    ("taskType", Type::Text),
    ("title", Type::Text),
    ("outputDimensionality", Type::Number),
    ("embedContentConfig", Type::Any),
];

/// A request for several embeddings.
pub(super) const EMBEDS: &Fields = &[("requests", Type::List(&Type::Message(EMBED)))];

const CONTENT: &Fields = &[("parts", Type::List(&Type::Message(PART))), ("role", Type::Text)];

const PART: &Fields = &[
    ("text", Type::Text),
    ("thought", Type::Flag),
    ("thoughtSignature", Type::Text),
    ("inlineData", Type::Message(BLOB)),
    ("fileData", Type::Message(FILE)),
    ("functionCall", Type::Message(CALL)),
    ("functionResponse", Type::Message(RESPONSE)),
    ("executableCode", Type::Message(&[("language", Type::Text), ("code", Type::Text), ("id", Type::Text)])),
    (
        "codeExecutionResult",
        Type::Message(&[("outcome", Type::Text), ("output", Type::Text), ("id", Type::Text)]),
    ),
    ("toolCall", Type::Any),
    ("toolResponse", Type::Any),
    ("videoMetadata", Type::Any),
    ("mediaResolution", Type::Any),
    ("partMetadata", Type::Struct),
    ("audioTranscription", Type::Any),
    ("mediaProcessing", Type::Any),
    ("speechMetadata", Type::Any),
    ("documentMetadata", Type::Any),
    ("spreadsheetMetadata", Type::Any),
    ("audioMetadata", Type::Any),
];

const BLOB: &Fields = &[("mimeType", Type::Text), ("data", Type::Text), ("displayName", Type::Text)];

const FILE: &Fields = &[("mimeType", Type::Text), ("fileUri", Type::Text), ("displayName", Type::Text)];

const CALL: &Fields = &[("id", Type::Text), ("name", Type::Text), ("args", Type::Struct)];

const RESPONSE: &Fields = &[
    ("id", Type::Text),
    ("name", Type::Text),
    ("response", Type::Struct),
    ("willContinue", Type::Flag),
    ("scheduling", Type::Text),
    (
        "parts",
        Type::List(&Type::Message(&[("inlineData", Type::Message(BLOB)), ("fileData", Type::Message(FILE))])),
    ),
];

const TOOL: &Fields = &[
    ("functionDeclarations", Type::List(&Type::Message(DECLARATION))),
    ("googleSearch", Type::Struct),
    ("googleSearchRetrieval", Type::Struct),
    ("codeExecution", Type::Struct),
    ("urlContext", Type::Struct),
    ("computerUse", Type::Struct),
    ("fileSearch", Type::Struct),
    ("googleMaps", Type::Struct),
    ("mcpServers", Type::Any),
];

const DECLARATION: &Fields = &[
    ("name", Type::Text),
    ("description", Type::Text),
    ("parameters", Type::Message(SCHEMA)),
    ("parametersJsonSchema", Type::Any),
    ("response", Type::Message(SCHEMA)),
    ("responseJsonSchema", Type::Any),
    ("behavior", Type::Text),
];

/// The part of OpenAPI's schema that is known; `$schema`, `additionalProperties`, `const` and their like are not.
const SCHEMA: &Fields = &[
    ("type", Type::Text),
    ("format", Type::Text),
    ("title", Type::Text),
    ("description", Type::Text),
    ("nullable", Type::Flag),
    ("enum", Type::List(&Type::Text)),
    ("maxItems", Type::Number),
    ("minItems", Type::Number),
    ("properties", Type::Map(&Type::Itself)),
    ("required", Type::List(&Type::Text)),
    ("minProperties", Type::Number),
    ("maxProperties", Type::Number),
    ("minLength", Type::Number),
    ("maxLength", Type::Number),
    ("pattern", Type::Text),
    ("example", Type::Any),
    ("anyOf", Type::List(&Type::Itself)),
    ("propertyOrdering", Type::List(&Type::Text)),
    ("default", Type::Any),
    ("items", Type::Itself),
    ("minimum", Type::Number),
    ("maximum", Type::Number),
];

const TOOL_CONFIG: &Fields = &[
    (
        "functionCallingConfig",
        Type::Message(&[("mode", Type::Text), ("allowedFunctionNames", Type::List(&Type::Text))]),
    ),
    ("retrievalConfig", Type::Any),
    ("includeServerSideToolInvocations", Type::Flag),
];

const SAFETY: &Fields = &[("category", Type::Text), ("threshold", Type::Text), ("method", Type::Text)];

const GENERATION: &Fields = &[
    ("stopSequences", Type::List(&Type::Text)),
    ("responseMimeType", Type::Text),
    ("responseSchema", Type::Message(SCHEMA)),
    ("responseJsonSchema", Type::Any),
    ("_responseJsonSchema", Type::Any),
    ("responseModalities", Type::List(&Type::Text)),
    ("candidateCount", Type::Number),
    ("maxOutputTokens", Type::Number),
    ("temperature", Type::Number),
    ("topP", Type::Number),
    ("topK", Type::Number),
    ("seed", Type::Number),
    ("presencePenalty", Type::Number),
    ("frequencyPenalty", Type::Number),
    ("responseLogprobs", Type::Flag),
    ("logprobs", Type::Number),
    ("enableEnhancedCivicAnswers", Type::Flag),
    ("speechConfig", Type::Any),
    ("imageConfig", Type::Any),
    ("responseFormat", Type::Any),
    ("translationConfig", Type::Any),
    ("audioTranscriptionConfig", Type::Any),
    ("mediaResolution", Type::Text),
    (
        "thinkingConfig",
        Type::Message(&[
            ("includeThoughts", Type::Flag),
            ("thinkingBudget", Type::Number),
            ("thinkingLevel", Type::Text),
        ]),
    ),
];

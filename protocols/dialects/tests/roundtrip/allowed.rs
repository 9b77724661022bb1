//! What may get lost between two dialects, reviewed by hand: each entry with the reason why the target cannot say it.
//! A loss that is not here is a mistake of a codec.

use canon::Dialect::{self, Chat, Gemini, Messages, Responses};
use canon::Loss;

/// Losses that are allowed.
struct Allowed {
    /// Whose words they are.
    from: &'static [Dialect],
    /// Who cannot say them.
    to: &'static [Dialect],
    /// The losses, as they are displayed.
    what: &'static [&'static str],
    /// Why.
    #[expect(dead_code, reason = "for those who read the table")]
    why: &'static str,
}

const ANY: &[Dialect] = &Dialect::ALL;

/// Within one dialect, next to nothing.
const NATIVE: &[Allowed] = &[
    Allowed {
        from: ANY,
        to: ANY,
        what: &["thinking", "thinking.signature"],
        why: "thoughts and signatures mean something to their maker only, and the target is another",
    },
    Allowed {
        from: &[Messages],
        to: &[Messages],
        what: &["~reasoning"],
        why: "a tool loop that lost the thought of another maker cannot go on with a thinking budget",
    },
    Allowed {
        from: ANY,
        to: ANY,
        what: &["~max_tokens"],
        why: "the model gives no more, or (Responses) no fewer than 16 can be asked for",
    },
];

/// Between two dialects.
const REQUESTS: &[Allowed] = &[
    Allowed {
        from: ANY,
        to: ANY,
        what: &["strict"],
        why: "OpenAI refuses it beside a schema that is not closed; Gemini holds answers always and tools never",
    },
    Allowed {
        from: ANY,
        to: ANY,
        what: &["thinking", "thinking.signature"],
        why: "thoughts and signatures mean something to their maker only, and the target is another",
    },
    Allowed {
        from: ANY,
        to: ANY,
        what: &["~max_tokens"],
        why: "the model gives no more, or (Responses) no fewer than 16 can be asked for",
    },
    Allowed {
        from: ANY,
        to: ANY,
        what: &["x_message", "x_text", "x_tool", "x_unknown"],
        why: "fields that nobody documents are handed on within their own dialect alone",
    },
    Allowed {
        from: &[Chat],
        to: &[Responses, Messages, Gemini],
        what: &["logit_bias", "content.x_part", "tools.x_server"],
        why: "only chat biases tokens; parts and tools that are not documented mean nothing elsewhere",
    },
    Allowed {
        from: &[Chat, Responses],
        to: &[Messages, Gemini],
        what: &["metadata"],
        why: "free labels of a request; Messages has only an end user's id there, the Gemini API none",
    },
    Allowed {
        from: &[Responses],
        to: &[Chat],
        what: &["metadata"],
        why: "chat takes labels only of completions that are to be stored, and few of its providers take any",
    },
    Allowed {
        from: &[Responses],
        to: &[Chat, Messages, Gemini],
        what: &[
            "truncation",
            "content.web_search_call",
            "content.input_x",
            "tools.file_search",
            "namespace.description",
        ],
        why: "what the service behind Responses does by itself; elsewhere a namespace is but a part of names",
    },
    Allowed {
        from: &[Messages],
        to: &[Chat, Responses, Gemini],
        what: &["service_tier", "content.server_tool_use", "content.search_result", "tools.bash_20250124"],
        why: "service tiers differ by vendor; tools and blocks that only Anthropic runs or trained for",
    },
    Allowed {
        from: &[Gemini],
        to: &[Chat, Responses, Messages],
        what: &["cachedContent", "content.executableCode", "tools.codeExecution"],
        why: "cached prompts and code that is run at Google",
    },
    Allowed {
        from: &[Chat, Messages],
        to: &[Chat, Responses, Gemini, Messages],
        what: &["cache_control"],
        why: "OpenAI and Gemini cache without marks; of more than four Messages takes the last",
    },
    Allowed {
        from: &[Chat, Responses, Messages],
        to: &[Chat, Gemini, Messages],
        what: &["citations"],
        why: "citations in a history: chat documents none in requests, Gemini has none, Anthropic's hold an index \
              that only its service can make",
    },
    Allowed {
        from: &[Chat, Messages],
        to: &[Responses],
        what: &["~citations"],
        why: "an annotation has no place for the words that are cited, and needs a span",
    },
    Allowed {
        from: ANY,
        to: &[Chat],
        what: &["image", "file", "video"],
        why: "pictures of the model, files by address or of another vendor's store, and films are not in the API",
    },
    Allowed {
        from: &[Responses],
        to: &[Chat],
        what: &["detail"],
        why: "chat looks closely at pictures alone",
    },
    Allowed {
        from: ANY,
        to: &[Responses],
        what: &["image", "file", "video"],
        why: "pictures of the model, files of another vendor's store, and films are not in the API",
    },
    Allowed {
        from: ANY,
        to: &[Messages],
        what: &["image", "file", "audio", "video", "detail"],
        why: "the API takes pictures from the user alone, of files PDF and text alone, none of another store, no sound \
              or film, and has no word for how closely to look",
    },
    Allowed {
        from: ANY,
        to: &[Gemini],
        what: &["image", "file", "audio", "video", "detail", "filename"],
        why: "addresses need a type, files of another store are unknown, file names are refused outside Vertex",
    },
    Allowed {
        from: &[Chat, Gemini],
        to: &[Responses],
        what: &["audio"],
        why: "sound is documented for chat alone",
    },
    Allowed {
        from: &[Chat, Messages, Gemini],
        to: &[Responses],
        what: &["filename"],
        why: "beside an address or an id a name is refused",
    },
    Allowed {
        from: &[Messages],
        to: &[Chat, Responses, Gemini],
        what: &["~file"],
        why: "a document of plain text is told as text",
    },
    Allowed {
        from: ANY,
        to: &[Chat, Gemini],
        what: &["~content.tool_result"],
        why: "tool messages hold text alone, and so do function responses before Gemini 3: media follow as the user's",
    },
    Allowed {
        from: &[Messages, Gemini],
        to: &[Chat, Responses],
        what: &["is_error"],
        why: "a failed call is told from others by its text alone",
    },
    Allowed {
        from: &[Chat, Responses],
        to: &[Messages, Gemini],
        what: &["~refusal", "tools.format", "~arguments"],
        why: "a refusal is text there; grammars are unknown; arguments must be an object",
    },
    Allowed {
        from: &[Responses],
        to: &[Chat],
        what: &["tools.format"],
        why: "few chat providers take free text tools",
    },
    Allowed {
        from: &[Chat, Responses, Messages],
        to: &[Messages, Gemini],
        what: &["~role"],
        why: "a system message in the middle: Gemini has none, and few Claude models take one",
    },
    Allowed {
        from: ANY,
        to: &[Messages],
        what: &["~messages"],
        why: "a conversation begins with the user, and words that are to be gone on from do not end in white space",
    },
    Allowed {
        from: &[Chat, Gemini],
        to: &[Messages],
        what: &["frequency_penalty", "presence_penalty", "seed"],
        why: "not in the API",
    },
    Allowed {
        from: ANY,
        to: &[Messages],
        what: &["temperature", "~temperature", "top_p", "top_k", "stop"],
        why: "at most 1; not beside thinking; temperature and top_p not together; stop texts of white space are refused",
    },
    Allowed {
        from: ANY,
        to: &[Responses],
        what: &["top_k", "frequency_penalty", "presence_penalty", "seed", "stop"],
        why: "not in the API",
    },
    Allowed {
        from: ANY,
        to: &[Chat],
        what: &["top_k", "~stop"],
        why: "not in the API; at most four stop texts",
    },
    Allowed {
        from: ANY,
        to: &[Gemini],
        what: &["~stop", "~seed"],
        why: "at most five stop texts; seeds have 32 bits",
    },
    Allowed {
        from: ANY,
        to: ANY,
        what: &["~reasoning"],
        why: "efforts, budgets and levels are measured differently, and who shows thoughts decides it elsewhere",
    },
    Allowed {
        from: &[Chat, Responses, Gemini],
        to: &[Messages],
        what: &["response_format", "~response_format", "~schema", "strict"],
        why: "JSON without a schema is unknown; a schema has no description, is a subset, and always holds",
    },
    Allowed {
        from: &[Chat, Responses, Messages],
        to: &[Gemini],
        what: &["~response_format", "~schema", "strict"],
        why: "a schema has no description, is a subset, and always holds for answers and never for tools",
    },
    Allowed {
        from: ANY,
        to: &[Gemini],
        what: &["user", "parallel_tool_calls", "tools.web_search"],
        why: "not in the API; search and functions exclude each other in one request",
    },
    Allowed {
        from: ANY,
        to: &[Chat, Responses],
        what: &["~user"],
        why: "ids of users have at most 64 characters",
    },
    Allowed {
        from: ANY,
        to: ANY,
        what: &["tool_choice"],
        why: "lists of allowed tools are spelled by each vendor in its own way, and no choice outlives its tools",
    },
];

fn find(table: &[Allowed], from: Option<Dialect>, to: Dialect, loss: &Loss) -> bool {
    let what = loss.to_string();
    table.iter().any(|allowed| {
        from.is_none_or(|from| allowed.from.contains(&from))
            && allowed.to.contains(&to)
            && allowed.what.contains(&what.as_str())
    })
}

/// Whether a request may lose this on its way.
pub(crate) fn in_requests(from: Dialect, to: Dialect, loss: &Loss) -> bool {
    let table = if from == to { NATIVE } else { REQUESTS };
    find(table, Some(from), to, loss)
}

const ANSWERS: &[Allowed] = &[
    Allowed {
        from: ANY,
        to: &[Chat],
        what: &["content.web_search_call", "content.server_tool_use", "content.executableCode"],
        why: "what a vendor's own tools did",
    },
    Allowed {
        from: ANY,
        to: &[Responses],
        what: &["content.server_tool_use", "content.executableCode"],
        why: "what another vendor's tools did",
    },
    Allowed {
        from: ANY,
        to: &[Messages],
        what: &["content.web_search_call", "content.executableCode", "image", "~refusal"],
        why: "what another vendor's tools did; Claude draws no pictures; a refusal is text, and the reason to stop",
    },
    Allowed {
        from: ANY,
        to: &[Gemini],
        what: &["content.web_search_call", "content.server_tool_use", "~refusal"],
        why: "what another vendor's tools did; a refusal is text",
    },
    Allowed { from: ANY, to: &[Messages], what: &["logprobs"], why: "not in the API" },
    Allowed {
        from: ANY,
        to: ANY,
        what: &["citations", "~citations"],
        why: "each vendor has its own words for where a text is from: the address is what they share",
    },
    Allowed {
        from: ANY,
        to: ANY,
        what: &["~finish_reason"],
        why: "clients know the documented reasons only",
    },
    Allowed {
        from: ANY,
        to: &[Chat, Responses, Gemini],
        what: &["stop_sequence"],
        why: "which stop text was met is not told, nor reasons that the API does not have",
    },
    Allowed {
        from: ANY,
        to: &[Responses],
        what: &["thinking.signature"],
        why: "a call has no place for a signature, and none can be added to a typed item",
    },
    Allowed {
        from: ANY,
        to: &[Messages],
        what: &["thinking.signature"],
        why: "an answer never ends with thoughts, and clients take its last block for what was said",
    },
];

/// Whether an answer may lose this on its way to a client.
pub(crate) fn in_answers(to: Dialect, loss: &Loss) -> bool {
    find(ANSWERS, None, to, loss)
}

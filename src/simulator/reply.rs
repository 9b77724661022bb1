//! Decides what is said: a text, calls of tools, a refusal, made from the seed and the request alone.
//!
//! How it is written is each dialect's affair.

use serde_json::Value;

use super::ask::{Ask, Choice, Format, Search, Speaker, Tool};
use super::dice::Dice;
use super::schema;

/// One answer, in the pieces in which a stream says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// What is thought before; nothing if the model does not think.
    pub(super) thinking: Vec<String>,
    /// Whether some of the thinking is withheld.
    pub(super) redacted: bool,
    /// What is searched for on the web before the text.
    pub(super) search: Option<String>,
    /// What is said.
    pub(super) text: Vec<String>,
    /// Whether the text names a source.
    pub(super) cited: bool,
    /// The tools that are called.
    pub(super) calls: Vec<Call>,
    /// Why it ends.
    pub(super) end: End,
    /// Tokens that text and calls cost.
    pub(super) tokens: u64,
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// The call's id.
    pub(super) id: String,
    /// The tool's name.
    pub(super) name: String,
    /// The tool's group.
    pub(super) namespace: Option<String>,
    /// Whether the arguments are free text.
    pub(super) custom: bool,
    /// Its arguments, JSON (or free text) when put together.
    pub(super) arguments: Vec<String>,
}

/// Why an answer ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// All is said.
    Stop,
    /// This text would have come.
    StopText(String),
    /// There may be no more tokens.
    Length,
    /// Tools are called.
    Calls,
    /// The tool that the client named is called, which is no decision of the model.
    NamedCall,
    /// The model refuses; the text says so.
    Refused,
}

impl Reply {
    /// Content chunks in which a stream says it.
    pub(super) fn pieces(&self) -> usize {
        let calls: usize = self.calls.iter().map(|call| call.arguments.len() + 1).sum();
        self.thinking.len() + self.text.len() + calls
    }
}

/// The address that a cited text names.
pub(super) const SOURCE: &str = "https://example.com/roads";

/// The title of the page there.
pub(super) const SOURCE_TITLE: &str = "Roads and rivers";

const REFUSAL: &str = "I cannot help with that.";

/// The most content chunks of one answer.
const MOST_CHUNKS: usize = 10_000;

const WORDS: [&str; 24] = [
    "roads",
    "meet",
    "where",
    "the",
    "river",
    "turns",
    "and",
    "every",
    "traveller",
    "finds",
    "a",
    "way",
    "to",
    "carry",
    "good",
    "news",
    "over",
    "quiet",
    "hills",
    "before",
    "evening",
    "comes",
    "with",
    "light",
];

/// The `index`th answer to a request, its text in `chunks` pieces if that is set.
pub(super) fn compose(ask: &Ask, seed: u64, index: usize, chunks: Option<usize>) -> Reply {
    let last = ask.last().map_or("", |last| last.text.as_str());
    let mut dice = Dice::new(seed, &[ask.model.as_bytes(), last.as_bytes(), &(index as u64).to_le_bytes()]);
    let chunks = chunks.map(|chunks| chunks.min(MOST_CHUNKS));
    let mut reply = if ask.mentions(&["refuse me"]) {
        refusal()
    } else {
        calls(ask, &mut dice, chunks).unwrap_or_else(|| said(ask, &mut dice, chunks))
    };
    if ask.thinks {
        let mut dice = Dice::new(seed, &[b"thinking", last.as_bytes(), &(index as u64).to_le_bytes()]);
        reply.thinking = drawn(Some(4 + dice.below(4)), &mut dice);
        reply.redacted = ask.mentions(&["redact"]);
    }
    reply
}

fn refusal() -> Reply {
    let text = words(REFUSAL);
    Reply { end: End::Refused, tokens: text.len() as u64, ..plain(text) }
}

fn plain(text: Vec<String>) -> Reply {
    Reply {
        thinking: Vec::new(),
        redacted: false,
        search: None,
        text,
        cited: false,
        calls: Vec::new(),
        end: End::Stop,
        tokens: 0,
    }
}

/// An answer in words.
fn said(ask: &Ask, dice: &mut Dice, chunks: Option<usize>) -> Reply {
    let (mut pieces, enough) = match text(ask, dice) {
        Some(text) => (words(&text), false),
        None => (drawn(chunks, dice), true),
    };
    let mut end = cut_at_stop(&mut pieces, &ask.stop).map_or(End::Stop, End::StopText);
    if let Some(most) = ask.max_tokens.filter(|most| *most < pieces.len()) {
        pieces.truncate(most);
        end = End::Length;
    }
    let tokens = pieces.len() as u64;
    let whole = enough && end == End::Stop;
    if let Some(chunks) = chunks.filter(|_| !whole) {
        pieces = split(&pieces.concat(), chunks);
    }
    let searches = searches(ask);
    let search = searches.then(|| ask.user().unwrap_or("news").chars().take(60).collect());
    let cited = searches || ask.mentions(&["cite"]);
    Reply { search, cited, end, tokens, ..plain(pieces) }
}

fn searches(ask: &Ask) -> bool {
    match ask.search {
        Search::No => false,
        Search::Offered => ask.mentions(&["search"]),
        Search::Forced => ask.user().is_some(),
    }
}

/// The calls of tools, if the request offers some and asks for it.
fn calls(ask: &Ask, dice: &mut Dice, chunks: Option<usize>) -> Option<Reply> {
    ask.user()?;
    let parallel = ask.mentions(&["parallel"]);
    let (tool, end) = match &ask.choice {
        Choice::None => return None,
        Choice::Required => (ask.tools.first()?, End::Calls),
        Choice::Named(name) => (ask.tools.iter().find(|tool| tool.name == *name)?, End::NamedCall),
        Choice::Auto => {
            let wants = parallel || ask.mentions(&["tool", "weather"]);
            (ask.tools.first().filter(|_| wants)?, End::Calls)
        }
    };
    let mut called = vec![tool];
    if parallel && ask.parallel {
        let named = end == End::NamedCall;
        called.push(ask.tools.get(1).filter(|_| !named).unwrap_or(tool));
    }
    // The same question may come twice in a conversation: its calls are others, and so are their ids.
    let mut words: Vec<&[u8]> = ask.lines.iter().map(|line| line.text.as_bytes()).collect();
    let drawn = dice.next().to_le_bytes();
    words.push(&drawn);
    let mut ids = Dice::new(ask.lines.len() as u64, &words);
    let mut tokens = 0;
    let mut calls = Vec::with_capacity(called.len());
    for tool in called {
        let arguments = arguments(tool, dice);
        tokens += arguments.len().div_ceil(4) as u64 + 4;
        let pieces = chunks.unwrap_or_else(|| arguments.len().div_ceil(6));
        calls.push(Call {
            id: ids.id(ask.call_id.0, ask.call_id.1),
            name: tool.name.clone(),
            namespace: tool.namespace.clone(),
            custom: tool.custom,
            arguments: split(&arguments, pieces),
        });
    }
    Some(Reply { calls, end, tokens, ..plain(Vec::new()) })
}

fn arguments(tool: &Tool, dice: &mut Dice) -> String {
    if tool.custom {
        drawn(Some(5), dice).concat()
    } else {
        schema::sample(&tool.parameters, dice).to_string()
    }
}

/// The text that the request determines; otherwise one is drawn.
fn text(ask: &Ask, dice: &mut Dice) -> Option<String> {
    let last = ask.last()?;
    if last.speaker == Speaker::Tool {
        return Some(format!("The tool answered: {}", last.text));
    }
    if let Some((_, echo)) = last.text.split_once("echo: ") {
        return Some(echo.trim().to_owned());
    }
    match &ask.format {
        Format::Text => None,
        Format::Object => Some(Value::from_iter([("answer", drawn(None, dice).concat())]).to_string()),
        Format::Schema(schema) => Some(schema::sample(schema, dice).to_string()),
    }
}

/// Words with the space that follows the one before.
fn drawn(count: Option<usize>, dice: &mut Dice) -> Vec<String> {
    let count = count.unwrap_or_else(|| 8 + dice.below(9));
    (0..count)
        .map(|at| {
            let word = dice.pick(&WORDS);
            if at == 0 { word.to_owned() } else { format!(" {word}") }
        })
        .collect()
}

/// A text in words, each with the white space before it, as tokens are.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut spaces = true;
    for letter in text.chars() {
        let space = letter.is_whitespace();
        match words.last_mut() {
            Some(word) if spaces || !space => word.push(letter),
            _ => words.push(letter.to_string()),
        }
        spaces = space;
    }
    words
}

/// A text in `count` pieces of about the same length, or in letters if there are fewer.
fn split(text: &str, count: usize) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let count = count.min(letters.len());
    (0..count)
        .map(|at| letters[at * letters.len() / count..(at + 1) * letters.len() / count].iter().collect())
        .collect()
}

/// Ends the text before the first stop text, and says which one it was.
fn cut_at_stop(pieces: &mut Vec<String>, stops: &[String]) -> Option<String> {
    let text = pieces.concat();
    let found = stops
        .iter()
        .filter(|stop| !stop.is_empty())
        .filter_map(|stop| Some((text.find(stop.as_str())?, stop)));
    let (at, stop) = found.min_by_key(|(at, _)| *at)?;
    *pieces = words(&text[..at]);
    Some(stop.clone())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;

    fn ask(text: &str) -> Ask {
        let mut ask =
            Ask { model: "m".to_owned(), n: 1, parallel: true, call_id: ("call_", 24), ..Ask::default() };
        ask.say(Speaker::User, text);
        ask
    }

    fn reply(ask: &Ask, chunks: Option<usize>) -> Reply {
        compose(ask, 1, 0, chunks)
    }

    #[test]
    fn texts_repeat_and_differ() {
        assert_eq!(reply(&ask("hi"), None), reply(&ask("hi"), None));
        assert_ne!(reply(&ask("hi"), None), reply(&ask("ho"), None));
        assert_eq!(reply(&ask("hi"), Some(100)).text.len(), 100);
        assert_eq!(reply(&ask("please echo: one  two"), None).text, ["one", "  two"]);
        assert_eq!(reply(&ask("echo: abcdef"), Some(3)).text, ["ab", "cd", "ef"]);
    }

    #[test]
    fn max_tokens_and_stop_shorten() {
        let short = reply(&Ask { max_tokens: Some(2), ..ask("echo: one two three") }, None);
        assert_eq!((short.end, short.tokens), (End::Length, 2));
        assert_eq!(short.text, ["one", " two"]);
        let stop = vec!["three".to_owned(), " two".to_owned()];
        let stopped = reply(&Ask { stop, ..ask("echo: one two three") }, None);
        assert_eq!(stopped.end, End::StopText(" two".to_owned()));
        assert_eq!(stopped.text, ["one"]);
    }

    fn tools() -> Vec<Tool> {
        let parameters = json!({"type": "object", "properties": {"city": {"const": "Rome"}}});
        vec![Tool::function("sun", Some(&parameters)), Tool::function("rain", None)]
    }

    #[test]
    fn tools_are_called_when_asked_for() {
        let called = |choice, text| {
            let reply = reply(&Ask { tools: tools(), choice, ..ask(text) }, None);
            let calls = reply.calls.iter().map(|call| (call.name.clone(), call.arguments.concat()));
            (calls.collect::<Vec<_>>(), reply.end)
        };
        let sun = ("sun".to_owned(), r#"{"city":"Rome"}"#.to_owned());
        let rain = ("rain".to_owned(), "{}".to_owned());
        assert_eq!(called(Choice::Auto, "What is the Weather like?"), (vec![sun.clone()], End::Calls));
        assert_eq!(called(Choice::Auto, "hello"), (vec![], End::Stop));
        assert_eq!(called(Choice::Required, "hello"), (vec![sun.clone()], End::Calls));
        assert_eq!(called(Choice::None, "use a tool"), (vec![], End::Stop));
        assert_eq!(called(Choice::Named("rain".to_owned()), "hello"), (vec![rain.clone()], End::NamedCall));
        assert_eq!(called(Choice::Auto, "both in parallel"), (vec![sun, rain], End::Calls));
        let one = reply(&Ask { tools: tools(), parallel: false, ..ask("in parallel") }, None);
        assert_eq!(one.calls.len(), 1);
    }

    #[test]
    fn words_bring_refusals_searches_and_sources() {
        assert_eq!(reply(&ask("Refuse me!"), None).end, End::Refused);
        assert!(reply(&ask("cite it"), None).cited);
        assert_eq!(reply(&ask("search it"), None).search, None);
        let offered = Ask { search: Search::Offered, ..ask("search it") };
        assert_eq!(reply(&offered, None).search.as_deref(), Some("search it"));
        let forced = Ask { search: Search::Forced, ..ask("hello") };
        assert!(reply(&forced, None).search.is_some());
        let thinks = reply(&Ask { thinks: true, ..ask("hello") }, None);
        assert!(!thinks.thinking.is_empty());
        assert_eq!(thinks.text, reply(&ask("hello"), None).text);
    }

    #[test]
    fn formats_are_kept() {
        let object = reply(&Ask { format: Format::Object, ..ask("hi") }, None).text.concat();
        assert!(serde_json::from_str::<Value>(&object).unwrap()["answer"].is_string());
        let schema = json!({"type": "object", "properties": {"a": {"const": 1}}});
        let format = Format::Schema(schema);
        assert_eq!(reply(&Ask { format, ..ask("hi") }, None).text.concat(), r#"{"a":1}"#);
    }
}

//! YAML text to a tree of nodes with their places. Bounded in depth and size, so that no file can exhaust
//! the stack or the memory; that is why it reads the parser's events and builds the tree itself.

use std::{borrow::Cow, collections::HashMap, path::Path, sync::Arc};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::{
    node::{Key, Map, Node, Scalar, Value},
    origin::Origin,
    problem::Problems,
};

/// Deeper nesting is refused; the deepest known setting is at 4.
const MAX_DEPTH: usize = 32;
/// More values, aliases expanded, are refused.
const MAX_NODES: usize = 50_000;

/// The tree; `None` if there is none, because the file is empty or a problem says why.
pub(super) fn parse(text: &str, path: &Arc<Path>, problems: &mut Problems) -> Option<Node> {
    let mut builder = Builder {
        path,
        problems,
        open: Vec::new(),
        anchors: HashMap::new(),
        root: None,
        nodes: 0,
        documents: 0,
    };
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let result = match event {
            Ok((Event::StreamEnd, _)) => break,
            Ok((event, span)) => builder.take(event, span.start),
            Err(error) => Err((builder.place(*error.marker()), syntax_words(error.info()))),
        };
        if let Err((origin, (message, remedy))) = result {
            builder.problems.error("", &origin, message, remedy);
            return None;
        }
    }
    builder.root.filter(|root| !root.is_null())
}

type Words = (String, String);
type Stop = (Origin, Words);

struct Builder<'a> {
    path: &'a Arc<Path>,
    problems: &'a mut Problems,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    nodes: usize,
    documents: usize,
}

/// A collection whose end was not seen yet.
struct Open {
    origin: Origin,
    anchor: usize,
    value: Building,
}

enum Building {
    List(Vec<Node>),
    /// The key is there between its own event and its value's.
    Map(Map, Option<Key>),
}

impl Builder<'_> {
    fn place(&self, marker: Marker) -> Origin {
        Origin::File { path: Arc::clone(self.path), line: marker.line(), column: marker.col() + 1 }
    }

    fn take(&mut self, event: Event<'_>, start: Marker) -> Result<(), Stop> {
        let origin = self.place(start);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => self.document(origin),
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && !self.check_tag(tag.as_ref(), &origin);
                let scalar = Scalar { text: text.into_owned(), plain, missing: Vec::new() };
                self.finish(Node { value: Value::Scalar(scalar), origin }, anchor)
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    return Err((
                        origin,
                        words("this alias names no value before it", "define the anchor first"),
                    ));
                };
                let node = node.clone();
                self.nodes += size(&node);
                self.finish(node, 0)
            }
            Event::SequenceStart(anchor, tag) => {
                self.check_tag(tag.as_ref(), &origin);
                self.start(Open { origin, anchor, value: Building::List(Vec::new()) })
            }
            Event::MappingStart(anchor, tag) => {
                self.check_tag(tag.as_ref(), &origin);
                self.start(Open { origin, anchor, value: Building::Map(Map::default(), None) })
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
        }
    }

    fn document(&mut self, origin: Origin) -> Result<(), Stop> {
        self.documents += 1;
        if self.documents > 1 {
            let remedy = "put everything into one document, and remove the second `---`";
            return Err((origin, words("the file holds more than one YAML document", remedy)));
        }
        Ok(())
    }

    /// Whether the tag says that the value is text. Other tags of YAML's own say nothing that matters here.
    fn check_tag(&mut self, tag: Option<&Cow<'_, Tag>>, origin: &Origin) -> bool {
        let Some(tag) = tag else { return false };
        if !tag.is_yaml_core_schema() && !tag.suffix.is_empty() {
            self.problems.error(
                "",
                origin,
                "YAML tags (`!name`) have no meaning here",
                "remove the tag; environment variables are written `${NAME}`",
            );
        }
        tag.is_yaml_core_schema() && tag.suffix == "str"
    }

    fn start(&mut self, open: Open) -> Result<(), Stop> {
        if self.open.len() >= MAX_DEPTH {
            let message = format!("values are nested more than {MAX_DEPTH} deep");
            return Err((
                open.origin,
                words(&message, "no setting needs that: check brackets and indentation"),
            ));
        }
        self.open.push(open);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Stop> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let value = match open.value {
            Building::List(items) => Value::List(items),
            Building::Map(map, _) => Value::Map(merged(map)),
        };
        self.finish(Node { value, origin: open.origin }, open.anchor)
    }

    /// Puts a finished value where it belongs.
    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), Stop> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            let message = format!("the file has more than {MAX_NODES} values");
            return Err((node.origin, words(&message, "check that aliases (`*name`) do not multiply")));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.value) {
            None => self.root = Some(node),
            Some(Building::List(items)) => items.push(node),
            Some(Building::Map(map, key)) => match key.take() {
                Some(named) => insert(map, named, node, self.problems),
                None => *key = Some(key_of(node)?),
            },
        }
        Ok(())
    }
}

fn key_of(node: Node) -> Result<Key, Stop> {
    match node.value {
        Value::Scalar(scalar) => Ok(Key { name: scalar.text, origin: node.origin }),
        _ => Err((
            node.origin,
            words("a list or a mapping stands where a key is expected", "write `key: value`"),
        )),
    }
}

fn insert(map: &mut Map, key: Key, node: Node, problems: &mut Problems) {
    if let Some(first) = map.key(&key.name) {
        let (name, line) = (&key.name, first.origin.line().unwrap_or_default());
        let here = key.origin.line().unwrap_or_default();
        problems.error(
            name,
            &key.origin,
            format!("the key `{name}` is written twice, in lines {line} and {here}"),
            "remove one of them",
        );
        return;
    }
    map.entries.push((key, node));
}

/// `<<: *defaults` fills in what the mapping itself does not say.
fn merged(mut map: Map) -> Map {
    let Some(index) = map.entries.iter().position(|(key, node)| key.name == "<<" && merges(node)) else {
        return map;
    };
    let (_, node) = map.entries.remove(index);
    let sources = match node.value {
        Value::List(items) => items,
        value => vec![Node { value, origin: node.origin }],
    };
    for source in sources {
        let Value::Map(source) = source.value else { continue };
        for (key, value) in source.entries {
            if map.get(&key.name).is_none() {
                map.entries.push((key, value));
            }
        }
    }
    map
}

fn merges(node: &Node) -> bool {
    match &node.value {
        Value::Map(_) => true,
        Value::List(items) => items.iter().all(|item| matches!(item.value, Value::Map(_))),
        Value::Scalar(_) => false,
    }
}

fn size(node: &Node) -> usize {
    match &node.value {
        Value::Scalar(_) => 1,
        Value::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Map(map) => 1 + map.entries.iter().map(|(_, node)| size(node)).sum::<usize>(),
    }
}

fn words(message: &str, remedy: &str) -> Words {
    (message.to_owned(), remedy.to_owned())
}

/// The parser's own words, and what usually helps.
fn syntax_words(info: &str) -> Words {
    let remedy = if info.contains("tab") {
        "indent with spaces, not tabs"
    } else if info.contains("recursion") {
        "no setting needs such nesting: check the brackets"
    } else if info.contains("mapping values") || info.contains("simple key") || info.contains("':'") {
        "look at this line and the one before: write `key: value` with a space after the colon, indent keys of one \
         level alike, and quote text with `: ` in it"
    } else if info.contains("flow") || info.contains("']'") || info.contains("'}'") {
        "close every `[` and `{`; inside them, put `${NAME}` in quotes"
    } else if info.contains("quote") || info.contains("scalar") {
        "close the quotes, or quote text that starts with a special character"
    } else {
        "check the indentation and the quotes in this line and the one before"
    };
    (format!("this is not valid YAML: {info}"), remedy.to_owned())
}

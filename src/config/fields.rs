//! Reads the keys of one mapping: the override if there is one, else the file, else the default. Says what
//! was found, what was expected and an example where the two differ. Knows types, not meanings.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr, time::Duration};

use super::{
    effective::Sink,
    layers::Overlay,
    mask::shown,
    node::{Map, Node, Scalar, Value},
    origin::Origin,
    schema::{Key, SECTIONS, Section, home_of, nearest},
};

/// A value and where it was written.
#[derive(Debug, Clone)]
pub(super) struct Written<T> {
    pub(super) value: T,
    pub(super) origin: Origin,
}

/// What stands where a credential belongs.
pub(super) enum Given {
    /// This, which may be empty.
    Text(String),
    /// A reference to environment variables that are not set.
    Unset(Vec<String>),
    /// No text. Was reported.
    Wrong,
}

/// One mapping, and what overrides it.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    path: String,
    map: Option<&'a Map>,
    overlay: &'a Overlay,
    origin: Origin,
}

impl<'a> Fields<'a> {
    /// Opens a mapping, and reports keys that are not known in it.
    pub(super) fn open(
        section: &'static Section,
        path: String,
        node: Option<&'a Node>,
        overlay: &'a Overlay,
        sink: &mut Sink,
    ) -> Self {
        let node = node.filter(|node| !node.is_null());
        let map = match node.map(|node| &node.value) {
            Some(Value::Map(map)) => Some(map),
            _ => None,
        };
        if let (Some(node), None) = (node, map) {
            let message = format!("expected a mapping of settings, found {}", node.value.shape());
            let key = section.keys.first();
            let example = key.map_or(String::new(), |key| format!("{}: {}", key.name, key.example));
            let remedy = format!("write the settings indented below it, such as `{example}`");
            sink.problems.error(&path, &node.origin, message, remedy);
        }
        let origin = node.map_or(Origin::Default, |node| node.origin.clone());
        let fields = Self { path, map, overlay, origin };
        fields.report_unknown(section, sink);
        fields
    }

    fn report_unknown(&self, section: &'static Section, sink: &mut Sink) {
        for (key, _) in self.map.iter().flat_map(|map| &map.entries) {
            if section.keys.iter().any(|known| known.name == key.name) {
                continue;
            }
            let names: Vec<&str> = section.keys.iter().map(|known| known.name).collect();
            let near = nearest(&key.name, names.iter().copied());
            let remedy = match (near, home_of(&key.name)) {
                (Some(near), _) => format!("did you mean `{near}`? Known here: {}", names.join(", ")),
                (None, Some(path)) => format!("this setting is `{path}`; known here: {}", names.join(", ")),
                (None, None) => format!("remove it; known here: {}", names.join(", ")),
            };
            let message = format!("unknown key {} in `{}`", shown(&key.name), self.path);
            sink.problems.error(&format!("{}.{}", self.path, key.name), &key.origin, message, remedy);
        }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Where the mapping starts.
    pub(super) const fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(super) fn path_of(&self, key: &Key) -> String {
        format!("{}.{}", self.path, key.name)
    }

    /// What is written for a key; `key:` with nothing behind it is as good as nothing.
    pub(super) fn node(&self, key: &Key) -> Option<&'a Node> {
        let overridden = self.overlay.get(&self.path_of(key));
        overridden.or_else(|| self.map?.get(key.name)).filter(|node| !node.is_null())
    }

    /// The scalar that is written for a key. Reports other shapes, and variables that are not set.
    fn scalar(&self, sink: &mut Sink, key: &Key) -> Option<(&'a Scalar, &'a Origin)> {
        let node = self.node(key)?;
        match &node.value {
            Value::Scalar(scalar) if scalar.missing.is_empty() => Some((scalar, &node.origin)),
            Value::Scalar(scalar) => {
                unset(sink, &self.path_of(key), scalar, &node.origin);
                None
            }
            _ => {
                mismatch(sink, &self.path_of(key), key, node);
                None
            }
        }
    }

    /// A value by way of `read`, which says `None` where the text is not what is expected.
    fn read<T: Clone>(
        &self,
        sink: &mut Sink,
        key: &Key,
        default: T,
        read: impl Fn(&Scalar) -> Option<T>,
        write: impl Fn(&T) -> String,
    ) -> T {
        let mut origin = Origin::Default;
        let mut value = default;
        if let Some((scalar, place)) = self.scalar(sink, key) {
            if let Some(found) = read(scalar) {
                value = found;
                origin = place.clone();
            } else if let Some(node) = self.node(key) {
                mismatch(sink, &self.path_of(key), key, node);
            }
        }
        sink.holds(self.path_of(key), key, write(&value), origin);
        value
    }

    /// A number within a range.
    pub(super) fn number<T>(&self, sink: &mut Sink, key: &Key, range: RangeInclusive<T>, default: T) -> T
    where
        T: FromStr + PartialOrd + Clone + Display,
    {
        let read = |scalar: &Scalar| scalar.text.trim().parse().ok().filter(|value| range.contains(value));
        self.read(sink, key, default, read, T::to_string)
    }

    /// A time in seconds, fractions allowed, within a range.
    pub(super) fn seconds(
        &self,
        sink: &mut Sink,
        key: &Key,
        range: RangeInclusive<f64>,
        default: Duration,
    ) -> Duration {
        let read = |scalar: &Scalar| {
            let seconds = scalar.text.trim().parse().ok().filter(|value| range.contains(value))?;
            Duration::try_from_secs_f64(seconds).ok()
        };
        self.read(sink, key, default, read, |value| value.as_secs_f64().to_string())
    }

    /// `true` or `false`.
    pub(super) fn truth(&self, sink: &mut Sink, key: &Key, default: bool) -> bool {
        let read = |scalar: &Scalar| scalar.text.trim().to_ascii_lowercase().parse().ok();
        self.read(sink, key, default, read, bool::to_string)
    }

    /// One of these words; the first of a value is its name, further ones are synonyms.
    pub(super) fn choice<T: Copy + PartialEq>(
        &self,
        sink: &mut Sink,
        key: &Key,
        words: &[(&'static str, T)],
        default: T,
    ) -> T {
        let read = |scalar: &Scalar| {
            let word = scalar.text.trim().to_ascii_lowercase();
            words.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
        };
        let write = |value: &T| {
            words.iter().find(|(_, one)| one == value).map_or(String::new(), |(name, _)| (*name).to_owned())
        };
        self.read(sink, key, default, read, write)
    }

    /// Text. What it means, and that it holds, is for the caller to say.
    pub(super) fn text(&self, sink: &mut Sink, key: &Key) -> Option<Written<String>> {
        let (scalar, origin) = self.scalar(sink, key)?;
        text_of(sink, &self.path_of(key), key, scalar, origin)
    }

    /// A list of texts. From the environment, commas separate them.
    pub(super) fn texts(&self, sink: &mut Sink, key: &Key) -> Option<Vec<Written<String>>> {
        let node = self.node(key)?;
        let path = self.path_of(key);
        match (&node.value, &node.origin) {
            (Value::List(items), _) => Some(items_of(sink, &path, key, items)),
            (Value::Scalar(scalar), Origin::Env(_)) => {
                let parts = scalar.text.split(',').map(str::trim).filter(|part| !part.is_empty());
                let written = |part: &str| Written { value: part.to_owned(), origin: node.origin.clone() };
                Some(parts.map(written).collect())
            }
            _ => {
                mismatch(sink, &path, key, node);
                None
            }
        }
    }

    /// A key in the file, for a reader that can do without. `None` if nothing at all was written.
    pub(super) fn credential(&self, sink: &mut Sink, key: &Key) -> Option<Written<Given>> {
        let node = self.map?.get(key.name)?;
        let value = match &node.value {
            Value::Scalar(scalar) if scalar.is_null() => Given::Text(String::new()),
            Value::Scalar(scalar) if scalar.missing.is_empty() => Given::Text(scalar.text.clone()),
            Value::Scalar(scalar) => Given::Unset(scalar.missing.clone()),
            _ => {
                mismatch(sink, &self.path_of(key), key, node);
                Given::Wrong
            }
        };
        Some(Written { value, origin: node.origin.clone() })
    }
}

/// The texts of a list, without the items that are none.
pub(super) fn items_of(sink: &mut Sink, path: &str, key: &Key, items: &[Node]) -> Vec<Written<String>> {
    let mut texts = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let path = format!("{path}[{index}]");
        match &item.value {
            Value::Scalar(scalar) if scalar.is_null() => mismatch(sink, &path, key, item),
            Value::Scalar(scalar) if !scalar.missing.is_empty() => unset(sink, &path, scalar, &item.origin),
            Value::Scalar(scalar) => texts.extend(text_of(sink, &path, key, scalar, &item.origin)),
            _ => mismatch(sink, &path, key, item),
        }
    }
    texts
}

/// A number is taken as text, since model names and keys may be one; `true` in the file is not, since it is
/// hardly ever meant. The environment has no quotes, so there everything is.
fn text_of(
    sink: &mut Sink,
    path: &str,
    key: &Key,
    scalar: &Scalar,
    origin: &Origin,
) -> Option<Written<String>> {
    if scalar.is_boolean() && matches!(origin, Origin::File { .. }) {
        let message = format!("expected {}, found true or false", key.kind);
        sink.problems.error(
            path,
            origin,
            message,
            format!("put it in quotes if it is meant: \"{}\"", scalar.text),
        );
        return None;
    }
    Some(Written { value: scalar.text.trim().to_owned(), origin: origin.clone() })
}

/// Reports a value of the wrong type or out of bounds.
pub(super) fn mismatch(sink: &mut Sink, path: &str, key: &Key, node: &Node) {
    let found = match &node.value {
        Value::Scalar(scalar) if !key.secret && !scalar.is_null() => {
            format!("{} {}", scalar.shape().replace("true or false", "the value"), shown(&scalar.text))
        }
        value => value.shape().to_owned(),
    };
    let remedy = format!("write for example `{}: {}`", key.name, key.example);
    sink.problems.error(path, &node.origin, format!("expected {}, found {found}", key.kind), remedy);
}

fn unset(sink: &mut Sink, path: &str, scalar: &Scalar, origin: &Origin) {
    let names = scalar.missing.join(", ");
    let first = scalar.missing.first().map_or("NAME", String::as_str);
    sink.problems.error(
        path,
        origin,
        format!("the environment variable {names} is not set"),
        format!("set it, or give a default: `${{{first}:-default}}`"),
    );
}

/// Reports sections that do not exist. Those that start with `x-` are the user's own, for anchors.
pub(super) fn report_unknown_sections(root: &Map, sink: &mut Sink) {
    let names: Vec<&str> = SECTIONS.iter().map(|section| section.name).collect();
    for (key, _) in &root.entries {
        if names.contains(&key.name.as_str()) || key.name.starts_with("x-") {
            continue;
        }
        let remedy = match (home_of(&key.name), nearest(&key.name, names.iter().copied())) {
            (Some(path), _) => format!("this setting is `{path}`"),
            (None, Some(near)) => format!("did you mean `{near}`?"),
            (None, None) => "remove it".to_owned(),
        };
        let remedy = format!("{remedy}; sections are {}", names.join(", "));
        sink.problems.error(
            &key.name,
            &key.origin,
            format!("unknown section {}", shown(&key.name)),
            remedy.replace("?;", "? The"),
        );
    }
}

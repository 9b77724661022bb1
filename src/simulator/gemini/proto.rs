//! Reads JSON as Google's services do: by a table of messages. Names may be in camel case or snake case, one value may
//! stand for a list of one, and what the table does not know is refused.

use serde_json::{Map, Value, json};

use super::super::problem::Problem;

/// What a field holds.
#[derive(Clone, Copy)]
pub(super) enum Type {
    /// Anything.
    Any,
    /// Any object.
    Struct,
    /// A text.
    Text,
    /// A flag.
    Flag,
    /// A number, or a text that is one.
    Number,
    /// A message.
    Message(&'static Fields),
    /// The message that the field is in, once more.
    Itself,
    /// A list of such.
    List(&'static Type),
    /// An object with names of the client's own.
    Map(&'static Type),
}

/// The fields of a message, in camel case.
pub(super) type Fields = [(&'static str, Type)];

/// Reads a message; in the result all names are in camel case and lists are lists.
pub(super) fn message(place: &str, value: Value, fields: &Fields) -> Result<Value, Problem> {
    let Value::Object(map) = value else {
        return Err(invalid(place, "message", &value));
    };
    let mut read = Map::new();
    for (name, value) in map {
        let camel = camel(&name);
        let Some((_, kind)) = fields.iter().find(|(known, _)| *known == camel) else {
            return Err(unknown(place, &name));
        };
        // Null is the same as nothing at all.
        if value.is_null() && !matches!(kind, Type::Any) {
            continue;
        }
        let place = if place.is_empty() { snake(&camel) } else { format!("{place}.{}", snake(&camel)) };
        read.insert(camel, field(&place, value, *kind, fields)?);
    }
    Ok(Value::Object(read))
}

fn field(place: &str, value: Value, kind: Type, own: &Fields) -> Result<Value, Problem> {
    let single = !matches!(kind, Type::Any | Type::List(_));
    if single && value.is_array() {
        let what = format!(
            "Invalid JSON payload received. Unknown name \"{}\" at '{}': Proto field is not repeating, cannot start list.",
            last(place),
            parent(place)
        );
        return Err(bad(parent(place), what));
    }
    match kind {
        Type::Any => Ok(value),
        Type::Struct if value.is_object() => Ok(value),
        Type::Text if value.is_string() => Ok(value),
        Type::Flag if value.is_boolean() => Ok(value),
        Type::Number if value.is_number() => Ok(value),
        Type::Number => {
            let number = value.as_str().and_then(|text| text.parse::<f64>().ok());
            number.map(|number| json!(number)).ok_or_else(|| invalid(place, "TYPE_DOUBLE", &value))
        }
        Type::Struct => Err(invalid(place, "type.googleapis.com/google.protobuf.Struct", &value)),
        Type::Text => Err(invalid(place, "TYPE_STRING", &value)),
        Type::Flag => Err(invalid(place, "TYPE_BOOL", &value)),
        Type::Message(fields) => message(place, value, fields),
        Type::Itself => message(place, value, own),
        Type::List(inner) => {
            let list = match value {
                Value::Array(list) => list,
                one => vec![one],
            };
            let items = list.into_iter().enumerate();
            items.map(|(at, item)| field(&format!("{place}[{at}]"), item, *inner, own)).collect()
        }
        Type::Map(inner) => {
            let Value::Object(map) = value else { return Err(invalid(place, "map", &value)) };
            let mut read = Map::new();
            for (at, (name, value)) in map.into_iter().enumerate() {
                read.insert(name, field(&format!("{place}[{at}].value"), value, *inner, own)?);
            }
            Ok(Value::Object(read))
        }
    }
}

/// A refusal with the place in its details.
pub(super) fn bad(place: &str, what: String) -> Problem {
    let detail = json!({
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{"field": place, "description": what}],
    });
    Problem::invalid(what).detail(detail)
}

fn unknown(place: &str, name: &str) -> Problem {
    let at = if place.is_empty() { String::new() } else { format!(" at '{place}'") };
    bad(place, format!("Invalid JSON payload received. Unknown name \"{name}\"{at}: Cannot find field."))
}

fn invalid(place: &str, kind: &str, value: &Value) -> Problem {
    bad(place, format!("Invalid value at '{place}' ({kind}), {value}"))
}

fn parent(place: &str) -> &str {
    place.rsplit_once('.').map_or("", |(parent, _)| parent)
}

fn last(place: &str) -> &str {
    place.rsplit_once('.').map_or(place, |(_, last)| last)
}

/// `some_name` as `someName`.
fn camel(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut upper = false;
    for letter in name.chars() {
        if letter == '_' && !camel.is_empty() {
            upper = true;
        } else {
            camel.push(if upper { letter.to_ascii_uppercase() } else { letter });
            upper = false;
        }
    }
    camel
}

/// `someName` as `some_name`.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const INNER: &Fields = &[("someText", Type::Text), ("some", Type::Number)];
    const OUTER: &Fields = &[
        ("aList", Type::List(&Type::Message(INNER))),
        ("aMap", Type::Map(&Type::Message(INNER))),
        ("on", Type::Flag),
    ];

    #[test]
    fn both_spellings_read_the_same() {
        let snake = json!({"a_list": {"some_text": "x", "some": "3"}, "a_map": {"own_name": {}}, "on": null});
        let read = message("", snake, OUTER).unwrap();
        assert_eq!(read, json!({"aList": [{"someText": "x", "some": 3.0}], "aMap": {"own_name": {}}}));
    }

    #[test]
    fn what_is_not_known_is_named() {
        for (body, says) in [
            (json!({"x": 1}), "Unknown name \"x\": Cannot find field."),
            (json!({"aList": [{}, {"x": 1}]}), "Unknown name \"x\" at 'a_list[1]': Cannot find field."),
            (json!({"aList": [{"some_text": 1}]}), "Invalid value at 'a_list[0].some_text' (TYPE_STRING), 1"),
            (json!({"on": [true]}), "not repeating"),
        ] {
            let problem = message("", body, OUTER).unwrap_err();
            assert!(problem.message.contains(says), "{}", problem.message);
        }
    }
}

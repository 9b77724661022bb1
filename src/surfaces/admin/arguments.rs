//! From path, query and body to the one object of arguments that an operation takes. Texts of path and query become what
//! the argument's schema says; whether they fit is for the operation.

use std::collections::HashMap;

use operations::Definition;
use serde_json::{Map, Value};

use crate::engine::{code::Code, refusal::Refusal};

/// The JSON types of an operation's arguments, as far as a text has to become one.
pub(super) struct Kinds(HashMap<String, Kind>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer,
    Number,
    Boolean,
    List,
    Text,
}

impl Kinds {
    pub(super) fn of(definition: &Definition) -> Self {
        let schema = definition.args_schema();
        let properties = schema.get("properties").and_then(Value::as_object);
        let kinds = properties.into_iter().flatten().map(|(name, schema)| (name.clone(), kind(schema)));
        Self(kinds.collect())
    }

    /// The body as arguments, or as the one that is the whole body.
    pub(super) fn whole(&self, definition: &Definition, bytes: &[u8]) -> Result<Map<String, Value>, Refusal> {
        let bytes = if bytes.trim_ascii().is_empty() { b"{}" } else { bytes };
        let body: Map<String, Value> = super::parse(bytes)?;
        if let Some(whole) = definition.route.body {
            return Ok([(whole.to_owned(), Value::Object(body))].into_iter().collect());
        }
        if let Some(name) = definition.route.parameters().find(|name| body.contains_key(*name)) {
            let message = format!("`{name}` is named in the path; leave it out of the body.");
            return Err(Refusal::new(Code::InvalidParameter, message).about(name));
        }
        Ok(body)
    }

    /// Adds what the query says; in requests with a body nothing is expected there.
    pub(super) fn query(
        &self,
        definition: &Definition,
        query: Option<&str>,
        args: &mut Map<String, Value>,
    ) -> Result<(), Refusal> {
        if definition.route.method.has_body() {
            return Ok(());
        }
        let mut seen: Vec<String> = Vec::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let repeats = seen.iter().any(|earlier| *earlier == name);
            if repeats && self.0.get(&*name) != Some(&Kind::List) {
                let message = format!("`{name}` is given twice.");
                return Err(Refusal::new(Code::InvalidParameter, message));
            }
            self.put(&name, &value, args)?;
            seen.push(name.into_owned());
        }
        Ok(())
    }

    /// Adds one argument that was written as text.
    pub(super) fn put(&self, name: &str, text: &str, args: &mut Map<String, Value>) -> Result<(), Refusal> {
        let wrong =
            |expected: &str| Refusal::new(Code::InvalidParameter, format!("`{name}` must be {expected}."));
        let value = match self.0.get(name) {
            Some(Kind::Integer) => {
                let unsigned = text.parse::<u64>().map(Value::from);
                unsigned
                    .or_else(|_| text.parse::<i64>().map(Value::from))
                    .map_err(|_| wrong("a whole number"))?
            }
            Some(Kind::Number) => {
                let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
                number.map(Value::from).ok_or_else(|| wrong("a number"))?
            }
            Some(Kind::Boolean) => match text {
                "true" | "1" | "" => true.into(),
                "false" | "0" => false.into(),
                _ => return Err(wrong("true or false")),
            },
            Some(Kind::List) => {
                if let Some(Value::Array(items)) = args.get_mut(name) {
                    items.push(text.into());
                    return Ok(());
                }
                vec![text].into()
            }
            // What is not known is left to the operation, which says what it knows.
            Some(Kind::Text) | None => text.into(),
        };
        args.insert(name.to_owned(), value);
        Ok(())
    }
}

fn kind(schema: &Value) -> Kind {
    let is = |name: &str| match schema.get("type") {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(several)) => several.iter().any(|one| one == name),
        _ => false,
    };
    let kinds = [
        ("integer", Kind::Integer),
        ("number", Kind::Number),
        ("boolean", Kind::Boolean),
        ("array", Kind::List),
    ];
    kinds.into_iter().find(|(name, _)| is(name)).map_or(Kind::Text, |(_, kind)| kind)
}

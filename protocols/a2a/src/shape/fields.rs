//! An object that is being read. Fields are taken out, so that large texts move and are not copied. What is left at the
//! end is not looked at: both versions want unknown fields ignored. `null` is the same as not there.

use serde_json::{Map, Value};

use super::base64::is_base64;
use super::{Invalid, Problem, Timestamp};
use crate::model::Metadata;

/// An object and where it stands.
pub(crate) struct Fields {
    map: Map<String, Value>,
    at: String,
    /// Whether fields may have the proto file's names as well.
    proto: bool,
}

impl Fields {
    /// The parameters of a request; none at all are an empty object.
    pub(crate) fn params(params: Option<Value>) -> Result<Self, Invalid> {
        match params {
            None | Some(Value::Null) => Ok(Self { map: Map::new(), at: String::new(), proto: false }),
            Some(Value::Object(map)) => Ok(Self { map, at: String::new(), proto: false }),
            Some(_) => Err(Invalid::new("params", Problem::Expected("an object"))),
        }
    }

    /// The same, where each field, here and in what stands in here, may have its name in the proto file instead (`task_id`
    /// for `taskId`): who reads protobuf's JSON takes both, and some clients send those.
    pub(crate) fn proto_params(params: Option<Value>) -> Result<Self, Invalid> {
        Ok(Self { proto: true, ..Self::params(params)? })
    }

    /// The result of a call.
    pub(crate) fn result(result: Value) -> Result<Self, Invalid> {
        Self::of(result, "result".to_owned())
    }

    /// A value that is no object, as the one field of an object.
    pub(crate) fn whole(name: &str, value: Value) -> Self {
        Self { map: Map::from_iter([(name.to_owned(), value)]), at: String::new(), proto: false }
    }

    pub(crate) fn of(value: Value, at: String) -> Result<Self, Invalid> {
        match value {
            Value::Object(map) => Ok(Self { map, at, proto: false }),
            _ => Err(Invalid::new(at, Problem::Expected("an object"))),
        }
    }

    /// The path of a field in here.
    pub(crate) fn path(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_owned() } else { format!("{}.{name}", self.at) }
    }

    /// A complaint about this object.
    pub(crate) fn wrong(&self, problem: Problem) -> Invalid {
        Invalid::new(if self.at.is_empty() { "params" } else { self.at.as_str() }, problem)
    }

    /// A complaint about a field.
    pub(crate) fn bad(&self, name: &str, problem: Problem) -> Invalid {
        Invalid::new(self.path(name), problem)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        let is_there = |name: &str| self.map.get(name).is_some_and(|value| !value.is_null());
        is_there(name) || self.proto && is_there(&proto_name(name))
    }

    /// Whether a field is written at all, `null` included.
    pub(crate) fn names(&self, name: &str) -> bool {
        self.map.contains_key(name) || self.proto && self.map.contains_key(&proto_name(name))
    }

    /// A field as it is, `null` included.
    pub(crate) fn value(&mut self, name: &str) -> Option<Value> {
        let value = self.map.swap_remove(name);
        if self.proto { value.or_else(|| self.map.swap_remove(&proto_name(name))) } else { value }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.value(name).filter(|value| !value.is_null())
    }

    /// A text that may be missing or empty.
    pub(crate) fn text_if_any(&mut self, name: &str) -> Result<Option<String>, Invalid> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.bad(name, Problem::Expected("a string"))),
        }
    }

    /// A text that may be missing; an empty one counts as missing.
    pub(crate) fn optional(&mut self, name: &str) -> Result<Option<String>, Invalid> {
        Ok(self.text_if_any(name)?.filter(|text| !text.is_empty()))
    }

    /// A text that must be there and say something.
    pub(crate) fn required(&mut self, name: &str) -> Result<String, Invalid> {
        let text = self.text_if_any(name)?.ok_or_else(|| self.bad(name, Problem::Missing))?;
        if text.is_empty() { Err(self.bad(name, Problem::Empty)) } else { Ok(text) }
    }

    /// The bytes of a file, still in base64.
    pub(crate) fn base64(&mut self, name: &str) -> Result<String, Invalid> {
        let raw = self.text_if_any(name)?.unwrap_or_default();
        if is_base64(&raw) { Ok(raw) } else { Err(self.bad(name, Problem::Expected("base64"))) }
    }

    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>, Invalid> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(self.bad(name, Problem::Expected("a boolean"))),
        }
    }

    /// A whole number within bounds.
    pub(crate) fn number(&mut self, name: &str, least: u32, most: u32) -> Result<Option<u32>, Invalid> {
        let Some(value) = self.take(name) else { return Ok(None) };
        if !value.is_number() || value.as_f64().is_none_or(|number| number.fract() != 0.0) {
            return Err(self.bad(name, Problem::Expected("a whole number")));
        }
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        let number = number.filter(|number| (least..=most).contains(number));
        let range = || self.bad(name, Problem::Range(least.into(), most.into()));
        number.ok_or_else(range).map(Some)
    }

    pub(crate) fn metadata(&mut self, name: &str) -> Result<Metadata, Invalid> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(map)),
            Some(_) => Err(self.bad(name, Problem::Expected("an object"))),
        }
    }

    pub(crate) fn object(&mut self, name: &str) -> Result<Option<Self>, Invalid> {
        let at = self.path(name);
        let proto = self.proto;
        self.take(name).map(|value| Ok(Self { proto, ..Self::of(value, at)? })).transpose()
    }

    pub(crate) fn required_object(&mut self, name: &str) -> Result<Self, Invalid> {
        self.object(name)?.ok_or_else(|| self.bad(name, Problem::Missing))
    }

    /// A list of objects; missing is the same as empty.
    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        read: impl Fn(Self) -> Result<T, Invalid>,
    ) -> Result<Vec<T>, Invalid> {
        let Some(value) = self.take(name) else { return Ok(Vec::new()) };
        let Value::Array(values) = value else { return Err(self.bad(name, Problem::Expected("an array"))) };
        let path = self.path(name);
        let each =
            |(index, value)| read(Self { proto: self.proto, ..Self::of(value, format!("{path}[{index}]"))? });
        values.into_iter().enumerate().map(each).collect()
    }

    /// A list of objects with something in it.
    pub(crate) fn required_list<T>(
        &mut self,
        name: &str,
        read: impl Fn(Self) -> Result<T, Invalid>,
    ) -> Result<Vec<T>, Invalid> {
        if !self.has(name) {
            return Err(self.bad(name, Problem::Missing));
        }
        let list = self.list(name, read)?;
        if list.is_empty() { Err(self.bad(name, Problem::Empty)) } else { Ok(list) }
    }

    pub(crate) fn texts(&mut self, name: &str) -> Result<Vec<String>, Invalid> {
        let Some(value) = self.take(name) else { return Ok(Vec::new()) };
        let Value::Array(values) = value else { return Err(self.bad(name, Problem::Expected("an array"))) };
        let path = self.path(name);
        let text = |(index, value)| match value {
            Value::String(text) => Ok(text),
            _ => Err(Invalid::new(format!("{path}[{index}]"), Problem::Expected("a string"))),
        };
        values.into_iter().enumerate().map(text).collect()
    }

    /// One word of a table.
    pub(crate) fn word<T: Copy>(
        &mut self,
        name: &str,
        words: &[(&'static str, T)],
    ) -> Result<Option<T>, Invalid> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let known = words.iter().find(|(word, _)| value == **word).map(|(_, it)| *it);
        let unknown = || self.bad(name, Problem::OneOf(words.iter().map(|(word, _)| *word).collect()));
        known.ok_or_else(unknown).map(Some)
    }

    pub(crate) fn required_word<T: Copy>(
        &mut self,
        name: &str,
        words: &[(&'static str, T)],
    ) -> Result<T, Invalid> {
        self.word(name, words)?.ok_or_else(|| self.bad(name, Problem::Missing))
    }

    /// A time, and whether a part of a millisecond was cut off.
    pub(crate) fn time(&mut self, name: &str) -> Result<Option<(Timestamp, bool)>, Invalid> {
        let Some(text) = self.optional(name)? else { return Ok(None) };
        let wrong = || self.bad(name, Problem::Expected("a time as in 2026-01-31T12:00:00.000Z"));
        Timestamp::parse(&text).ok_or_else(wrong).map(Some)
    }
}

/// A field's name in the proto file: `task_id` of `taskId`.
fn proto_name(name: &str) -> String {
    let mut proto = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            proto.push('_');
        }
        proto.push(letter.to_ascii_lowercase());
    }
    proto
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_to_the_field() {
        let mut fields = Fields::params(Some(json!({"a": {"b": [{}, {"c": 1}]}}))).unwrap();
        let mut a = fields.required_object("a").unwrap();
        let error = a.list("b", |mut it| it.text_if_any("c")).unwrap_err();
        assert_eq!(error.to_string(), "`a.b[1].c` must be a string");
        assert_eq!(Fields::params(Some(json!([1]))).err().unwrap().to_string(), "`params` must be an object");
    }

    #[test]
    fn numbers_are_whole_and_within_bounds() {
        let read = |value: Value| {
            Fields::params(Some(json!({ "n": value }))).unwrap().number("n", 1, 100).map_err(|e| e.problem)
        };
        assert_eq!(read(json!(null)), Ok(None));
        assert_eq!(read(json!(100)), Ok(Some(100)));
        for bad in [json!(0), json!(101), json!(-1), json!(5_000_000_000_u64)] {
            assert_eq!(read(bad), Err(Problem::Range(1, 100)));
        }
        for bad in [json!("5"), json!(1.5), json!(true)] {
            assert_eq!(read(bad), Err(Problem::Expected("a whole number")));
        }
    }

    #[test]
    fn fields_may_have_the_names_of_the_proto_file_where_that_is_allowed() {
        let given = json!({"task_id": "t", "inner": {"history_length": 2}, "many": [{"media_type": "a/b"}], "taskId": null});
        let mut fields = Fields::proto_params(Some(given.clone())).unwrap();
        assert!(fields.has("taskId"));
        assert_eq!(fields.object("inner").unwrap().unwrap().number("historyLength", 0, 9), Ok(Some(2)));
        let types = fields.list("many", |mut one| one.required("mediaType"));
        assert_eq!(types.unwrap(), ["a/b"]);
        assert!(!Fields::params(Some(given)).unwrap().has("taskId"));
        let error = fields.required("contextId").unwrap_err();
        assert_eq!(error.to_string(), "`contextId` is required");
    }

    #[test]
    fn null_is_not_there_and_empty_says_nothing() {
        let mut fields = Fields::params(Some(json!({"a": null, "b": "", "c": ""}))).unwrap();
        assert!(fields.names("a") && !fields.has("a"));
        assert_eq!(fields.required("a").unwrap_err().problem, Problem::Missing);
        assert_eq!(fields.required("b").unwrap_err().problem, Problem::Empty);
        assert_eq!(fields.optional("c"), Ok(None));
    }
}

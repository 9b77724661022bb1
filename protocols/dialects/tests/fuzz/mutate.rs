//! Inputs of fuzz targets. One that begins like a body is one. Any other is a program: it chooses a recorded body and
//! changes it, so that random bytes become almost valid bodies.

use canon::{Dialect, sse};
use serde_json::{Map, Value, json};

use super::{fixtures::fixtures, streams::split};

/// Recorded bodies of one kind.
pub(crate) struct Pool {
    bodies: Vec<(Dialect, Vec<u8>)>,
    /// Values out of all bodies, to be put where they do not belong.
    values: Vec<Value>,
    /// Names of fields.
    names: Vec<String>,
}

/// The bytes of a program, one after the other; zeros when they are used up.
struct Program<'a>(&'a [u8]);

impl Program<'_> {
    fn next(&mut self) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first)
    }

    fn below(&mut self, limit: usize) -> usize {
        if limit <= 256 {
            return self.next() % limit.max(1);
        }
        (self.next() * 256 + self.next()) % limit
    }

    const fn is_over(&self) -> bool {
        self.0.is_empty()
    }
}

impl Pool {
    /// The recorded bodies of a kind of fixtures.
    pub(crate) fn of(kind: &str) -> Self {
        let bodies: Vec<_> =
            fixtures(kind).into_iter().map(|fixture| (fixture.dialect, fixture.body)).collect();
        let mut pool = Self { bodies: Vec::new(), values: odd_values(), names: Vec::new() };
        for (_, body) in &bodies {
            for event in if kind == "streams" { split(body) } else { vec![body.clone().into()] } {
                let data = sse::data(&event).unwrap_or_else(|| event.to_vec().into());
                if let Ok(value) = serde_json::from_slice(&data) {
                    pool.learn(&value);
                }
            }
        }
        pool.names.sort();
        pool.names.dedup();
        Self { bodies, ..pool }
    }

    fn learn(&mut self, value: &Value) {
        match value {
            Value::Object(map) => {
                self.names.extend(map.keys().cloned());
                map.values().for_each(|value| self.learn(value));
            }
            Value::Array(list) => list.iter().for_each(|value| self.learn(value)),
            _ => {}
        }
        if value.to_string().len() < 400 {
            self.values.push(value.clone());
        }
    }

    /// A body, and the dialect that it is meant to be in.
    pub(crate) fn body(&self, input: &[u8]) -> (Dialect, Vec<u8>) {
        if let Some(body) = as_it_is(input) {
            return body;
        }
        let mut program = Program(input);
        let (dialect, body) = &self.bodies[program.below(self.bodies.len())];
        let Ok(mut value) = serde_json::from_slice(body) else {
            return (*dialect, self.bent(body, &mut program));
        };
        if program.next().is_multiple_of(16) {
            return (*dialect, self.bent(body, &mut program));
        }
        for _ in 0..12 {
            if program.is_over() {
                break;
            }
            self.change(&mut value, &mut program);
        }
        (*dialect, value.to_string().into_bytes())
    }

    /// A stream, and the dialect that it is meant to be in.
    pub(crate) fn stream(&self, input: &[u8]) -> (Dialect, Vec<u8>) {
        if let Some(stream) = as_it_is(input) {
            return stream;
        }
        let mut program = Program(input);
        let (dialect, stream) = &self.bodies[program.below(self.bodies.len())];
        let mut events: Vec<Vec<u8>> = split(stream).iter().map(|event| event.to_vec()).collect();
        for _ in 0..12 {
            if program.is_over() || events.is_empty() {
                break;
            }
            let (at, other) = (program.below(events.len()), program.below(events.len()));
            match program.next() % 8 {
                0 => drop(events.remove(at)),
                1 => events.push(events[at].clone()),
                2 => events.swap(at, other),
                3 => events.truncate(at + 1),
                4 => events[at] = self.bent(&events[at], &mut program),
                _ => events[at] = self.other(&events[at], &mut program),
            }
        }
        (*dialect, events.concat())
    }

    /// An event with other data.
    fn other(&self, event: &[u8], program: &mut Program<'_>) -> Vec<u8> {
        let data = sse::data(event).unwrap_or_default().into_owned();
        let Ok(mut value) = serde_json::from_slice(&data) else { return event.to_vec() };
        self.change(&mut value, program);
        let head = event.split(|byte| *byte == b'\n').find(|line| line.starts_with(b"event:"));
        let head = head.map(|line| format!("{}\n", String::from_utf8_lossy(line).trim_end()));
        format!("{}data: {value}\n\n", head.unwrap_or_default()).into_bytes()
    }

    /// Bytes with a few of them changed.
    fn bent(&self, body: &[u8], program: &mut Program<'_>) -> Vec<u8> {
        let mut bent = body.to_vec();
        for _ in 0..4 {
            if bent.is_empty() {
                break;
            }
            let at = program.below(bent.len());
            match program.next() % 4 {
                0 => bent.truncate(at),
                1 => bent[at] = u8::try_from(program.next()).unwrap(),
                2 => drop(bent.remove(at)),
                _ => bent.insert(at, b"{}[],:\"\\\n 0"[program.below(11)]),
            }
        }
        bent
    }

    /// Changes one value somewhere within.
    fn change(&self, value: &mut Value, program: &mut Program<'_>) {
        let deeper = !program.next().is_multiple_of(8);
        match value {
            Value::Object(map) if deeper && !map.is_empty() => {
                let at = program.below(map.len());
                let name = map.keys().nth(at).cloned().unwrap();
                match program.next() % 8 {
                    0 => drop(map.shift_remove(&name)),
                    1 => self.rename(map, &name, program),
                    2 => drop(map.insert(self.name(program), self.value(program))),
                    _ => self.change(&mut map[&name], program),
                }
            }
            Value::Array(list) if deeper && !list.is_empty() => {
                let (at, other) = (program.below(list.len()), program.below(list.len()));
                match program.next() % 8 {
                    0 => drop(list.remove(at)),
                    1 => list.push(list[at].clone()),
                    2 => list.swap(at, other),
                    _ => self.change(&mut list[at], program),
                }
            }
            value => *value = self.value(program),
        }
    }

    fn rename(&self, map: &mut Map<String, Value>, name: &str, program: &mut Program<'_>) {
        if let Some(value) = map.shift_remove(name) {
            map.insert(self.name(program), value);
        }
    }

    fn name(&self, program: &mut Program<'_>) -> String {
        self.names[program.below(self.names.len())].clone()
    }

    fn value(&self, program: &mut Program<'_>) -> Value {
        let odd = program.next().is_multiple_of(2);
        let values = if odd { &self.values[..odd_values().len()] } else { &self.values[..] };
        values[program.below(values.len())].clone()
    }
}

/// Inputs that are bodies already, in the dialect that their length chooses.
fn as_it_is(input: &[u8]) -> Option<(Dialect, Vec<u8>)> {
    let begins = |begin: &&[u8]| input.starts_with(begin);
    let known: [&[u8]; 5] = [b"{", b"[", b"data:", b"event:", b":"];
    let dialect = Dialect::ALL[input.len() % Dialect::ALL.len()];
    known.iter().any(begins).then(|| (dialect, input.to_vec()))
}

fn odd_values() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("é\u{2028}\u{1f600}"),
        json!("data:image/png;base64,AA=="),
        json!("data:,x"),
        json!("trivium.a_3ab.c2ln"),
        json!("<think>a</think>b"),
        json!("{\"a\":"),
        json!("[DONE]"),
        json!([]),
        json!({}),
        json!([[]]),
        json!({"type": "text"}),
        json!({"type": "object", "properties": {"type": {"type": ["string", "null"]}}, "$ref": "#"}),
    ]
}

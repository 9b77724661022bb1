//! Prices as a user writes them: dollars per million tokens, as vendors publish them.

use crate::{
    config::{
        effective::Sink,
        fields::{Fields, mismatch},
        layers::Overlay,
        node::{Node, Value},
        schema::{Key, Section},
    },
    engine::settings::{Price, Usd},
};

/// A million dollars for a million tokens is a slip, and still far from the largest amount.
const KIND: &str = "dollars per million tokens, from 0 to 1000000";

const INPUT: Key = Key::new("input", KIND, "0.5");
const OUTPUT: Key = Key::new("output", KIND, "1.5");
const CACHE_READ: Key = Key::new("cache_read", KIND, "0.05");
const CACHE_WRITE: Key = Key::new("cache_write", KIND, "0.6");
const REASONING: Key = Key::new("reasoning", KIND, "1.5");
const AUDIO_INPUT: Key = Key::new("audio_input", KIND, "1");
const AUDIO_OUTPUT: Key = Key::new("audio_output", KIND, "2");
const REQUEST: Key = Key::new("request", "dollars per request, from 0 to 1000000", "0.005");

/// What a `price` can say.
pub(in crate::config) static PRICE: Section = Section {
    name: "price",
    keys: &[INPUT, OUTPUT, CACHE_READ, CACHE_WRITE, REASONING, AUDIO_INPUT, AUDIO_OUTPUT, REQUEST],
};

const MOST: f64 = 1e6;

/// The prices of a mapping; `None` where they are not whole, which was reported.
pub(in crate::config) fn read(path: String, node: &Node, sink: &mut Sink) -> Option<Price> {
    let overlay = Overlay::default();
    let fields = Fields::open(&PRICE, path, Some(node), &overlay, sink);
    let (input, output) = (token(&fields, &INPUT, sink), token(&fields, &OUTPUT, sink));
    let price = Price {
        input: Usd::ZERO,
        output: Usd::ZERO,
        cache_read: token(&fields, &CACHE_READ, sink),
        cache_write: token(&fields, &CACHE_WRITE, sink),
        reasoning: token(&fields, &REASONING, sink),
        audio_input: token(&fields, &AUDIO_INPUT, sink),
        audio_output: token(&fields, &AUDIO_OUTPUT, sink),
        request: amount(&fields, &REQUEST, sink).and_then(Usd::from_dollars),
        long: None,
    };
    let whole = matches!(&node.value, Value::Map(_));
    for key in [&INPUT, &OUTPUT].into_iter().filter(|key| whole && fields.node(key).is_none()) {
        let message = format!("`{}` is missing in the price", key.name);
        let remedy = "write both, such as `price: {input: 0.5, output: 1.5}`; write 0 for what is free";
        sink.problems.error(&fields.path_of(key), &node.origin, message, remedy);
    }
    Some(Price { input: input?, output: output?, ..price })
}

fn token(fields: &Fields<'_>, key: &Key, sink: &mut Sink) -> Option<Usd> {
    amount(fields, key, sink).and_then(Usd::per_million)
}

/// An amount in dollars, if one was written. Reports what is none.
pub(in crate::config) fn amount(fields: &Fields<'_>, key: &Key, sink: &mut Sink) -> Option<f64> {
    let node = fields.node(key)?;
    let dollars = match &node.value {
        Value::Scalar(scalar) if scalar.missing.is_empty() => scalar.text.trim().parse::<f64>().ok(),
        _ => None,
    };
    let Some(dollars) = dollars.filter(|dollars| (0.0..=MOST).contains(dollars)) else {
        mismatch(sink, &fields.path_of(key), key, node);
        return None;
    };
    sink.holds(fields.path_of(key), key, dollars.to_string(), node.origin.clone());
    Some(dollars)
}

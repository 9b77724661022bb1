//! `generationConfig`: limits and sampling. How to reason and the form of the answer have modules of their own.

use canon::{DecodeError, Fields, Losses, Rest, Sampling, Target, Turn};
use serde_json::{Map, Value};

use super::{format, reasoning};
use crate::generate::hints;

const NAME: &str = "generationConfig";

pub(super) fn decode(fields: &mut Fields, turn: &mut Turn, own: &mut Rest) -> Result<(), DecodeError> {
    let Some(mut config) = fields.object(NAME)? else { return Ok(()) };
    if config.is_empty() {
        hints::leave(own, "$generationConfig", true);
    }
    take(&mut config, turn, own).map_err(|error| error.within(NAME))?;
    hints::fold(own, NAME, config.into_map());
    Ok(())
}

fn take(config: &mut Fields, turn: &mut Turn, own: &mut Rest) -> Result<(), DecodeError> {
    turn.max_tokens = config.whole("maxOutputTokens")?;
    turn.sampling = Sampling {
        temperature: config.number("temperature")?,
        top_p: config.number("topP")?,
        top_k: config.number("topK")?,
        frequency_penalty: config.number("frequencyPenalty")?,
        presence_penalty: config.number("presencePenalty")?,
        seed: config.number("seed")?,
    };
    if let Some(stop) = config.list("stopSequences")? {
        if stop.is_empty() {
            hints::leave(own, "$noStop", true);
        }
        for text in stop {
            match text {
                Value::String(text) => turn.stop.push(text),
                _ => return Err(DecodeError::new("stopSequences", "must be an array of strings")),
            }
        }
    }
    turn.reasoning = reasoning::decode(config).map_err(|error| error.within("thinkingConfig"))?;
    format::decode(config, turn, own)
}

pub(super) fn encode(
    turn: &Turn,
    target: &Target<'_>,
    native: bool,
    body: &mut Map<String, Value>,
    losses: &mut Losses,
) {
    let mut config = Map::new();
    if let Some(tokens) = turn.max_tokens {
        let most = target.max_output.filter(|most| *most < tokens);
        if most.is_some() {
            losses.changed("max_tokens");
        }
        config.insert("maxOutputTokens".into(), most.unwrap_or(tokens).into());
    }
    sampling(&turn.sampling, &mut config);
    if !native {
        narrow_seed(&mut config, losses);
    }
    stop(turn, native, &mut config, losses);
    match &turn.reasoning {
        None => {}
        Some(wanted) if native => {
            config.insert("thinkingConfig".into(), reasoning::native(wanted, losses));
        }
        Some(wanted) => {
            let thinking = reasoning::encode(wanted, target.model, losses);
            config.extend(thinking.map(|thinking| ("thinkingConfig".to_owned(), thinking)));
        }
    }
    format::encode(turn, native, &mut config, losses);
    if !config.is_empty() || (native && hints::hint(&turn.rest, "$generationConfig").is_some()) {
        body.insert(NAME.into(), config.into());
    }
}

fn sampling(sampling: &Sampling, config: &mut Map<String, Value>) {
    for (name, number) in [
        ("temperature", &sampling.temperature),
        ("topP", &sampling.top_p),
        ("topK", &sampling.top_k),
        ("frequencyPenalty", &sampling.frequency_penalty),
        ("presencePenalty", &sampling.presence_penalty),
        ("seed", &sampling.seed),
    ] {
        config.extend(number.clone().map(|number| (name.to_owned(), Value::Number(number))));
    }
}

/// Seeds have 32 bits here.
fn narrow_seed(config: &mut Map<String, Value>, losses: &mut Losses) {
    let Some(seed) = config.get("seed").and_then(Value::as_i64) else { return };
    if i32::try_from(seed).is_err() {
        losses.changed("seed");
        config.insert("seed".into(), (seed & i64::from(i32::MAX)).into());
    }
}

/// The most stop texts that Gemini takes.
const STOPS: usize = 5;

fn stop(turn: &Turn, native: bool, config: &mut Map<String, Value>, losses: &mut Losses) {
    let most = if native { turn.stop.len() } else { STOPS };
    if turn.stop.len() > most {
        losses.changed("stop");
    }
    let texts: Vec<Value> = turn.stop.iter().take(most).map(|text| text.as_str().into()).collect();
    if !texts.is_empty() || (native && hints::hint(&turn.rest, "$noStop").is_some()) {
        config.insert("stopSequences".into(), texts.into());
    }
}

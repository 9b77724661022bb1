//! `thinkingConfig`: a budget up to the second generation, a level from the third on.

use canon::{DecodeError, Dialect, Effort, Fields, Losses, Reasoning};
use serde_json::{Map, Value};

use crate::generate::{hints, is_late};

pub(super) fn decode(config: &mut Fields) -> Result<Option<Reasoning>, DecodeError> {
    let Some(mut thinking) = config.object("thinkingConfig")? else { return Ok(None) };
    let shown = thinking.flag("includeThoughts")?;
    let mut reasoning = Reasoning { shown, ..Reasoning::default() };
    let mut dynamic = false;
    if let Some(budget) = thinking.take("thinkingBudget") {
        match budget.as_i64() {
            Some(-1) => {
                dynamic = true;
                reasoning.enabled = Some(true);
            }
            Some(0) => (reasoning.enabled, reasoning.budget) = (Some(false), Some(0)),
            Some(tokens) if tokens > 0 => reasoning.budget = u64::try_from(tokens).ok(),
            _ => return Err(DecodeError::new("thinkingBudget", "must be a whole number from -1 on")),
        }
    }
    let level = thinking.peek_str("thinkingLevel").map(|word| (Effort::parse(word), word.to_owned()));
    if let Some((Some(effort), _)) = &level {
        reasoning.effort = Some(*effort);
        thinking.take("thinkingLevel");
    }
    reasoning.rest = thinking.rest(Dialect::Gemini);
    if dynamic {
        hints::leave(&mut reasoning.rest, "$dynamic", true);
    }
    if let Some((Some(_), word)) = level {
        hints::leave(&mut reasoning.rest, "$level", word);
    }
    Ok(Some(reasoning))
}

/// The `thinkingConfig` as it was read.
pub(super) fn native(reasoning: &Reasoning, losses: &mut Losses) -> Value {
    let mut config = Map::new();
    if let Some(shown) = reasoning.shown {
        config.insert("includeThoughts".into(), shown.into());
    }
    if hints::hint(&reasoning.rest, "$dynamic").is_some() {
        config.insert("thinkingBudget".into(), (-1).into());
    } else if let Some(budget) = reasoning.budget {
        config.insert("thinkingBudget".into(), budget.into());
    }
    if let Some(level) = hints::hint(&reasoning.rest, "$level") {
        config.insert("thinkingLevel".into(), level.clone());
    }
    reasoning.rest.write(Dialect::Gemini, &mut config, losses);
    Value::Object(config)
}

/// The `thinkingConfig` that `model` understands.
pub(super) fn encode(reasoning: &Reasoning, model: &str, losses: &mut Losses) -> Option<Value> {
    reasoning.rest.lost(losses);
    let said = reasoning.enabled.is_some()
        || reasoning.effort.is_some()
        || reasoning.budget.is_some()
        || reasoning.shown.is_some();
    if !said {
        return None;
    }
    if !thinks(model) {
        losses.dropped("reasoning");
        return None;
    }
    let mut config = Map::new();
    let off = reasoning.enabled == Some(false) || reasoning.effort == Some(Effort::None);
    if is_late(model) {
        level(reasoning, off, model, &mut config, losses);
    } else {
        budget(reasoning, off, model, &mut config, losses);
    }
    config.insert("includeThoughts".into(), (!off && reasoning.shown != Some(false)).into());
    Some(Value::Object(config))
}

fn level(
    reasoning: &Reasoning,
    off: bool,
    model: &str,
    config: &mut Map<String, Value>,
    losses: &mut Losses,
) {
    let wanted =
        if off { Some(Effort::None) } else { reasoning.effort.or(reasoning.budget.map(Effort::of_budget)) };
    let Some(wanted) = wanted else { return };
    // Only the fast models know the least level, and the first of the large ones two levels in all; none can be
    // switched off.
    let few = model.contains("gemini-3-pro");
    let (word, said) = match wanted {
        Effort::None | Effort::Minimal if !model.contains("flash") => ("low", Effort::Low),
        Effort::None | Effort::Minimal => ("minimal", Effort::Minimal),
        Effort::Low => ("low", Effort::Low),
        Effort::Medium if !few => ("medium", Effort::Medium),
        Effort::Medium | Effort::High | Effort::XHigh | Effort::Max => ("high", Effort::High),
    };
    if said != wanted {
        losses.changed("reasoning");
    }
    config.insert("thinkingLevel".into(), word.into());
}

fn budget(
    reasoning: &Reasoning,
    off: bool,
    model: &str,
    config: &mut Map<String, Value>,
    losses: &mut Losses,
) {
    let pro = model.contains("pro");
    let (least, most) = match (pro, model.contains("lite")) {
        (true, _) => (128, 32_768),
        (false, true) => (512, 24_576),
        (false, false) => (1, 24_576),
    };
    let wanted = reasoning.budget.filter(|budget| *budget > 0).or(reasoning.effort.map(Effort::budget));
    let budget: i64 = if off {
        // The larger models cannot be switched off.
        if pro {
            losses.changed("reasoning");
            128
        } else {
            0
        }
    } else if let Some(wanted) = wanted {
        let fitting = wanted.clamp(least, most);
        // An effort names no tokens, so that its budget is cut is no change.
        if fitting != wanted && reasoning.budget.is_some() {
            losses.changed("reasoning");
        }
        i64::try_from(fitting).unwrap_or(-1)
    } else if reasoning.enabled == Some(true) {
        -1
    } else {
        return;
    };
    config.insert("thinkingBudget".into(), budget.into());
}

/// Whether a model takes a `thinkingConfig` at all: the families before 2.5 refuse it.
fn thinks(model: &str) -> bool {
    !["gemini-2.0", "gemini-1", "gemma", "learnlm"].iter().any(|old| model.contains(old))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(reasoning: &Reasoning, model: &str) -> (Option<Value>, String) {
        let mut losses = Losses::default();
        (encode(reasoning, model, &mut losses), losses.to_string())
    }

    #[test]
    fn the_generation_decides_between_budget_and_level() {
        let high = Reasoning { effort: Some(Effort::High), ..Reasoning::default() };
        let level = json!({"thinkingLevel": "high", "includeThoughts": true});
        assert_eq!(said(&high, "gemini-3-pro-preview"), (Some(level), String::new()));
        let budget = json!({"thinkingBudget": 24_576, "includeThoughts": true});
        assert_eq!(said(&high, "gemini-2.5-flash"), (Some(budget), String::new()));
        assert_eq!(said(&high, "gemini-2.0-flash"), (None, "reasoning".into()));
        let tokens = Reasoning { budget: Some(31_999), shown: Some(false), ..Reasoning::default() };
        let level = json!({"thinkingLevel": "high", "includeThoughts": false});
        assert_eq!(said(&tokens, "gemini-3.1-flash"), (Some(level), String::new()));
        let cut = json!({"thinkingBudget": 24_576, "includeThoughts": false});
        assert_eq!(said(&tokens, "gemini-2.5-flash"), (Some(cut), "~reasoning".into()));
    }

    #[test]
    fn off_is_as_little_as_the_model_can() {
        let off = Reasoning { enabled: Some(false), ..Reasoning::default() };
        assert_eq!(
            said(&off, "gemini-2.5-flash").0,
            Some(json!({"thinkingBudget": 0, "includeThoughts": false}))
        );
        let least = json!({"thinkingBudget": 128, "includeThoughts": false});
        assert_eq!(said(&off, "gemini-2.5-pro"), (Some(least), "~reasoning".into()));
        let low = json!({"thinkingLevel": "low", "includeThoughts": false});
        assert_eq!(said(&off, "gemini-3-pro-preview"), (Some(low), "~reasoning".into()));
        let on = Reasoning { enabled: Some(true), ..Reasoning::default() };
        assert_eq!(
            said(&on, "gemini-2.5-pro").0,
            Some(json!({"thinkingBudget": -1, "includeThoughts": true}))
        );
    }
}

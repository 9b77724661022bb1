//! How an answer should be.

use canon::{Dialect, Effort, Format, Reasoning, Rest, Sampling, Tool, ToolChoice, ToolKind, Turn};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use serde_json::{Number, Value, json};

use super::{blocks, schema};

/// Settings, as far as any dialect has them.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    stream: bool,
    max_tokens: Option<u64>,
    sampling: Sampling,
    stop: Vec<String>,
    reasoning: Option<Reasoning>,
    format: Option<Format>,
    user: Option<String>,
    choice: Option<u8>,
    parallel: Option<bool>,
    rest: Rest,
}

pub(super) fn settings(dialect: Dialect) -> BoxedStrategy<Settings> {
    let limits = (
        any::<bool>(),
        weighted(0.6, prop_oneof![Just(5_u64), Just(1024), Just(20_000), Just(100_000)]),
        sampling(),
        stops(),
    );
    let form = (weighted(0.4, reasoning(dialect)), weighted(0.3, format()), user());
    let choice = (weighted(0.5, 0_u8..7), weighted(0.3, any::<bool>()), rest(dialect));
    (limits, form, choice)
        .prop_map(
            |((stream, max_tokens, sampling, stop), (reasoning, format, user), (choice, parallel, rest))| {
                Settings {
                    stream,
                    max_tokens,
                    sampling,
                    stop,
                    reasoning,
                    format,
                    user,
                    choice,
                    parallel,
                    rest,
                }
            },
        )
        .boxed()
}

fn number(of: &'static [f64]) -> BoxedStrategy<Option<Number>> {
    weighted(0.25, prop::sample::select(of).prop_map(Number::from_f64)).prop_map(Option::flatten).boxed()
}

fn sampling() -> BoxedStrategy<Sampling> {
    let whole = weighted(0.15, 1_u32..100).prop_map(|it| it.map(Number::from));
    let seed = weighted(0.15, prop_oneof![Just(7_i64), Just(5_000_000_000), Just(-3)]);
    let drawn = (number(&[0.0, 0.3, 1.0, 1.5]), number(&[0.5, 0.97, 1.0]), whole);
    let others = (number(&[-1.0, 0.5]), number(&[1.5]), seed);
    (drawn, others)
        .prop_map(|((temperature, top_p, top_k), (frequency_penalty, presence_penalty, seed))| Sampling {
            temperature,
            top_p,
            top_k,
            frequency_penalty,
            presence_penalty,
            seed: seed.map(Number::from),
        })
        .boxed()
}

fn stops() -> BoxedStrategy<Vec<String>> {
    let stop = prop_oneof![3 => blocks::text(), 1 => Just("\n\n".to_owned()), 1 => Just("END".to_owned())];
    prop_oneof![3 => Just(Vec::new()), 1 => vec(stop, 1..7)].boxed()
}

fn user() -> BoxedStrategy<Option<String>> {
    weighted(0.3, prop_oneof![3 => Just("user-1".to_owned()), 1 => Just("u".repeat(80))]).boxed()
}

fn reasoning(dialect: Dialect) -> BoxedStrategy<Reasoning> {
    let effort = || prop::sample::select(&Effort::ALL[..]);
    let budget = || prop_oneof![Just(1024_u64), Just(2000), Just(16_000), Just(60_000)];
    let shown = || weighted(0.3, any::<bool>());
    match dialect {
        Dialect::Chat => {
            let plain =
                effort().prop_map(|effort| Reasoning { effort: Some(effort), ..Reasoning::default() });
            let object =
                (weighted(0.3, any::<bool>()), weighted(0.3, effort()), weighted(0.3, budget()), shown());
            let object = object.prop_map(|(enabled, effort, budget, shown)| {
                let mut rest = Rest::default();
                rest.hint(Dialect::Chat, "$object", true);
                Reasoning { enabled, effort, budget, shown, rest }
            });
            prop_oneof![2 => plain, 1 => object].boxed()
        }
        Dialect::Responses => (weighted(0.8, effort()), weighted(0.4, Just("auto")))
            .prop_map(|(effort, summary)| {
                let mut rest = Rest::default();
                if let Some(summary) = summary {
                    rest.hint(Dialect::Responses, "$summary", summary);
                }
                Reasoning { effort, shown: summary.is_some().then_some(true), rest, ..Reasoning::default() }
            })
            .boxed(),
        Dialect::Messages => {
            let enabled = (budget(), shown()).prop_map(|(budget, shown)| Reasoning {
                enabled: Some(true),
                budget: Some(budget),
                shown,
                ..Reasoning::default()
            });
            let adaptive = (weighted(0.6, effort()), shown()).prop_map(|(effort, shown)| {
                let mut rest = Rest::default();
                rest.hint(Dialect::Messages, "$type", "adaptive");
                let effort = effort.map(|effort| effort.clamp(Effort::Low, Effort::Max));
                Reasoning { enabled: Some(true), effort, shown, rest, ..Reasoning::default() }
            });
            let disabled = Just(Reasoning { enabled: Some(false), ..Reasoning::default() });
            prop_oneof![2 => enabled, 2 => adaptive, 1 => disabled].boxed()
        }
        Dialect::Gemini => {
            let counted = (budget(), shown()).prop_map(|(budget, shown)| Reasoning {
                budget: Some(budget),
                shown,
                ..Reasoning::default()
            });
            let level = (Just(Effort::Minimal), shown()).prop_flat_map(|(_, shown)| {
                prop::sample::select(&[Effort::Minimal, Effort::Low, Effort::Medium, Effort::High][..])
                    .prop_map(move |effort| leveled(effort, shown))
            });
            let dynamic = shown().prop_map(|shown| {
                let mut rest = Rest::default();
                rest.hint(Dialect::Gemini, "$dynamic", true);
                Reasoning { enabled: Some(true), shown, rest, ..Reasoning::default() }
            });
            let off = Just(Reasoning { enabled: Some(false), budget: Some(0), ..Reasoning::default() });
            prop_oneof![2 => counted, 2 => level, 1 => dynamic, 1 => off].boxed()
        }
    }
}

fn leveled(effort: Effort, shown: Option<bool>) -> Reasoning {
    let mut rest = Rest::default();
    rest.hint(Dialect::Gemini, "$level", effort.as_str().to_uppercase());
    Reasoning { effort: Some(effort), shown, rest, ..Reasoning::default() }
}

fn format() -> BoxedStrategy<Format> {
    let schema = (
        weighted(0.8, Just("reply".to_owned())),
        weighted(0.2, blocks::text()),
        schema::object(),
        weighted(0.5, any::<bool>()),
    )
        .prop_map(|(name, description, schema, strict)| Format::Schema {
            name,
            description,
            schema,
            strict,
        });
    prop_oneof![1 => Just(Format::Text), 1 => Just(Format::Json), 3 => schema].boxed()
}

/// Fields that only the dialect has, and fields that nobody knows.
fn rest(dialect: Dialect) -> BoxedStrategy<Rest> {
    let fields: Value = match dialect {
        Dialect::Chat => json!({"logit_bias": {"50256": -100}, "metadata": {"a": "b"}, "x_unknown": 1}),
        Dialect::Responses => json!({"truncation": "auto", "metadata": {"a": "b"}, "x_unknown": 1}),
        Dialect::Messages => json!({"service_tier": "auto", "x_unknown": 1}),
        Dialect::Gemini => json!({"cachedContent": "cachedContents/1", "x_unknown": 1}),
    };
    let fields = fields.as_object().cloned().unwrap_or_default();
    (weighted(0.2, Just(fields)), Just(dialect))
        .prop_map(|(fields, dialect)| Rest::new(dialect, fields.unwrap_or_default()))
        .boxed()
}

impl Settings {
    /// Puts what the dialect can say into a turn.
    pub(super) fn put_into(self, turn: &mut Turn, dialect: Dialect) {
        let is = |wanted: &[Dialect]| wanted.contains(&dialect);
        use Dialect::{Chat, Gemini, Messages, Responses};
        turn.stream = self.stream && dialect != Gemini;
        turn.include_usage = true;
        turn.max_tokens = self.max_tokens;
        if dialect == Messages {
            turn.max_tokens = turn.max_tokens.or(Some(4096));
        }
        turn.sampling = self.sampling;
        if is(&[Responses]) {
            turn.sampling.top_k = None;
        }
        if is(&[Messages, Responses]) {
            let sampling = &mut turn.sampling;
            (sampling.frequency_penalty, sampling.presence_penalty, sampling.seed) = (None, None, None);
        }
        if dialect != Responses {
            turn.stop = self.stop;
        }
        turn.reasoning = self.reasoning;
        turn.user = self.user.filter(|_| dialect != Gemini);
        turn.rest = self.rest;
        turn.format = self.format;
        of_dialect(turn, dialect);
        // Chat's web search is no tool to be chosen.
        let only_search = turn.tools.iter().all(|tool| tool.kind == ToolKind::WebSearch);
        let nothing = turn.tools.is_empty() || (only_search && dialect == Chat);
        if !nothing {
            turn.tool_choice = self.choice.and_then(|which| choice(which, &turn.tools, dialect));
            turn.parallel_tool_calls = self.parallel.filter(|_| is(&[Chat, Responses]));
            if let (Messages, Some(choice)) = (dialect, &turn.tool_choice) {
                let says = !matches!(choice, ToolChoice::None | ToolChoice::Opaque { .. });
                turn.parallel_tool_calls = self.parallel.filter(|_| says);
            }
        }
    }
}

/// The format as the dialect has it.
fn of_dialect(turn: &mut Turn, dialect: Dialect) {
    match (&mut turn.format, dialect) {
        (Some(Format::Schema { name, description, strict, .. }), Dialect::Messages) => {
            (*name, *description, *strict) = (None, None, None);
        }
        (Some(Format::Schema { name, description, strict, schema }), Dialect::Gemini) => {
            (*name, *description, *strict) = (None, None, None);
            turn.rest.hint(dialect, "$responseJsonSchema", schema.clone());
            turn.rest.hint(dialect, "$mime", "application/json");
        }
        (Some(Format::Schema { name, .. }), Dialect::Chat | Dialect::Responses) => {
            name.get_or_insert_with(|| "reply".to_owned());
        }
        (Some(_), Dialect::Messages) => turn.format = None,
        _ => {}
    }
}

fn choice(which: u8, tools: &[Tool], dialect: Dialect) -> Option<ToolChoice> {
    let function = |tool: &&Tool| matches!(tool.kind, ToolKind::Function { .. } | ToolKind::Custom { .. });
    match which {
        0 => Some(ToolChoice::Auto),
        1 => Some(ToolChoice::None),
        2 => Some(ToolChoice::Required),
        3 | 4 => tools.iter().find(function).map(|tool| ToolChoice::Named {
            name: tool.name.clone(),
            namespace: tool.namespace.clone(),
            custom: matches!(tool.kind, ToolKind::Custom { .. }),
        }),
        5 if matches!(dialect, Dialect::Responses | Dialect::Messages) => {
            tools.iter().any(|tool| tool.kind == ToolKind::WebSearch).then_some(ToolChoice::WebSearch)
        }
        _ => {
            let value = match dialect {
                Dialect::Chat => {
                    json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}})
                }
                Dialect::Responses => json!({"type": "allowed_tools", "mode": "auto", "tools": []}),
                Dialect::Messages => json!({"type": "x_choice"}),
                Dialect::Gemini => json!({"mode": "VALIDATED"}),
            };
            Some(ToolChoice::Opaque { dialect, value })
        }
    }
}

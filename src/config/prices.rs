//! The section `prices`: what a model costs, said once for all connections that serve it.

use super::{
    effective::Sink,
    fields::Fields,
    layers::Overlay,
    mask::shown,
    node::{Node, Value},
    providers::price,
    schema::{Key, Section},
};
use crate::engine::settings::{Catalogue, PrefixMatch, PriceRule};

const MODEL: Key = Key::new("model", "a model as its provider spells it; `*` stands for any text", "gpt-4o*");
const PROVIDER: Key = Key::new("provider", "the name of a provider", "openai");
const PRICE: Key =
    Key::new("price", "a mapping of prices in dollars per million tokens", "{input: 0.5, output: 1.5}");

pub(super) static SECTION: Section = Section { name: "prices", keys: &[MODEL, PROVIDER, PRICE] };

/// The prices in the order of the file.
pub(super) fn read(node: Option<&Node>, catalogue: &Catalogue, sink: &mut Sink) -> Vec<PriceRule> {
    let Some(node) = node.filter(|node| !node.is_null()) else { return Vec::new() };
    let Value::List(items) = &node.value else {
        let message = format!("expected a list of prices, found {}", node.value.shape());
        let remedy = "write each price as a list item: `- {model: gpt-4o, price: {input: 2.5, output: 10}}`";
        sink.problems.error(SECTION.name, &node.origin, message, remedy);
        return Vec::new();
    };
    let rules = items.iter().enumerate().filter_map(|(index, item)| rule(item, index, catalogue, sink));
    rules.collect()
}

fn rule(item: &Node, index: usize, catalogue: &Catalogue, sink: &mut Sink) -> Option<PriceRule> {
    let overlay = Overlay::default();
    let fields = Fields::open(&SECTION, format!("{}[{index}]", SECTION.name), Some(item), &overlay, sink);
    let model = fields.text(sink, &MODEL);
    if let Some(model) = &model {
        sink.holds(fields.path_of(&MODEL), &MODEL, model.value.as_str(), model.origin.clone());
    }
    let provider = provider(&fields, catalogue, sink);
    let price = fields.node(&PRICE).map(|node| price::read(fields.path_of(&PRICE), node, sink));
    for (key, there) in
        [(&MODEL, model.is_some() || fields.node(&MODEL).is_some()), (&PRICE, price.is_some())]
    {
        if !there {
            let remedy = format!("write for example `{}: {}`", key.name, key.example);
            sink.problems.error(
                &fields.path_of(key),
                &item.origin,
                format!("`{}` is missing", key.name),
                remedy,
            );
        }
    }
    Some(PriceRule { model: model?.value, provider: provider?, price: price?? })
}

/// The provider's id, if one is named; `None` where it is named wrongly, which was reported.
#[expect(clippy::option_option, reason = "absent and wrong are two things")]
pub(super) fn provider(
    fields: &Fields<'_>,
    catalogue: &Catalogue,
    sink: &mut Sink,
) -> Option<Option<String>> {
    let Some(written) = fields.text(sink, &PROVIDER) else {
        return fields.node(&PROVIDER).is_none().then_some(None);
    };
    let word = written.value.to_ascii_lowercase();
    let Some(PrefixMatch::Provider(provider)) = catalogue.by_prefix(&word) else {
        let near = catalogue.nearest(&word).map_or(String::new(), |near| format!("did you mean `{near}`? "));
        let remedy = format!("{near}docs/providers.md lists the names");
        let message = format!("unknown provider {}", shown(&word));
        sink.problems.error(&fields.path_of(&PROVIDER), &written.origin, message, remedy);
        return None;
    };
    sink.holds(fields.path_of(&PROVIDER), &PROVIDER, provider.id.as_str(), written.origin);
    Some(Some(provider.id.clone()))
}

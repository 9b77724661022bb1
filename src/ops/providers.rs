//! The operation on the catalogue of providers.

use std::collections::HashMap;

use operations::providers::{ListProviders, ProviderPage, ProviderView};

use super::page::page;
use crate::engine::{
    Engine,
    settings::{AuthStyle, Provider, Terms, Trust},
};

/// Lists the catalogue.
#[must_use]
pub fn list(engine: &Engine, args: &ListProviders) -> ProviderPage {
    let snapshot = engine.snapshot();
    let mut configured: HashMap<&str, Vec<String>> = HashMap::new();
    for connection in &snapshot.settings.connections {
        configured.entry(&connection.provider.id).or_default().push(connection.id.to_string());
    }
    let search = args.search.as_ref().map(|text| text.to_lowercase());
    let rows = engine.catalogue().providers().iter().filter_map(|provider| {
        let connections = configured.get(provider.id.as_str()).cloned().unwrap_or_default();
        let wanted = search.as_deref().is_none_or(|text| is_about(provider, text))
            && (!args.configured || !connections.is_empty());
        wanted.then(|| (provider.id.clone(), view(provider, connections)))
    });
    let (providers, next_cursor) = page(rows.collect(), args.cursor.as_deref(), args.limit);
    ProviderPage { providers, next_cursor }
}

fn is_about(provider: &Provider, text: &str) -> bool {
    let mut words = std::iter::once(&provider.name).chain([&provider.id]).chain(&provider.prefixes);
    words.any(|word| word.to_lowercase().contains(text))
}

fn view(provider: &Provider, connections: Vec<String>) -> ProviderView {
    ProviderView {
        id: provider.id.clone(),
        name: provider.name.clone(),
        prefixes: provider.prefixes.clone(),
        dialects: provider.dialects().map(|dialect| dialect.to_string()).collect(),
        auth: match &provider.auth {
            AuthStyle::None => "none".to_owned(),
            AuthStyle::Bearer => "bearer".to_owned(),
            AuthStyle::OptionalBearer => "optional-bearer".to_owned(),
            AuthStyle::Header(name) => format!("header: {name}"),
        },
        env: provider.env.clone(),
        needs_base_url: provider.needs_base_url(),
        variables: provider.variables.clone(),
        trust: trust(provider.trust).to_owned(),
        terms: terms(provider.terms).to_owned(),
        free_tier: provider.free_tier.as_ref().map(|free| free.summary.clone()),
        free_tier_as_of: provider.free_tier.as_ref().map(|free| free.as_of.clone()),
        notice: provider.notice.clone(),
        models: u32::try_from(provider.models.len()).unwrap_or(u32::MAX),
        connections,
    }
}

const fn trust(trust: Trust) -> &'static str {
    match trust {
        Trust::FirstParty => "first-party",
        Trust::Cloud => "cloud",
        Trust::Aggregator => "aggregator",
        Trust::Reseller => "reseller",
        Trust::Local => "local",
        Trust::Unknown => "unknown",
    }
}

const fn terms(terms: Terms) -> &'static str {
    match terms {
        Terms::Ok => "ok",
        Terms::Unclear => "unclear",
        Terms::Restricted => "restricted",
    }
}

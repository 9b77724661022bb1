//! Where a connection's requests go, per dialect: the catalogue's URLs or the user's.

use std::collections::BTreeMap;

use canon::Dialect;
use url::Url;

use super::{BASE_URL, address, variables};
use crate::{
    config::{
        effective::Sink,
        fields::{Fields, Written},
        origin::Origin,
        problem::Severity,
    },
    engine::settings::Provider,
};

/// A connection's addresses.
#[derive(Debug)]
pub(super) struct Endpoints {
    pub(super) urls: BTreeMap<Dialect, String>,
    /// Whether all of them lead to this machine or a private network.
    pub(super) local: bool,
    /// Where an unencrypted address outside was written.
    pub(super) exposed: Option<Origin>,
    /// What tells where they lead, and stays the same when the catalogue learns more URLs of a provider.
    pub(super) place: Vec<String>,
}

/// Reads `base_url` and `variables`; `None` after a problem that leaves no address.
pub(super) fn read(
    fields: &Fields<'_>,
    provider: &Provider,
    spoken: &[Dialect],
    sink: &mut Sink,
) -> Option<Endpoints> {
    let values = variables::read(fields, provider, sink);
    let mut exposed = None;
    let variables = values.iter().flat_map(|(name, value)| [name.clone(), value.clone()]);
    let mut place: Vec<String> = std::iter::once(provider.id.clone()).chain(variables).collect();
    let urls = match fields.text(sink, &BASE_URL) {
        Some(written) => {
            let address = checked(fields, provider, &written, sink)?;
            exposed = (address.plain && !address.local).then(|| written.origin.clone());
            sink.holds(fields.path_of(&BASE_URL), &BASE_URL, address.url.as_str(), written.origin);
            place = vec![host(&address.url)];
            replaced(provider, spoken, &address.url)
        }
        // Of the wrong type; was reported.
        None if fields.node(&BASE_URL).is_some() => return None,
        None if provider.needs_base_url() => {
            let message = format!("`{}` needs a `base_url`", provider.id);
            let remedy = "write the server's URL, such as `base_url: http://localhost:11434/v1`";
            sink.problems.error(&fields.path_of(&BASE_URL), fields.origin(), message, remedy);
            return None;
        }
        None if variables::report_lacking(fields, provider, &values, sink) => return None,
        None => filled(fields, provider, &values, sink),
    };
    let local = urls.values().all(|url| address::is_local_url(url));
    Some(Endpoints { urls, local, exposed, place })
}

/// Scheme, host and port.
fn host(url: &str) -> String {
    Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.origin().ascii_serialization())
}

/// The user's URL, and what is worth saying about it.
fn checked(
    fields: &Fields<'_>,
    provider: &Provider,
    written: &Written<String>,
    sink: &mut Sink,
) -> Option<address::Address> {
    let path = fields.path_of(&BASE_URL);
    let address = match address::read(&written.value) {
        Ok(address) => address,
        Err((why, remedy)) => {
            sink.problems.error(&path, &written.origin, why, remedy);
            return None;
        }
    };
    if let Some(trimmed) = address.trimmed {
        let message = format!("`{trimmed}` was left off: the hub itself adds it to the base URL");
        let remedy = format!("write `base_url: {}`", address.url);
        sink.problems.warning(&path, &written.origin, message, remedy);
    }
    if address.bare && provider.needs_base_url() {
        let message = "the URL has no path; most servers expect `/v1` at its end";
        let remedy = format!("if requests get 404, write `base_url: {}/v1`", address.url);
        sink.problems.add(Severity::Hint, &path, &written.origin, message, remedy);
    }
    Some(address)
}

/// The user's URL takes the place of the provider's main one, for every dialect that shares it. Dialects at
/// other URLs are dropped: requests must not go where the user did not send them.
fn replaced(provider: &Provider, spoken: &[Dialect], url: &str) -> BTreeMap<Dialect, String> {
    let main = spoken.iter().find_map(|dialect| provider.endpoints.get(dialect));
    let dialects = provider.dialects().filter(|dialect| provider.endpoints.get(dialect) == main);
    dialects.map(|dialect| (dialect, url.to_owned())).collect()
}

/// The catalogue's URLs, `{name}` replaced by the user's values.
fn filled(
    fields: &Fields<'_>,
    provider: &Provider,
    values: &BTreeMap<String, String>,
    sink: &mut Sink,
) -> BTreeMap<Dialect, String> {
    let fill = |url: &String| {
        values.iter().fold(url.clone(), |url, (name, value)| url.replace(&format!("{{{name}}}"), value))
    };
    let urls: BTreeMap<_, _> =
        provider.endpoints.iter().map(|(dialect, url)| (*dialect, fill(url))).collect();
    if let Some(url) = urls.values().next() {
        sink.holds(fields.path_of(&BASE_URL), &BASE_URL, url.as_str(), Origin::Catalogue);
    }
    urls
}

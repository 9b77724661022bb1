//! The section `prices_sync`: a list of prices that is fetched again and again.

use std::{sync::Arc, time::Duration};

use super::{
    effective::Sink,
    fields::Fields,
    mask::shown,
    origin::Origin,
    schema::{Key, Section},
};
use crate::engine::settings::PriceSync;

const URL: Key = Key::new("url", "an http or https URL", "https://prices.example.com/list.json");
const INTERVAL: Key = Key::new("interval_hours", "a whole number of hours from 1 to 720", "24");

pub(super) static SECTION: Section = Section { name: "prices_sync", keys: &[URL, INTERVAL] };

const HOUR: u64 = 60 * 60;

pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> PriceSync {
    let default = PriceSync::default();
    let hours = fields.number(sink, &INTERVAL, 1..=720, default.interval.as_secs() / HOUR);
    PriceSync { url: url(fields, sink), interval: Duration::from_secs(hours * HOUR) }
}

fn url(fields: &Fields<'_>, sink: &mut Sink) -> Option<Arc<str>> {
    let path = fields.path_of(&URL);
    let Some(written) = fields.text(sink, &URL).filter(|written| !written.value.is_empty()) else {
        sink.holds_not(path, Origin::Default);
        return None;
    };
    let parsed = url::Url::parse(&written.value).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    });
    if parsed.is_none() {
        let message =
            format!("expected {} without a user name or password, found {}", URL.kind, shown(&written.value));
        let remedy = format!("write for example `url: {}`", URL.example);
        sink.problems.error(&path, &written.origin, message, remedy);
        return None;
    }
    sink.holds(path, &URL, written.value.as_str(), written.origin);
    Some(written.value.into())
}

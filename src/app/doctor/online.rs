//! What only the network can tell: whether the providers' machines can be reached, and whether the clock agrees with theirs. No
//! credential is sent.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, header};

use super::{Examination, Finding};
use crate::{
    app::now_ms,
    engine::settings::Settings,
    outbound::{Client, Transport},
};

const PATIENCE: Duration = Duration::from_secs(10);
/// Tokens and signatures tolerate a few minutes at most.
const SKEW_MS: i64 = 60_000;
/// More hosts than anybody has; the rest is not asked.
const MOST: usize = 64;

/// Asks every provider's machine for nothing in particular.
pub(super) async fn providers(settings: &Settings, found: &mut Examination) {
    let origins: BTreeSet<String> = settings
        .connections
        .iter()
        .flat_map(|connection| connection.endpoints.values())
        .filter_map(|url| url::Url::parse(url).ok())
        .map(|url| url.origin().ascii_serialization())
        .collect();
    let client = Client::new();
    let asked = origins.iter().take(MOST).map(|origin| ask(&client, origin));
    for (finding, skew) in join_all(asked).await {
        found.add(finding);
        if let Some(seconds) = skew.filter(|ms| ms.abs() > SKEW_MS).map(|ms| ms / 1000) {
            let text = format!("{seconds} s ahead of a provider's");
            found.add(Finding::warn("clock", text, "let the system set it (NTP)"));
        }
    }
}

async fn ask(client: &Client, origin: &str) -> (Finding, Option<i64>) {
    const CHECK: &str = "provider";
    let asked = async {
        let request =
            Request::head(format!("{origin}/")).body(Bytes::new()).map_err(|error| error.to_string())?;
        client.call(request, PATIENCE).await.map_err(|error| error.to_string())
    };
    let answer = tokio::time::timeout(PATIENCE, asked).await;
    match answer.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs()))) {
        Ok(answer) => {
            let date = answer.headers().get(header::DATE).and_then(|date| date.to_str().ok());
            let theirs = date.and_then(|date| httpdate::parse_http_date(date).ok());
            let theirs = theirs.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
            let skew = theirs.and_then(|since| i64::try_from(since.as_millis()).ok()).map(|at| now_ms() - at);
            (Finding::ok(CHECK, format!("{origin} can be reached")), skew)
        }
        Err(why) => {
            let remedy = "see that this machine may reach it: name server, firewall, proxy";
            (Finding::fail(CHECK, format!("{origin} cannot be reached: {why}"), remedy), None)
        }
    }
}

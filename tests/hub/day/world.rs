//! The providers of the day and their accounts: what they cost, allow and take, as the configuration says and as the simulator
//! plays it. Names and figures are made up in the size of real ones; none is a vendor's.

use std::{fmt::Write as _, time::Duration};

use trivium::{
    engine::settings::Strategy,
    simulator::{Behaviour, Fault, Limit, Rate, Rule, Script, Simulator, WindowStart},
};

/// Dollars per million tokens, and what an account of the provider is.
struct Provider {
    id: &'static str,
    accounts: u32,
    tier: &'static str,
    price: (f64, f64),
    /// In tokens; no measure of the price, or `context-optimized` would be a strategy for costs.
    context: u32,
    /// The operator's order for `auto-ranked`.
    rank: u32,
    /// The operator's share for `weighted`, by what the provider allows in a minute.
    weight: u32,
    /// Requests per minute and account that the provider serves.
    per_minute: u32,
    /// Requests per window of so many seconds and account that it serves.
    window: Option<(u64, u64)>,
    /// Milliseconds to the first content, and between two pieces. Now and then the first takes twice as long, or five times.
    pace: (u64, u64),
    /// What the operator has written into `limits`.
    limits: &'static str,
}

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// Limits of a subscription as its owner writes them down.
const PLAN: &str = "{per: 5h, requests: 60, reset: first-use}, {per: week, requests: 600, reset: first-use}";
const SMALL_PLAN: &str =
    "{per: 5h, requests: 40, reset: first-use}, {per: week, requests: 400, reset: first-use}";

#[rustfmt::skip]
const PROVIDERS: [Provider; 12] = [
    Provider { id: "acorn",   accounts: 4, tier: "subscription", price: (0.0, 0.0),  context: 200_000,   rank: 2,  weight: 10, per_minute: 30,   window: Some((60, 5 * HOUR)),  pace: (900, 25),  limits: PLAN },
    Provider { id: "birch",   accounts: 3, tier: "subscription", price: (0.0, 0.0),  context: 400_000,   rank: 1,  weight: 6,  per_minute: 20,   window: Some((40, 5 * HOUR)),  pace: (1100, 30), limits: SMALL_PLAN },
    Provider { id: "hazel",   accounts: 4, tier: "key",          price: (0.5, 1.5),  context: 128_000,   rank: 5,  weight: 40, per_minute: 120,  window: None,                  pace: (500, 15),  limits: "" },
    Provider { id: "ivy",     accounts: 3, tier: "key",          price: (1.0, 3.0),  context: 64_000,   rank: 6,  weight: 40, per_minute: 200,  window: None,                  pace: (450, 15),  limits: "" },
    Provider { id: "juniper", accounts: 3, tier: "key",          price: (2.5, 10.0), context: 400_000,   rank: 7,  weight: 60, per_minute: 300,  window: None,                  pace: (700, 20),  limits: "" },
    Provider { id: "kauri",   accounts: 2, tier: "key",          price: (3.0, 15.0), context: 200_000,   rank: 8,  weight: 60, per_minute: 500,  window: None,                  pace: (600, 20),  limits: "" },
    Provider { id: "larch",   accounts: 2, tier: "key",          price: (5.0, 25.0), context: 1_000_000, rank: 9,  weight: 60, per_minute: 1000, window: None,                  pace: (800, 25),  limits: "" },
    Provider { id: "fir",     accounts: 4, tier: "cheap",        price: (0.1, 0.4),  context: 128_000,    rank: 3,  weight: 20, per_minute: 60,   window: None,                  pace: (650, 20),  limits: "" },
    Provider { id: "ginkgo",  accounts: 3, tier: "cheap",        price: (0.2, 0.8),  context: 1_000_000,    rank: 4,  weight: 20, per_minute: 60,   window: None,                  pace: (1200, 30), limits: "" },
    Provider { id: "cedar",   accounts: 5, tier: "free",         price: (0.0, 0.0),  context: 32_000,    rank: 10, weight: 5,  per_minute: 10,   window: Some((100, DAY)),      pace: (400, 10),  limits: "{per: minute, requests: 10}, {per: day, requests: 100}" },
    Provider { id: "dogwood", accounts: 4, tier: "free",         price: (0.0, 0.0),  context: 1_000_000,    rank: 11, weight: 5,  per_minute: 15,   window: Some((150, DAY)),      pace: (1500, 40), limits: "" },
    Provider { id: "elm",     accounts: 3, tier: "free",         price: (0.0, 0.0),  context: 128_000,    rank: 12, weight: 3,  per_minute: 5,    window: Some((50, DAY)),       pace: (2500, 60), limits: "" },
];

/// The name that the traffic asks for.
pub(super) const COMBO: &str = "the-day";

/// Content pieces of an answer.
const PIECES: usize = 6;

/// The host that is down from eleven to one, so that the crowd of noon finds it so.
const DOWN: (&str, u64, u64) = ("hazel", 11 * HOUR, 13 * HOUR);

/// The host that is slow from two to six.
const SLOW: (&str, u64, u64) = ("ginkgo", 14 * HOUR, 18 * HOUR);

/// The host that cuts 15 of 100 streams.
const CUTS: &str = "fir";

/// An account whose key was revoked, and one whose credit is used up.
const REVOKED: &str = "ivy-2";
const BROKE: &str = "juniper-1";

/// The configuration: the accounts, and a combo of the providers' models. Both among the models and among the accounts of one
/// the same strategy chooses.
pub(super) fn yaml(strategy: Strategy) -> String {
    let name = strategy.as_str();
    let mut text = "providers:\n".to_owned();
    for provider in &PROVIDERS {
        let Provider { id, tier, price: (input, output), context, rank, limits, .. } = provider;
        for account in accounts(provider) {
            writeln!(
                text,
                "  - {{id: {account}, type: openai-compatible, base_url: 'https://{id}.test/v1', api_key: {account}, tier: {tier}, \
                 limits: [{limits}], models: [{{id: {id}-chat, context: {context}, rank: {rank}, price: {{input: {input}, output: {output}}}}}]}}"
            )
            .unwrap();
        }
    }
    writeln!(text, "combos:\n  - id: {COMBO}\n    strategy: {name}\n    connections: {name}\n    steps:")
        .unwrap();
    for Provider { id, weight, .. } in &PROVIDERS {
        writeln!(text, "      - {{model: {id}-chat, weight: {weight}}}").unwrap();
    }
    text
}

fn accounts(provider: &Provider) -> impl Iterator<Item = String> {
    let id = provider.id;
    (1..=provider.accounts).map(move |nth| format!("{id}-{nth}"))
}

/// The accounts of which the hub counts every request, and that fail in no other way than by their limits.
pub(super) fn counted() -> Vec<String> {
    PROVIDERS.iter().filter(|provider| !provider.limits.is_empty()).flat_map(accounts).collect()
}

/// What the simulator does when the day begins.
pub(super) fn script() -> Script {
    let script =
        Script { known_keys_only: true, log_entries: 1, epoch: Some(1_767_225_600), ..Script::default() };
    PROVIDERS.iter().fold(script, |script, provider| {
        accounts(provider).fold(script, |script, account| match account.as_str() {
            // A key that nobody lists is refused with 401.
            REVOKED => script,
            BROKE => script.key(account, Behaviour::dry_after(0)),
            _ => script.key(account, usual(provider)),
        })
    })
}

fn usual(provider: &Provider) -> Behaviour {
    let (first, between) = provider.pace;
    let window = provider.window.map(|(requests, seconds)| Limit {
        requests,
        per_seconds: Some(seconds),
        starts: WindowStart::FirstRequest,
    });
    let usual = Behaviour {
        rate: Some(Rate::PerMinute(provider.per_minute)),
        limit: window,
        first_token_delay_ms: first,
        ..Behaviour::ok().paced(PIECES, between)
    };
    let slower = |percent: f64, times: u64| {
        Rule::sometimes(percent / 100.0, Fault::SlowFirstToken { ms: first * times })
    };
    let usual = usual.rule(slower(3.0, 5)).rule(slower(12.0, 2));
    if provider.id == CUTS {
        return usual.rule(Rule::sometimes(0.15, Fault::CutMidStream { after_chunks: 3 }));
    }
    usual
}

/// The mishaps of the day, as they come and go.
pub(super) async fn weather(simulator: Simulator) {
    let start = tokio::time::Instant::now();
    let at = |seconds| tokio::time::sleep_until(start + Duration::from_secs(seconds));
    let down = |_: &Provider| Behaviour::failing(Fault::CutBeforeHeaders);
    let slow = |provider: &Provider| Behaviour { first_token_delay_ms: 9_000, ..usual(provider) };
    at(DOWN.1).await;
    change(&simulator, DOWN.0, down);
    at(DOWN.2).await;
    change(&simulator, DOWN.0, usual);
    at(SLOW.1).await;
    change(&simulator, SLOW.0, slow);
    at(SLOW.2).await;
    change(&simulator, SLOW.0, usual);
}

/// Neither of the hosts to which this happens has windows, which would begin anew with it.
fn change(simulator: &Simulator, id: &str, behaviour: impl Fn(&Provider) -> Behaviour) {
    for provider in PROVIDERS.iter().filter(|provider| provider.id == id) {
        for account in accounts(provider) {
            simulator.set_behaviour(Some(&account), behaviour(provider));
        }
    }
}

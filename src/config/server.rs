//! The section `server`: where the hub listens and how much it lets in.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use super::{
    effective::Sink,
    fields::{Fields, Written},
    mask::shown,
    origin::Origin,
    schema::{Key, SWITCH, Section},
};
use crate::engine::settings::{Access, Limits, Network};

const HOST: Key = Key::new("host", "an IP address or `localhost`", "127.0.0.1").short("HOST");
const PORT: Key = Key::new("port", "a port from 0 to 65535", "20128").short("PORT");
const ALLOWED_HOSTS: Key = Key::new("allowed_hosts", "a list of host names", "[hub.example.net]");
const PUBLIC_URL: Key = Key::new("public_url", "an http or https URL", "https://hub.example.net");
const TRUSTED_PROXIES: Key =
    Key::new("trusted_proxies", "a list of addresses and networks", "[127.0.0.1, 10.0.0.0/8]");
const ALLOW_IPS: Key = Key::new("allow_ips", "a list of addresses and networks", "[192.168.0.0/16]");
const BLOCK_IPS: Key = Key::new("block_ips", "a list of addresses and networks", "[203.0.113.7]");
const BODY_LIMIT: Key = Key::new("body_limit_mb", "a whole number from 1 to 1024", "10");
const MAX_CONCURRENT: Key = Key::new("max_concurrent", "a whole number from 1 to 1000000", "4096");
const QUEUE: Key = Key::new("queue", "a whole number from 0 to 1000000", "1024");
const QUEUE_TIMEOUT: Key = Key::new("queue_timeout_seconds", "seconds from 0 to 86400", "30");
const RATE_LIMIT: Key = Key::new("rate_limit_per_minute", "a whole number from 0 (off) to 1000000000", "100")
    .short("RATE_LIMIT_MAX");
const SHUTDOWN: Key = Key::new("shutdown_timeout_seconds", "seconds from 0 to 86400", "30");
const RESPONSES_WEBSOCKET: Key = Key::new("responses_websocket", "`on` or `off`", "off");
const KEEP_ALIVE: Key = Key::new("keep_alive_seconds", "seconds from 1 to 3600", "15");

/// The default port.
const DEFAULT_PORT: u16 = 20128;
const MEGABYTE: usize = 1024 * 1024;
const DAY: f64 = 86_400.0;

pub(super) static SECTION: Section = Section {
    name: "server",
    keys: &[
        HOST,
        PORT,
        ALLOWED_HOSTS,
        PUBLIC_URL,
        TRUSTED_PROXIES,
        ALLOW_IPS,
        BLOCK_IPS,
        BODY_LIMIT,
        MAX_CONCURRENT,
        QUEUE,
        QUEUE_TIMEOUT,
        RATE_LIMIT,
        SHUTDOWN,
        KEEP_ALIVE,
        RESPONSES_WEBSOCKET,
    ],
};

#[derive(Debug)]
pub(super) struct Server {
    pub(super) host: Written<IpAddr>,
    pub(super) port: u16,
    pub(super) allowed_hosts: Vec<String>,
    pub(super) public_url: Option<String>,
    pub(super) access: Access,
    pub(super) limits: Limits,
    pub(super) shutdown_timeout: Duration,
    pub(super) keep_alive: Duration,
}

pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> Server {
    let default = Limits::default();
    let host = host(fields, sink);
    let port = fields.number(sink, &PORT, 0..=u16::MAX, DEFAULT_PORT);
    let allowed_hosts = allowed_hosts(fields, sink);
    let public_url = public_url(fields, sink);
    let access = Access {
        trusted_proxies: networks(fields, &TRUSTED_PROXIES, sink),
        allow: networks(fields, &ALLOW_IPS, sink),
        block: networks(fields, &BLOCK_IPS, sink),
    };
    let body_bytes = fields.number(sink, &BODY_LIMIT, 1..=1024, default.body_bytes / MEGABYTE) * MEGABYTE;
    let concurrent = fields.number(sink, &MAX_CONCURRENT, 1..=1_000_000, default.concurrent);
    let queued = fields.number(sink, &QUEUE, 0..=1_000_000, default.queued);
    let queue_timeout = fields.seconds(sink, &QUEUE_TIMEOUT, 0.0..=DAY, default.queue_timeout);
    let rate = fields.number(sink, &RATE_LIMIT, 0..=1_000_000_000, 0);
    let per_address_per_minute = (rate > 0).then_some(rate);
    let responses_websocket = fields.choice(sink, &RESPONSES_WEBSOCKET, &SWITCH, default.responses_websocket);
    let limits =
        Limits { body_bytes, concurrent, queued, queue_timeout, per_address_per_minute, responses_websocket };
    let shutdown_timeout = fields.seconds(sink, &SHUTDOWN, 0.0..=DAY, Duration::from_secs(30));
    let keep_alive = fields.seconds(sink, &KEEP_ALIVE, 1.0..=3600.0, Duration::from_secs(15));
    Server { host, port, allowed_hosts, public_url, access, limits, shutdown_timeout, keep_alive }
}

fn host(fields: &Fields<'_>, sink: &mut Sink) -> Written<IpAddr> {
    let mut host = Written { value: IpAddr::V4(Ipv4Addr::LOCALHOST), origin: Origin::Default };
    if let Some(Written { value, origin }) = fields.text(sink, &HOST) {
        let bare = value.trim_start_matches('[').trim_end_matches(']');
        let address =
            if bare.eq_ignore_ascii_case("localhost") { Some(host.value) } else { bare.parse().ok() };
        match address {
            Some(value) => host = Written { value, origin },
            None => {
                let remedy = match origin {
                    Origin::Env(_) => {
                        "some shells set HOST to the machine's name: unset it, or set 127.0.0.1 or 0.0.0.0"
                    }
                    _ => "write 127.0.0.1 for this machine alone, or 0.0.0.0 for every address it has",
                };
                let message = format!("expected {}, found {}", HOST.kind, shown(&value));
                sink.problems.error(&fields.path_of(&HOST), &origin, message, remedy);
            }
        }
    }
    sink.holds(fields.path_of(&HOST), &HOST, host.value.to_string(), host.origin.clone());
    host
}

/// Where browsers reach the hub, without a slash at its end. What a request's `Host` says is never taken for it.
fn public_url(fields: &Fields<'_>, sink: &mut Sink) -> Option<String> {
    let path = fields.path_of(&PUBLIC_URL);
    let Some(Written { value, origin }) = fields.text(sink, &PUBLIC_URL) else {
        sink.holds_not(path, Origin::Default);
        return None;
    };
    let good = url::Url::parse(&value).is_ok_and(|url| {
        let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        matches!(url.scheme(), "http" | "https") && url.host_str().is_some() && plain
    });
    if !good {
        let message = format!("expected {}, found {}", PUBLIC_URL.kind, shown(&value));
        let remedy = "write it as browsers do, without a query: `https://hub.example.net`";
        sink.problems.error(&path, &origin, message, remedy);
        return None;
    }
    let url = value.trim_end_matches('/').to_owned();
    sink.holds(path, &PUBLIC_URL, url.as_str(), origin);
    Some(url)
}

fn allowed_hosts(fields: &Fields<'_>, sink: &mut Sink) -> Vec<String> {
    let path = fields.path_of(&ALLOWED_HOSTS);
    let mut hosts = Vec::new();
    for Written { value, origin } in fields.texts(sink, &ALLOWED_HOSTS).unwrap_or_default() {
        let well_formed = !value.is_empty()
            && value.len() <= 255
            && value.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:[]".contains(c));
        if well_formed {
            hosts.push(value.to_ascii_lowercase());
        } else {
            let message = format!("{} is not a host name", shown(&value));
            let remedy =
                "write the name as clients put it into the URL, with neither `http://` nor a path nor `*`";
            sink.problems.error(&path, &origin, message, remedy);
        }
    }
    let origin = fields.node(&ALLOWED_HOSTS).map_or(Origin::Default, |node| node.origin.clone());
    sink.holds(path, &ALLOWED_HOSTS, format!("[{}]", hosts.join(", ")), origin);
    hosts
}

fn networks(fields: &Fields<'_>, key: &Key, sink: &mut Sink) -> Vec<Network> {
    let path = fields.path_of(key);
    let mut networks: Vec<Network> = Vec::new();
    for Written { value, origin } in fields.texts(sink, key).unwrap_or_default() {
        if let Ok(network) = value.parse() {
            networks.push(network);
        } else {
            let message = format!("{} is neither an address nor a network", shown(&value));
            let remedy = "write an IP address such as 192.0.2.7, or a network such as 192.0.2.0/24";
            sink.problems.error(&path, &origin, message, remedy);
        }
    }
    let origin = fields.node(key).map_or(Origin::Default, |node| node.origin.clone());
    let words: Vec<String> = networks.iter().map(Network::to_string).collect();
    sink.holds(path, key, format!("[{}]", words.join(", ")), origin);
    networks
}

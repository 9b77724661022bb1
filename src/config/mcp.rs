//! The section `mcp`: what agents find that connect by the Model Context Protocol.

use std::{sync::Arc, time::Duration};

use super::{
    effective::Sink,
    fields::Fields,
    origin::Origin,
    schema::{Key, SWITCH, Section},
};
use crate::engine::settings::{Mcp, ToolProfile};

const ENABLED: Key = Key::new("enabled", "`on` or `off`", "off");
const LEGACY_SSE: Key = Key::new("legacy_sse", "`on` or `off`", "on");
const PROFILE: Key = Key::new("profile", "`essential`, `standard` or `full`", "full");
const ALLOW: Key =
    Key::new("allow", "a list of names of tools, with `*` for any letters", "[\"get_*\", \"list_*\"]");
const DENY: Key = Key::new("deny", "a list of names of tools, with `*` for any letters", "[\"*_key\"]");
const ALIASES: Key = Key::new("omniroute_aliases", "`on` or `off`", "on");
const RESULT: Key = Key::new("max_result_kb", "a whole number from 4 to 10240", "100");
const SESSIONS: Key = Key::new("max_sessions", "a whole number from 1 to 100000", "1000");
const TTL: Key = Key::new("session_ttl_hours", "a whole number from 1 to 8760 (a year)", "24");

pub(super) static SECTION: Section = Section {
    name: "mcp",
    keys: &[ENABLED, LEGACY_SSE, PROFILE, ALLOW, DENY, ALIASES, RESULT, SESSIONS, TTL],
};

const PROFILES: [(&str, ToolProfile); 3] =
    [("essential", ToolProfile::Essential), ("standard", ToolProfile::Standard), ("full", ToolProfile::Full)];

const KILOBYTE: usize = 1024;
const HOUR: u64 = 3_600;

pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> Mcp {
    let default = Mcp::default();
    Mcp {
        enabled: fields.choice(sink, &ENABLED, &SWITCH, default.enabled),
        legacy_sse: fields.choice(sink, &LEGACY_SSE, &SWITCH, default.legacy_sse),
        profile: fields.choice(sink, &PROFILE, &PROFILES, default.profile),
        allow: names(fields, &ALLOW, sink),
        deny: names(fields, &DENY, sink),
        aliases: fields.choice(sink, &ALIASES, &SWITCH, default.aliases),
        result_bytes: fields.number(sink, &RESULT, 4..=10_240, default.result_bytes / KILOBYTE) * KILOBYTE,
        sessions: fields.number(sink, &SESSIONS, 1..=100_000, default.sessions),
        session_ttl: Duration::from_secs(
            fields.number(sink, &TTL, 1..=8_760, default.session_ttl.as_secs() / HOUR) * HOUR,
        ),
    }
}

fn names(fields: &Fields<'_>, key: &Key, sink: &mut Sink) -> Arc<[Box<str>]> {
    let written = fields.texts(sink, key).unwrap_or_default();
    let names: Vec<String> = written.into_iter().map(|name| name.value).collect();
    let origin = fields.node(key).map_or(Origin::Default, |node| node.origin.clone());
    sink.holds(fields.path_of(key), key, format!("[{}]", names.join(", ")), origin);
    names.into_iter().map(String::into_boxed_str).collect()
}

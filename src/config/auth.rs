//! The section `auth`: who may call. Keys that are made with `trivium keys` live in the store, not here.

use std::net::IpAddr;

use super::{
    effective::Sink,
    fields::{Fields, Written},
    origin::Origin,
    providers::key::{is_placeholder, is_sendable},
    schema::{Key, Section},
};
use crate::engine::settings::Secret;

const API_KEY: Key = Key::new("api_key", "a key as text", "${API_KEY}").short("API_KEY").secret();
const ADMIN_TOKEN: Key =
    Key::new("admin_token", "a token as text", "${ADMIN_TOKEN}").short("ADMIN_TOKEN").secret();
const REQUIRED: Key = Key::new("required", "true or false", "true");

pub(super) static SECTION: Section = Section { name: "auth", keys: &[API_KEY, ADMIN_TOKEN, REQUIRED] };

#[derive(Debug)]
pub(super) struct Auth {
    pub(super) api_key: Option<Secret>,
    pub(super) admin_token: Option<Secret>,
    pub(super) required: bool,
}

pub(super) fn read(fields: &Fields<'_>, host: &Written<IpAddr>, sink: &mut Sink) -> Auth {
    let api_key = secret(fields, &API_KEY, sink);
    let admin_token = secret(fields, &ADMIN_TOKEN, sink);
    let required = fields.truth(sink, &REQUIRED, true);
    if !required && !host.value.is_loopback() {
        let path = fields.path_of(&REQUIRED);
        let origin = fields.node(&REQUIRED).map_or_else(|| host.origin.clone(), |node| node.origin.clone());
        sink.problems.error(
            &path,
            &origin,
            format!("callers need no key, and the hub listens on {} (set by: {})", host.value, host.origin),
            "remove `required: false`, or listen on 127.0.0.1: whoever reaches the port would spend your keys",
        );
    }
    Auth { api_key, admin_token, required }
}

fn secret(fields: &Fields<'_>, key: &'static Key, sink: &mut Sink) -> Option<Secret> {
    let path = fields.path_of(key);
    let Some(Written { value, origin }) = fields.text(sink, key).filter(|text| !text.value.is_empty()) else {
        sink.holds_not(path, Origin::Default);
        return None;
    };
    if !is_sendable(&value) {
        let remedy = "take the key alone, without `Bearer`, spaces or line breaks";
        sink.problems.error(&path, &origin, "the key has characters that no client can send", remedy);
    } else if is_placeholder(&value) {
        let remedy = "make one of your own, for example with `openssl rand -hex 24`";
        sink.problems.warning(
            &path,
            &origin,
            "the key looks like a placeholder that others know too",
            remedy,
        );
    }
    sink.holds(path, key, "", origin);
    Some(Secret::new(value))
}

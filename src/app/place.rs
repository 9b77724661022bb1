//! Where a hub listens, in words: its address, and what helps when that cannot be had.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use crate::{engine::Engine, observe::events};

/// What helps when an address cannot be listened on.
pub(super) fn listen_hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "Another program listens there (perhaps another hub). Stop it, or choose another port with --port or PORT."
        }
        io::ErrorKind::PermissionDenied => {
            "Ports below 1024 need privileges: choose a higher one with --port or PORT."
        }
        io::ErrorKind::AddrNotAvailable => {
            "The machine has no such address: choose another one with --host or HOST."
        }
        _ => "Choose another address with --host and --port.",
    }
}

/// The address as a URL that works on this machine: one that listens everywhere is reached on loopback.
pub(super) fn base_url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

/// Says where the hub listens, and what it serves.
pub(super) fn announce(engine: &Engine, address: SocketAddr) {
    let snapshot = engine.snapshot();
    let models = snapshot.directory.models().count();
    events::listening(&base_url(address), snapshot.settings.connections.len(), models);
}

//! Networks of addresses, as operators write them, and who may come in from where.

use std::{fmt, net::IpAddr, str::FromStr};

/// The addresses that share their first bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

/// A text that is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoNetwork;

impl Network {
    /// Whether an address is in it. An IPv4 address that is written as an IPv6 one is taken for what it is.
    #[must_use]
    pub fn has(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                shares(base.to_bits().into(), address.to_bits().into(), self.bits, 32)
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                shares(base.to_bits(), address.to_bits(), self.bits, 128)
            }
            _ => false,
        }
    }
}

fn shares(one: u128, other: u128, bits: u8, width: u8) -> bool {
    let rest = u32::from(width.saturating_sub(bits));
    (one ^ other).checked_shr(rest).unwrap_or(0) == 0
}

impl FromStr for Network {
    type Err = NoNetwork;

    /// An address, or one with the number of bits behind a slash; IPv6 with or without brackets.
    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let (address, bits) = match text.trim().split_once('/') {
            Some((address, bits)) if bits.bytes().all(|byte| byte.is_ascii_digit()) => {
                (address, Some(bits.parse::<u8>().map_err(|_| NoNetwork)?))
            }
            Some(_) => return Err(NoNetwork),
            None => (text.trim(), None),
        };
        let bare = address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(address);
        let base = bare.parse::<IpAddr>().map_err(|_| NoNetwork)?.to_canonical();
        let width = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(width);
        if bits > width { Err(NoNetwork) } else { Ok(Self { base, bits }) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.bits)
    }
}

/// From where the hub may be reached at all, and whose word on a client's address is taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Proxies whose `X-Forwarded-For` and `Forwarded` are believed.
    pub trusted_proxies: Vec<Network>,
    /// Where clients may come from; empty: from everywhere.
    pub allow: Vec<Network>,
    /// Where they may not come from, whatever is allowed.
    pub block: Vec<Network>,
}

impl Access {
    /// Whether nothing is said, as usual.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.trusted_proxies.is_empty() && self.allow.is_empty() && self.block.is_empty()
    }

    /// Whether an address belongs to a proxy that is believed.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.has(address))
    }

    /// Whether a client at this address may come in.
    #[must_use]
    pub fn admits(&self, address: IpAddr) -> bool {
        let within = |list: &[Network]| list.iter().any(|network| network.has(address));
        !within(&self.block) && (self.allow.is_empty() || within(&self.allow))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use super::*;

    #[test]
    fn networks_hold_what_shares_their_bits() {
        for (network, address, is) in [
            ("10.1.0.0/16", "10.1.255.255", true),
            ("10.1.0.0/16", "10.2.0.0", false),
            ("10.1.0.0/16", "::ffff:10.1.2.3", true),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("0.0.0.0/0", "255.1.2.3", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "2001:db8::1", true),
            ("[fd00::]/8", "fdff::1", true),
            ("fd00::/8", "fe80::1", false),
        ] {
            let parsed: Network = network.parse().unwrap();
            assert_eq!(parsed.has(address.parse().unwrap()), is, "{network} {address}");
        }
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "host", "10.0.0.0/", "10.0.0.0/+8"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_blocked_goes_before_what_is_allowed() {
        let networks = |list: &[&str]| list.iter().map(|text| text.parse().unwrap()).collect();
        let access = Access {
            allow: networks(&["10.0.0.0/8"]),
            block: networks(&["10.9.0.0/16"]),
            ..Access::default()
        };
        let admits = |address: &str| access.admits(address.parse().unwrap());
        assert!(admits("10.1.1.1") && !admits("10.9.1.1") && !admits("192.0.2.1"));
        assert!(Access::default().admits("192.0.2.1".parse().unwrap()));
    }
}

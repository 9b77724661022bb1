//! Which IP addresses are public, and what the others are. Tables only; nothing is resolved here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is to a hub that fetches for strangers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Anybody's, in the internet.
    Public,
    /// This machine's or this network's: loopback, private, shared (CGNAT) and unique local addresses.
    Inner,
    /// Nobody's, everybody's, or one that stands for another: nothing that serves media has it.
    Reserved,
    /// A cloud's service that gives a machine its credentials.
    Metadata,
}

use Class::{Inner, Metadata, Reserved};

const fn v4(a: u8, b: u8, c: u8, d: u8) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, d)
}

const fn v6(a: u16, b: u16, c: u16, d: u16, h: u16) -> Ipv6Addr {
    Ipv6Addr::new(a, b, c, d, 0, 0, 0, h)
}

/// The first row that fits counts; what fits none is public. From the IANA IPv4 special-purpose address registry,
/// and the clouds' documentation of their metadata services.
#[rustfmt::skip]
const V4: &[(Ipv4Addr, u8, Class)] = &[
    (v4(169, 254, 169, 254), 32, Metadata), // AWS, Google Cloud, Azure, Oracle, DigitalOcean, Hetzner, OpenStack
    (v4(169, 254, 170, 2),   32, Metadata), // AWS ECS task credentials
    (v4(169, 254, 170, 23),  32, Metadata), // AWS EKS pod identity
    (v4(169, 254, 0, 23),    32, Metadata), // Tencent Cloud
    (v4(100, 100, 100, 200), 32, Metadata), // Alibaba Cloud
    (v4(168, 63, 129, 16),   32, Metadata), // Azure's host agent
    (v4(192, 0, 0, 192),     32, Metadata), // Oracle Cloud, old
    (v4(0, 0, 0, 0),          8, Reserved), // "this network", unspecified
    (v4(10, 0, 0, 0),         8, Inner),
    (v4(100, 64, 0, 0),      10, Inner),    // shared address space (CGNAT)
    (v4(127, 0, 0, 0),        8, Inner),
    (v4(169, 254, 0, 0),     16, Reserved), // link-local
    (v4(172, 16, 0, 0),      12, Inner),
    (v4(192, 0, 0, 0),       24, Reserved), // protocol assignments
    (v4(192, 0, 2, 0),       24, Reserved), // documentation
    (v4(192, 88, 99, 0),     24, Reserved), // 6to4 relays, deprecated
    (v4(192, 168, 0, 0),     16, Inner),
    (v4(198, 18, 0, 0),      15, Reserved), // benchmarking
    (v4(198, 51, 100, 0),    24, Reserved), // documentation
    (v4(203, 0, 113, 0),     24, Reserved), // documentation
    (v4(224, 0, 0, 0),        4, Reserved), // multicast
    (v4(240, 0, 0, 0),        4, Reserved), // future use, and broadcast
];

/// Likewise. What fits none is public only within 2000::/3, all that is given out for global unicast: so mapped
/// (`::ffff:0:0/96`), compatible (`::/96`) and translated forms, discard-only, site-local and segment routing
/// addresses need no rows.
#[rustfmt::skip]
const V6: &[(Ipv6Addr, u8, Class)] = &[
    (v6(0xfd00, 0x0ec2, 0, 0, 0x254), 128, Metadata), // AWS
    (v6(0xfd00, 0x0ec2, 0, 0, 0x23),  128, Metadata), // AWS EKS pod identity
    (v6(0xfd20, 0x00ce, 0, 0, 0x254), 128, Metadata), // Google Cloud
    (v6(0, 0, 0, 0, 1),               128, Inner),
    (v6(0xfc00, 0, 0, 0, 0),            7, Inner),    // unique local
    (v6(0x2001, 0, 0, 0, 0),           23, Reserved), // protocol assignments: Teredo, benchmarking, ORCHID
    (v6(0x2001, 0xdb8, 0, 0, 0),       32, Reserved), // documentation
    (v6(0x3fff, 0, 0, 0, 0),           20, Reserved), // documentation
];

/// NAT64's well-known prefix: an IPv4 address in the last 32 bits, which the network's gateway connects to.
const NAT64: Ipv6Addr = v6(0x64, 0xff9b, 0, 0, 0);
/// 6to4: an IPv4 address in the 32 bits behind the first 16.
const SIX_TO_FOUR: Ipv6Addr = v6(0x2002, 0, 0, 0, 0);
/// All global unicast addresses.
const GLOBAL: Ipv6Addr = v6(0x2000, 0, 0, 0, 0);

/// What `address` is.
pub(super) fn class(address: IpAddr) -> Class {
    match address {
        IpAddr::V4(address) => class_v4(address),
        IpAddr::V6(address) => class_v6(address),
    }
}

fn class_v4(address: Ipv4Addr) -> Class {
    let row = V4.iter().find(|(base, prefix, _)| within(address.into(), (*base).into(), *prefix));
    row.map_or(Class::Public, |(_, _, class)| *class)
}

fn class_v6(address: Ipv6Addr) -> Class {
    let within = |base: Ipv6Addr, prefix| within(address.into(), base.into(), prefix);
    if within(NAT64, 96) {
        return embedded(address.to_bits() as u32);
    }
    if within(SIX_TO_FOUR, 16) {
        return embedded((address.to_bits() >> 80) as u32);
    }
    let row = V6.iter().find(|(base, prefix, _)| within(*base, *prefix));
    match row {
        Some((_, _, class)) => *class,
        None if within(GLOBAL, 3) => Class::Public,
        None => Class::Reserved,
    }
}

/// An address that leads to an IPv4 one is as good as that; but nobody needs it for getting to an inner one.
fn embedded(bits: u32) -> Class {
    match class_v4(Ipv4Addr::from_bits(bits)) {
        Class::Inner => Class::Reserved,
        class => class,
    }
}

/// Whether the first `prefix` bits of both are the same. Addresses of different families never are.
pub(super) fn within(address: IpAddr, base: IpAddr, prefix: u8) -> bool {
    match (address, base) {
        (IpAddr::V4(address), IpAddr::V4(base)) => {
            let differing = address.to_bits() ^ base.to_bits();
            differing.leading_zeros() >= u32::from(prefix)
        }
        (IpAddr::V6(address), IpAddr::V6(base)) => {
            let differing = address.to_bits() ^ base.to_bits();
            differing.leading_zeros() >= u32::from(prefix)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use super::*;

    fn is(class_wanted: Class, addresses: &[&str]) {
        for address in addresses {
            assert_eq!(class(address.parse().unwrap()), class_wanted, "{address}");
        }
    }

    #[test]
    fn public_addresses_are_public() {
        is(
            Class::Public,
            &["1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0"],
        );
        is(
            Class::Public,
            &["126.255.255.255", "128.0.0.0", "169.253.255.255", "172.15.255.255", "172.32.0.0"],
        );
        is(Class::Public, &["192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0"]);
        is(Class::Public, &["203.0.112.255", "203.0.114.0", "223.255.255.255", "168.63.129.15"]);
        is(Class::Public, &["2606:4700::1111", "2001:4860:4860::8888", "2a00::1", "2001:200::1", "3ffe::1"]);
    }

    #[test]
    fn inner_addresses_are_inner() {
        is(Class::Inner, &["10.0.0.0", "10.255.255.255", "127.0.0.1", "127.255.255.254", "172.16.0.1"]);
        is(
            Class::Inner,
            &["172.31.255.255", "192.168.0.1", "192.168.255.255", "100.64.0.0", "100.127.255.255"],
        );
        is(Class::Inner, &["::1", "fc00::1", "fdff:ffff::1"]);
    }

    #[test]
    fn reserved_addresses_are_reserved() {
        is(
            Class::Reserved,
            &["0.0.0.0", "0.1.2.3", "169.254.0.1", "169.254.255.255", "192.0.0.1", "192.0.2.1"],
        );
        is(Class::Reserved, &["192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.7"]);
        is(Class::Reserved, &["224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"]);
        is(
            Class::Reserved,
            &["::", "fe80::1", "febf::1", "fec0::1", "ff02::1", "100::1", "5f00::1", "4000::1"],
        );
        is(
            Class::Reserved,
            &["2001::1", "2001:2::1", "2001:db8::1", "3fff::1", "3fff:fff::1", "64:ff9b:1::1"],
        );
    }

    #[test]
    fn metadata_addresses_are_told_apart() {
        is(Class::Metadata, &["169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16"]);
        is(Class::Metadata, &["fd00:ec2::254", "fd20:ce::254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1"]);
    }

    #[test]
    fn forms_that_hide_an_ipv4_address_are_no_way_in() {
        is(
            Class::Reserved,
            &["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::8.8.8.8"],
        );
        is(
            Class::Reserved,
            &["::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b::192.168.0.1"],
        );
        is(Class::Reserved, &["2002:7f00:1::", "2002:a00:1::1", "2002:c0a8:1::1", "64:ff9b::e000:1"]);
        is(Class::Public, &["64:ff9b::8.8.8.8", "2002:808:808::1"]);
    }
}

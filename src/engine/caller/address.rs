//! Whose an address is, for whoever counts by addresses.

use std::net::{IpAddr, Ipv6Addr};

/// What one user holds: an IPv4 address, or the /64 of an IPv6 one, within which addresses are free to change.
#[must_use]
pub fn whole(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

//! Requests per minute and address, or network of IPv6: a window that starts with the first request from there.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::engine::caller::whole;

const MINUTE: i64 = 60_000;

/// Addresses that are counted at a time. When more come, the ones whose minute is over are
/// forgotten; when none is, all are: letting some in early is better than keeping everybody out.
const ADDRESSES: usize = 65_536;

#[derive(Default)]
pub(super) struct Rates {
    windows: Mutex<HashMap<IpAddr, Window>>,
}

struct Window {
    start: i64,
    count: u32,
}

impl Rates {
    /// Counts a request; gives the time to wait when there were `allowed` of them already.
    pub(super) fn count(&self, address: IpAddr, allowed: u32, now: i64) -> Result<(), Duration> {
        let address = whole(address);
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= ADDRESSES && !windows.contains_key(&address) {
            windows.retain(|_, window| now - window.start < MINUTE);
            if windows.len() >= ADDRESSES {
                windows.clear();
            }
        }
        let window = windows.entry(address).or_insert(Window { start: now, count: 0 });
        // A clock that was set back must not keep anybody out until it has caught up.
        if now - window.start >= MINUTE || now < window.start {
            *window = Window { start: now, count: 0 };
        }
        if window.count >= allowed {
            let left = (window.start + MINUTE - now).max(0).unsigned_abs();
            return Err(Duration::from_millis(left));
        }
        window.count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_holds_so_many_and_the_next_one_as_many_again() {
        let rates = Rates::default();
        let address = IpAddr::from([127, 0, 0, 1]);
        assert!((0..3).all(|at| rates.count(address, 3, at).is_ok()));
        assert_eq!(rates.count(address, 3, 20_000), Err(Duration::from_secs(40)));
        assert!(rates.count(IpAddr::from([127, 0, 0, 2]), 3, 20_000).is_ok());
        assert!(rates.count(address, 3, 60_000).is_ok());
    }

    #[test]
    fn whoever_has_a_network_of_ipv6_has_one_count() {
        let rates = Rates::default();
        let host = |network: u16, host: u16| IpAddr::from([0x2001, 0xdb8, 0, network, 0, 0, 0, host]);
        assert!((0..3).all(|at| rates.count(host(1, at), 3, 0).is_ok()));
        assert!(rates.count(host(1, 9), 3, 0).is_err());
        assert!(rates.count(host(2, 9), 3, 0).is_ok());
    }
}

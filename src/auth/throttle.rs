//! Failed authentications are counted per address, and an address with too many is refused for a while. Which
//! failures count, and who is still let in, is decided by `gate`.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::engine::caller::whole;

/// How many failures an address has, and for how long they are held against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottleLimits {
    /// Failures in one window; from then on the address is refused.
    pub failures: u32,
    /// From the first failure until all is forgotten.
    pub window: Duration,
    /// Addresses that are remembered; one more drops the one whose window is oldest.
    pub addresses: usize,
}

impl Default for ThrottleLimits {
    /// Ten wrong keys a minute: more than a person mistypes, far too few for guessing.
    fn default() -> Self {
        Self { failures: 10, window: Duration::from_secs(60), addresses: 4096 }
    }
}

/// Counts failures per address. Times are milliseconds since the Unix epoch, given by the caller.
pub struct FailureThrottle {
    limits: ThrottleLimits,
    windows: Mutex<HashMap<IpAddr, Window>>,
    /// How many addresses are remembered: with none, as usual, nobody needs the lock.
    remembered: AtomicUsize,
}

#[derive(Clone, Copy)]
struct Window {
    began: i64,
    failures: u32,
}

impl FailureThrottle {
    /// A throttle that has seen no failure yet.
    #[must_use]
    pub fn new(limits: ThrottleLimits) -> Self {
        Self { limits, windows: Mutex::default(), remembered: AtomicUsize::new(0) }
    }

    /// Whether the address is refused at `now`, and for how long still.
    #[must_use]
    pub fn refused(&self, address: IpAddr, now: i64) -> Option<Duration> {
        if self.remembered.load(Ordering::Acquire) == 0 {
            return None;
        }
        let window = self.lock().get(&whole(address)).copied()?;
        (window.failures >= self.limits.failures).then_some(())?;
        self.left(window, now)
    }

    /// Counts a failure at `now`.
    pub fn failed(&self, address: IpAddr, now: i64) {
        let address = whole(address);
        let mut windows = self.lock();
        if let Some(window) = windows.get_mut(&address)
            && self.left(*window, now).is_some()
        {
            window.failures = window.failures.saturating_add(1);
            return;
        }
        if windows.len() >= self.limits.addresses && !windows.contains_key(&address) {
            self.make_room(&mut windows, now);
        }
        windows.insert(address, Window { began: now, failures: 1 });
        self.remembered.store(windows.len(), Ordering::Release);
    }

    /// Forgets the failures of an address that has proved itself.
    pub fn succeeded(&self, address: IpAddr) {
        if self.remembered.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut windows = self.lock();
        windows.remove(&whole(address));
        self.remembered.store(windows.len(), Ordering::Release);
    }

    /// What is left of a window. A clock that was set back ends the window, so that nobody is
    /// shut out for hours.
    fn left(&self, window: Window, now: i64) -> Option<Duration> {
        let passed = u64::try_from(now.checked_sub(window.began)?).ok()?;
        self.limits.window.checked_sub(Duration::from_millis(passed)).filter(|left| !left.is_zero())
    }

    fn make_room(&self, windows: &mut HashMap<IpAddr, Window>, now: i64) {
        windows.retain(|_, window| self.left(*window, now).is_some());
        while windows.len() >= self.limits.addresses {
            let oldest = windows.iter().min_by_key(|(_, window)| window.began).map(|(address, _)| *address);
            let Some(oldest) = oldest else { return };
            windows.remove(&oldest);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Window>> {
        // Each change is a single step on the map, so a panic elsewhere cannot have left it half done.
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn small(addresses: usize) -> FailureThrottle {
        FailureThrottle::new(ThrottleLimits { failures: 3, window: Duration::from_secs(60), addresses })
    }

    #[test]
    fn refuses_after_too_many_failures_until_the_window_ends() {
        let throttle = small(10);
        for at in 0..3 {
            assert_eq!(throttle.refused(A, at), None);
            throttle.failed(A, at);
        }
        assert_eq!(throttle.refused(A, 10_000), Some(Duration::from_secs(50)));
        throttle.failed(A, 59_999);
        assert_eq!(throttle.refused(A, 60_000), None, "further failures do not prolong it");
        throttle.failed(A, 60_000);
        assert_eq!(throttle.refused(A, 60_000), None, "a new window starts from one");
    }

    #[test]
    fn success_resets() {
        let throttle = small(10);
        (0..3).for_each(|at| throttle.failed(A, at));
        throttle.succeeded(A);
        assert_eq!(throttle.refused(A, 3), None);
    }

    #[test]
    fn a_clock_set_back_shuts_nobody_out() {
        let throttle = small(10);
        (0..3).for_each(|_| throttle.failed(A, 3_600_000));
        assert_eq!(throttle.refused(A, 0), None);
    }

    #[test]
    fn ipv6_counts_by_network_and_mapped_addresses_as_ipv4() {
        let throttle = small(10);
        for host in 1..=3 {
            throttle.failed(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, host).into(), 0);
        }
        assert!(throttle.refused(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 9, 9, 9, 9).into(), 0).is_some());
        assert!(throttle.refused(Ipv6Addr::new(0x2001, 0xdb8, 0, 2, 0, 0, 0, 1).into(), 0).is_none());
        let mapped = IpAddr::V6(std::net::Ipv4Addr::new(192, 0, 2, 1).to_ipv6_mapped());
        (0..3).for_each(|at| throttle.failed(mapped, at));
        assert!(throttle.refused(A, 3).is_some());
    }

    #[test]
    fn the_oldest_address_is_dropped_when_full() {
        let throttle = small(2);
        let address = |last| IpAddr::from([192, 0, 2, last]);
        for (at, last) in [(0, 1), (1, 2), (2, 3)] {
            (0..3).for_each(|_| throttle.failed(address(last), at));
        }
        assert_eq!(throttle.lock().len(), 2);
        assert!(throttle.refused(address(1), 3).is_none());
        assert!(throttle.refused(address(2), 3).is_some());
        assert!(throttle.refused(address(3), 3).is_some());
    }
}

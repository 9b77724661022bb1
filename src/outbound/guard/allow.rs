//! What the operator allows beyond the public internet: hosts and networks of an intranet, and ports.

use std::{fmt, net::IpAddr, str::FromStr};

use super::address::{Class, class, within};

/// Ports that are open without being named.
const PORTS: [u16; 2] = [80, 443];

/// Exceptions from the guard's rules. Empty by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowList(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    what: What,
    /// `None`: the usual ports.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    /// A host by its name, in lower case.
    Host(String),
    /// All names below this one; it begins with a dot.
    Below(String),
    /// The addresses that share the first bits with this one.
    Net(IpAddr, u8),
}

/// An exception that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowError(pub String);

impl fmt::Display for AllowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanted = "a host (`files.example.com`, `*.example.com`), an address or a network (`10.1.0.0/16`, `[fd00::]/8`)";
        write!(f, "`{}` is not {wanted}, with or without a port behind it", self.0)
    }
}

impl std::error::Error for AllowError {}

/// Who may be connected to, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A public address at a usual port.
    Public,
    /// By an exception.
    Excepted,
    /// Nobody.
    Refused,
}

impl AllowList {
    /// The list of `entries`: each is a host name, `*.` before a name for all names below it, an IP address, or a
    /// network in CIDR notation; `:port` behind it opens that port in place of 80 and 443. IPv6 goes in brackets.
    ///
    /// # Errors
    /// At the first entry that is none of these.
    pub fn parse<T: AsRef<str>>(entries: impl IntoIterator<Item = T>) -> Result<Self, AllowError> {
        let entries = entries.into_iter();
        let read = |entry: T| parse(entry.as_ref()).ok_or_else(|| AllowError(entry.as_ref().to_owned()));
        entries.map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Whether any host at all may be reached at `port`: what need not be resolved is not.
    pub(super) fn knows_port(&self, port: u16) -> bool {
        PORTS.contains(&port) || self.0.iter().any(|entry| entry.port == Some(port))
    }

    /// Whether `address`, which `host` (`None` for a literal address) resolved to, may be reached at `port`.
    pub(super) fn judge(&self, host: Option<&str>, address: IpAddr, port: u16) -> Verdict {
        let class = class(address);
        if class == Class::Public && PORTS.contains(&port) {
            return Verdict::Public;
        }
        let lifts = |entry: &Entry| entry.opens(port) && entry.what.lifts(host, address, class);
        if self.0.iter().any(lifts) { Verdict::Excepted } else { Verdict::Refused }
    }
}

impl Entry {
    fn opens(&self, port: u16) -> bool {
        self.port.map_or(PORTS.contains(&port), |own| own == port)
    }
}

impl What {
    /// A name stands for what its DNS zone says today, so it opens inner addresses and no stranger ones. Where a
    /// machine gets its credentials is opened only by who writes down that very address.
    fn lifts(&self, host: Option<&str>, address: IpAddr, class: Class) -> bool {
        let named = match self {
            Self::Host(own) => host == Some(own),
            Self::Below(end) => host.is_some_and(|host| host.ends_with(end.as_str())),
            Self::Net(base, prefix) => {
                let single = *prefix == if base.is_ipv4() { 32 } else { 128 };
                return within(address, *base, *prefix) && (class != Class::Metadata || single);
            }
        };
        named && matches!(class, Class::Public | Class::Inner)
    }
}

fn parse(entry: &str) -> Option<Entry> {
    let (what, port) = split_port(entry.trim())?;
    Some(Entry { what: net(what).or_else(|| name(what))?, port })
}

/// `[fd00::]/8`, `[fd00::]:80`, `[fd00::]/8:80`, `10.0.0.0/8:80`, `host:80`; also `fd00::/8` as it is.
fn split_port(entry: &str) -> Option<(&str, Option<u16>)> {
    let behind = entry.rfind(']').map_or(0, |bracket| bracket + 1);
    let plain_v6 = behind == 0 && entry.bytes().filter(|byte| *byte == b':').count() > 1;
    match entry.get(behind..)?.rfind(':') {
        Some(colon) if !plain_v6 => {
            let (what, port) = entry.split_at_checked(behind + colon)?;
            let port = port.get(1..)?.parse().ok().filter(|port| *port != 0)?;
            Some((what, Some(port)))
        }
        _ => Some((entry, None)),
    }
}

fn net(text: &str) -> Option<What> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(u8::from_str(prefix).ok()?)),
        None => (text, None),
    };
    let address = address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(address);
    let address = IpAddr::from_str(address).ok()?;
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.unwrap_or(whole);
    (prefix <= whole).then_some(What::Net(address, prefix))
}

fn name(text: &str) -> Option<What> {
    let lower = text.to_ascii_lowercase();
    let below = lower.strip_prefix('*').filter(|rest| rest.starts_with('.'));
    let labels = below.map_or(lower.as_str(), |rest| rest.get(1..).unwrap_or_default());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let good = |label: &str| !label.is_empty() && label.bytes().all(plain);
    // A last label of digits alone is a broken address, not a name.
    let number = labels.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    if number || !labels.split('.').all(good) {
        return None;
    }
    Some(below.map_or_else(|| What::Host(lower.clone()), |end| What::Below(end.to_owned())))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use super::*;

    fn judge(entry: &str, host: Option<&str>, address: &str, port: u16) -> Verdict {
        AllowList::parse([entry]).unwrap().judge(host, address.parse().unwrap(), port)
    }

    #[test]
    fn without_exceptions_only_public_addresses_at_usual_ports_pass() {
        let none = AllowList::default();
        assert_eq!(none.judge(None, "8.8.8.8".parse().unwrap(), 443), Verdict::Public);
        assert_eq!(none.judge(None, "8.8.8.8".parse().unwrap(), 80), Verdict::Public);
        assert_eq!(none.judge(None, "8.8.8.8".parse().unwrap(), 22), Verdict::Refused);
        assert_eq!(none.judge(None, "10.0.0.1".parse().unwrap(), 443), Verdict::Refused);
        assert!(!none.knows_port(8080));
    }

    #[test]
    fn a_host_opens_inner_addresses_for_itself_alone() {
        let host = Some("files.corp.example");
        assert_eq!(judge("files.corp.example", host, "10.0.0.1", 443), Verdict::Excepted);
        assert_eq!(judge("FILES.corp.example", host, "10.0.0.1", 443), Verdict::Excepted);
        assert_eq!(judge("*.corp.example", host, "fd00::5", 443), Verdict::Excepted);
        assert_eq!(judge("*.corp.example", Some("corp.example"), "10.0.0.1", 443), Verdict::Refused);
        assert_eq!(judge("corp.example", host, "10.0.0.1", 443), Verdict::Refused);
        assert_eq!(judge("files.corp.example", None, "10.0.0.1", 443), Verdict::Refused);
        for never in
            ["169.254.1.1", "169.254.169.254", "100.100.100.200", "fd00:ec2::254", "0.0.0.0", "224.0.0.1"]
        {
            assert_eq!(judge("files.corp.example", host, never, 443), Verdict::Refused, "{never}");
        }
    }

    #[test]
    fn a_network_opens_its_addresses_whatever_the_name() {
        assert_eq!(judge("10.1.0.0/16", Some("x"), "10.1.255.1", 80), Verdict::Excepted);
        assert_eq!(judge("10.1.0.0/16", None, "10.2.0.1", 80), Verdict::Refused);
        assert_eq!(judge("fd00::/8", None, "fd12::1", 80), Verdict::Excepted);
        assert_eq!(judge("169.254.0.0/16", None, "169.254.3.3", 80), Verdict::Excepted);
        assert_eq!(
            judge("169.254.0.0/16", None, "169.254.169.254", 80),
            Verdict::Refused,
            "too wide for that one"
        );
        assert_eq!(judge("169.254.169.254", None, "169.254.169.254", 80), Verdict::Excepted);
        assert_eq!(judge("0.0.0.0/0", None, "::ffff:10.0.0.1", 80), Verdict::Refused, "of another family");
    }

    #[test]
    fn a_port_is_opened_for_its_entry_in_place_of_the_usual_ones() {
        assert_eq!(judge("cdn.example:8443", Some("cdn.example"), "8.8.8.8", 8443), Verdict::Excepted);
        assert_eq!(judge("cdn.example:8443", Some("other.example"), "8.8.8.8", 8443), Verdict::Refused);
        assert_eq!(judge("10.0.0.0/8:9000", None, "10.0.0.1", 9000), Verdict::Excepted);
        assert_eq!(judge("10.0.0.0/8:9000", None, "10.0.0.1", 80), Verdict::Refused);
        assert_eq!(judge("10.0.0.0/8", None, "10.0.0.1", 9000), Verdict::Refused);
        assert_eq!(judge("[fd00::]/8:9000", None, "fd00::1", 9000), Verdict::Excepted);
        assert_eq!(judge("[::1]:9000", None, "::1", 9000), Verdict::Excepted);
        assert!(AllowList::parse(["[::1]:9000"]).unwrap().knows_port(9000));
    }

    #[test]
    fn what_is_no_host_and_no_network_is_said() {
        let bad = [
            "",
            "10.0.0.0/33",
            "10.0.0",
            "fd00::/129",
            "a b",
            "http://x",
            "x:0",
            "x:70000",
            "*",
            "*.",
            "a..b",
        ];
        for entry in bad.into_iter().chain(["10.0.0.0/8/8", "127.1", "[::1", "x/8", "*.10"]) {
            assert_eq!(AllowList::parse([entry]), Err(AllowError(entry.into())), "{entry}");
        }
    }
}

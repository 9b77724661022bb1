//! Where a request comes from: the other end of its connection, or, behind a proxy that the operator trusts, whom that proxy
//! names. And whether anybody may come from there.

use std::net::IpAddr;

use axum::extract::Request;
use http::{HeaderMap, HeaderName};

use super::front::Peer;
use crate::engine::{code::Code, refusal::Refusal, settings::Access};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED: HeaderName = HeaderName::from_static("forwarded");

/// Puts the client's own address in the place of its connection's, and checks that it may come in.
///
/// # Errors
/// When it may not.
pub(super) fn settle(access: &Access, request: &mut Request) -> Result<(), Refusal> {
    let Some(Peer(peer)) = request.extensions().get::<Peer>().copied().filter(|_| !access.is_open()) else {
        return Ok(());
    };
    let client = client(access, peer, request.headers())?;
    if !access.admits(client) {
        return Err(Refusal::new(Code::AddressNotAllowed, "This hub is closed to your address."));
    }
    request.extensions_mut().insert(Peer(client));
    Ok(())
}

/// The last address on the way that is no trusted proxy's: those before it are the client's own word.
fn client(access: &Access, peer: IpAddr, headers: &HeaderMap) -> Result<IpAddr, Refusal> {
    if !access.trusts(peer) {
        return Ok(peer);
    }
    let of = |hops: Vec<Option<IpAddr>>| {
        let mut client = peer;
        for hop in hops.into_iter().rev() {
            // What is no address was made up, or hidden: the proxy that says so is all that is known.
            let Some(address) = hop else { break };
            client = address;
            if !access.trusts(address) {
                break;
            }
        }
        client
    };
    let by_list = of(hops(headers, &X_FORWARDED_FOR, whole));
    if !headers.contains_key(&FORWARDED) {
        return Ok(by_list);
    }
    let by_pairs = of(hops(headers, &FORWARDED, for_of));
    if headers.contains_key(&X_FORWARDED_FOR) && by_list != by_pairs {
        // A proxy that writes one of them passes the other on as the client wrote it, and nobody can tell which.
        let text = "`Forwarded` and `X-Forwarded-For` name different clients.";
        return Err(Refusal::new(Code::MalformedRequest, text));
    }
    Ok(by_pairs)
}

/// The addresses in a header, the nearest last.
fn hops(headers: &HeaderMap, name: &HeaderName, address: fn(&str) -> Option<&str>) -> Vec<Option<IpAddr>> {
    let values = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
    values.flat_map(|value| value.split(',')).map(|hop| parsed(address(hop.trim())?)).collect()
}

const fn whole(hop: &str) -> Option<&str> {
    Some(hop)
}

/// The value of `for` among the pairs of one hop (RFC 7239).
fn for_of(hop: &str) -> Option<&str> {
    let mut pairs = hop.split(';').filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for")).map(|(_, value)| value.trim())
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`, with or without quotes.
fn parsed(text: &str) -> Option<IpAddr> {
    let text = text.trim_matches('"');
    let bare = match (text.strip_prefix('['), text.split_once(':')) {
        (Some(inner), _) => inner.split_once(']')?.0,
        (None, Some((host, port))) if !port.contains(':') => host,
        (None, _) => text,
    };
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use http::HeaderValue;

    use super::*;

    fn access() -> Access {
        Access { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..Access::default() }
    }

    fn seen(peer: &str, sent: &[(&'static str, &'static str)]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(*name, HeaderValue::from_static(value));
        }
        client(&access(), peer.parse().unwrap(), &headers).ok().map(|address| address.to_string())
    }

    #[test]
    fn only_trusted_proxies_are_believed_and_only_as_far_as_they_saw() {
        for (peer, sent, client) in [
            ("192.0.2.1", &[("x-forwarded-for", "198.51.100.7")][..], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &[("x-forwarded-for", "198.51.100.7")], "198.51.100.7"),
            ("10.0.0.1", &[("x-forwarded-for", "1.1.1.1, 198.51.100.7, 10.0.0.2")], "198.51.100.7"),
            (
                "10.0.0.1",
                &[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "198.51.100.7")],
                "198.51.100.7",
            ),
            ("10.0.0.1", &[("x-forwarded-for", "1.1.1.1, unknown, 10.0.0.2")], "10.0.0.2"),
            ("10.0.0.1", &[("x-forwarded-for", "198.51.100.7:4711")], "198.51.100.7"),
            (
                "10.0.0.1",
                &[("forwarded", "for=1.1.1.1, For=\"[2001:db8::1]:80\";proto=https")],
                "2001:db8::1",
            ),
            ("10.0.0.1", &[("forwarded", "proto=https")], "10.0.0.1"),
            ("::ffff:10.0.0.1", &[("x-forwarded-for", "::ffff:198.51.100.7")], "198.51.100.7"),
        ] {
            assert_eq!(seen(peer, sent).as_deref(), Some(client), "{peer} {sent:?}");
        }
        let both = [("x-forwarded-for", "198.51.100.7"), ("forwarded", "for=1.1.1.1")];
        assert_eq!(seen("10.0.0.1", &both), None, "one of them is the client's own");
        let same = [("x-forwarded-for", "198.51.100.7"), ("forwarded", "for=198.51.100.7")];
        assert_eq!(seen("10.0.0.1", &same).as_deref(), Some("198.51.100.7"));
    }

    #[test]
    fn the_lists_are_about_the_client_and_not_the_proxy() {
        let access = Access { allow: vec!["198.51.100.0/24".parse().unwrap()], ..access() };
        let enter = |peer: &str, client: &'static str| {
            let mut request = Request::default();
            request.extensions_mut().insert(Peer(peer.parse().unwrap()));
            request.headers_mut().insert(X_FORWARDED_FOR, HeaderValue::from_static(client));
            settle(&access, &mut request).map(|()| request.extensions().get::<Peer>().unwrap().0.to_string())
        };
        assert_eq!(enter("10.0.0.1", "198.51.100.7").unwrap(), "198.51.100.7");
        assert_eq!(enter("10.0.0.1", "203.0.113.1").unwrap_err().code, Code::AddressNotAllowed);
        assert_eq!(enter("203.0.113.1", "198.51.100.7").unwrap_err().code, Code::AddressNotAllowed);
    }
}

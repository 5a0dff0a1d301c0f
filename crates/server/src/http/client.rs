//! Whose address counts: the connection's, or behind a trusted proxy the one that the proxy tells.

use super::{App, Refused};
use crate::listener::Peer;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use visavis_wire::http::RefusalCode;

/// As it counts for limits: of IPv6 the network of 64 bits, for that is what one household has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl FromRequestParts<Arc<App>> for ClientAddress {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refused> {
        let ConnectInfo(Peer(peer)) =
            ConnectInfo::<Peer>::from_request_parts(parts, app).await.map_err(|_| Refused::new(RefusalCode::Internal))?;
        Ok(Self(counted(client(peer.ip(), &parts.headers, &app.trusted_proxies))))
    }
}

/// From the right, for each proxy adds whom it saw: the first address that is not a trusted proxy's. What stands further left is
/// the client's own word.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(&address.to_canonical()));
    let peer = peer.to_canonical();
    if !is_trusted(&peer) {
        return peer;
    }
    let lines: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    let mut seen = peer;
    for word in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let Ok(address) = word.trim().parse::<IpAddr>() else { return seen };
        seen = address.to_canonical();
        if !is_trusted(&seen) {
            return seen;
        }
    }
    seen
}

fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seen(peer: &str, lines: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        client(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_about_whom_it_saw() {
        let proxy = ["10.0.0.0/8"];
        assert_eq!(seen("203.0.113.5", &["198.51.100.1"], &proxy), "203.0.113.5", "a client that claims another address");
        assert_eq!(seen("10.0.0.2", &["198.51.100.1"], &proxy), "198.51.100.1");
        assert_eq!(seen("10.0.0.2", &["1.1.1.1, 198.51.100.1"], &proxy), "198.51.100.1", "what the client wrote itself");
        assert_eq!(seen("10.0.0.2", &["1.1.1.1, 198.51.100.1, 10.9.9.9"], &proxy), "198.51.100.1", "two proxies");
        assert_eq!(seen("10.0.0.2", &["1.1.1.1", "198.51.100.1"], &proxy), "198.51.100.1", "two headers");
        assert_eq!(seen("10.0.0.2", &["198.51.100.1, nonsense"], &proxy), "10.0.0.2", "a proxy that writes nonsense");
        assert_eq!(seen("10.0.0.2", &[], &proxy), "10.0.0.2");
        assert_eq!(seen("::ffff:10.0.0.2", &["198.51.100.1"], &proxy), "198.51.100.1");
        assert_eq!(seen("10.0.0.2", &["198.51.100.1"], &[]), "10.0.0.2");
    }

    #[test]
    fn of_ipv6_the_network_counts() {
        let of = |text: &str| counted(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:198.51.100.1"), of("198.51.100.1"));
    }

    proptest! {
        #[test]
        fn whatever_a_client_writes_it_is_not_believed(line in "[ -~]{0,60}") {
            prop_assert_eq!(seen("203.0.113.5", &[&line], &["10.0.0.0/8"]), "203.0.113.5");
            let through = format!("{line}, 203.0.113.5");
            prop_assert_eq!(seen("10.0.0.1", &[&through], &["10.0.0.0/8"]), "203.0.113.5");
        }
    }
}

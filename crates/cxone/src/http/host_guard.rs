//! Which URLs of an answer a client may fetch: only those at hosts that the configuration allows.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// The hosts that results may be downloaded from.
#[derive(Debug, Clone)]
pub(super) struct HostGuard {
    /// Host names without a leading or trailing dot, in lower case.
    suffixes: Vec<String>,
    /// Set where the API itself is on this machine: its own origin is allowed too.
    loopback: Option<(Host, u16)>,
}

impl HostGuard {
    pub(super) fn new(base: &Url, allowed_hosts: &[String]) -> Self {
        let loopback = is_loopback(base) && base.scheme() == "http";
        let own = base
            .host()
            .filter(|_| loopback)
            .map(|host| (host.to_owned(), effective_port(base)));
        let suffixes = allowed_hosts
            .iter()
            .map(String::as_str)
            .chain(base.domain());
        Self {
            suffixes: suffixes
                .map(normalise_host)
                .filter(|suffix| !suffix.is_empty())
                .collect(),
            loopback: own,
        }
    }

    /// The URL if it may be fetched. The parsed URL is checked, not its spelling.
    pub(super) fn check_url(&self, text: &str) -> Result<Url, &'static str> {
        // A backslash or a full-width dot is read differently by different parsers; an honest URL has neither.
        if !text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\') {
            return Err("the download URL is not a URL");
        }
        let mut url = Url::parse(text).map_err(|_| "the download URL is not a URL")?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the download URL names a user");
        }
        if self.is_own_loopback(&url) {
            return if url.scheme() == "http" {
                Ok(url)
            } else {
                Err("the download URL is not http")
            };
        }
        if url.scheme() != "https" {
            return Err("the download URL is not https");
        }
        if effective_port(&url) != 443 {
            return Err("the download URL names a port");
        }
        let Some(Host::Domain(domain)) = url.host() else {
            return Err("the download URL names an address instead of a host");
        };
        let host = normalise_host(domain);
        if !self.is_allowed(&host) {
            return Err("the download URL names a host that is not allowed");
        }
        url.set_host(Some(&host))
            .map_err(|_| "the download URL is not a URL")?;
        url.set_fragment(None);
        Ok(url)
    }

    fn is_own_loopback(&self, url: &Url) -> bool {
        let host = url.host().map(|host| host.to_owned());
        let own = host.map(|host| (host, effective_port(url)));
        self.loopback.is_some() && self.loopback == own
    }

    /// Whether a host is one of the allowed domains, or below one.
    fn is_allowed(&self, host: &str) -> bool {
        self.suffixes.iter().any(|allowed| {
            host == allowed
                || host
                    .strip_suffix(allowed.as_str())
                    .is_some_and(|rest| rest.ends_with('.'))
        })
    }
}

fn normalise_host(host: &str) -> String {
    host.trim()
        .trim_start_matches('*')
        .trim_matches('.')
        .to_ascii_lowercase()
}

fn effective_port(url: &Url) -> u16 {
    url.port_or_known_default().unwrap_or(0)
}

/// Whether a URL's host is this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Looks hosts up and forgets every address that is not on the public internet, so that an allowed name that resolves to
/// this network, or to the metadata service, leads nowhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(io::Error::other("no public address").into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match find_embedded_v4(address) {
            Some(inner) => is_public_v4(inner),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocol = a == 192 && b == 0 && c == 0;
    let benchmark = a == 198 && (b == 18 || b == 19);
    !(a == 0
        || a >= 240
        || shared
        || protocol
        || benchmark
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation())
}

/// Global unicast is `2000::/3`; of it `2001::/23` is for protocols, `2001:db8::/32` and `3fff::/20` for documentation.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let documentation =
        (first == 0x2001 && second == 0xdb8) || (first == 0x3fff && second < 0x1000);
    let protocol = first == 0x2001 && second < 0x200;
    first & 0xe000 == 0x2000 && !documentation && !protocol
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible, NAT64 or 6to4.
fn find_embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let joined = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match segments {
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(joined(high, low))
        }
        [0x2002, high, low, ..] => Some(joined(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test_guard(base: &str) -> HostGuard {
        HostGuard::new(
            &base.parse().unwrap(),
            &[
                "files.example.com".to_owned(),
                ".cdn.example.net".to_owned(),
            ],
        )
    }

    #[test]
    fn only_https_to_allowed_domains_is_fetched() {
        let guard = test_guard("https://api.cxone.example");
        for good in [
            "https://files.example.com/a.csv?sig=x",
            "https://eu.files.example.com/a.csv",
            "https://FILES.example.com./a.csv",
            "https://x.cdn.example.net/",
            "https://api.cxone.example:443/a",
        ] {
            assert!(guard.check_url(good).is_ok(), "{good}");
        }
        assert_eq!(
            guard
                .check_url("https://files.example.com./a#b")
                .unwrap()
                .as_str(),
            "https://files.example.com/a"
        );
    }

    #[test]
    fn every_other_url_is_refused() {
        let guard = test_guard("https://api.cxone.example");
        for bad in [
            "",
            "/relative",
            "http://files.example.com/",
            "ftp://files.example.com/",
            "https://files.example.com:8443/",
            "https://user@files.example.com/",
            "https://:pw@files.example.com/",
            "https://files.example.com@evil.example/",
            "https://files.example.com\\@evil.example/",
            "https://evil.example#files.example.com",
            "https://evil.example/files.example.com",
            "https://notfiles.example.com/",
            "https://files.example.com.evil.example/",
            "https://example.com/",
            "https://cdn.example.net.evil/",
            "https://169.254.169.254/latest/meta-data",
            "https://2852039166/",
            "https://0xa9.0xfe.0xa9.0xfe/",
            "https://0251.0376.0251.0376/",
            "https://169。254。169。254/",
            "https://[::ffff:169.254.169.254]/",
            "https://[fd00:ec2::254]/",
            "https://localhost/",
            "http://127.0.0.1:8080/",
            "data:text/csv,a",
            "file:///etc/passwd",
        ] {
            assert!(guard.check_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_local_api_may_hand_out_its_own_origin_and_no_other_local_one() {
        let guard = test_guard("http://127.0.0.1:8080");
        assert!(guard.check_url("http://127.0.0.1:8080/files/1.csv").is_ok());
        assert!(
            guard
                .check_url("http://127.0.0.1:8081/files/1.csv")
                .is_err()
        );
        assert!(guard.check_url("http://169.254.169.254:8080/").is_err());
        assert!(guard.check_url("http://u@127.0.0.1:8080/").is_err());
    }

    #[test]
    fn addresses_that_are_not_on_the_public_internet_are_forgotten() {
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in [
            "1.1.1.1",
            "52.216.0.1",
            "2600:1f18::1",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }
}

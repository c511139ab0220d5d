//! Which URLs of an answer a client may fetch: only those at hosts that the configuration allows.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use definition::tenant::is_loopback;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, ParseError, Url};

/// The hosts that results may be downloaded from, and which of them get the access token.
#[derive(Debug, Clone)]
pub(super) struct HostGuard {
    base: Url,
    hosts: Vec<ListedHost>,
}

/// A host that the configuration lists, or the API's own.
#[derive(Debug, Clone)]
struct ListedHost {
    /// Without a leading or trailing dot, in lower case; with a port where it is on this machine.
    name: String,
    gets_token: bool,
}

/// A URL that may be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CheckedUrl {
    pub(super) url: Url,
    /// Whether its host is one of those that get the access token.
    pub(super) gets_token: bool,
}

/// Why a URL may not be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UrlRefusal {
    /// Whatever the configuration says.
    Never(&'static str),
    /// The configuration does not list this host.
    NotListed(String),
}

impl HostGuard {
    pub(super) fn new(base: &Url, api_hosts: &[String], allowed_hosts: &[String]) -> Self {
        let list = |hosts: &[String], gets_token| -> Vec<ListedHost> {
            let names = hosts.iter().map(|host| normalise_host(host));
            let names = names.filter(|name| !name.is_empty());
            names.map(|name| ListedHost { name, gets_token }).collect()
        };
        let own: Vec<String> = base.domain().map(str::to_owned).into_iter().collect();
        let hosts = [
            list(allowed_hosts, false),
            list(api_hosts, true),
            list(&own, false),
        ];
        Self {
            base: base.clone(),
            hosts: hosts.concat(),
        }
    }

    /// The URL if it may be fetched. The parsed URL is checked, not its spelling.
    pub(super) fn check_url(&self, text: &str) -> Result<CheckedUrl, UrlRefusal> {
        use UrlRefusal::Never;
        // A backslash or a full-width dot is read differently by different parsers; an honest URL has neither.
        if !text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\') {
            return Err(Never("the download URL is not a URL"));
        }
        let mut url = Url::parse(text).map_err(|error| match error {
            ParseError::RelativeUrlWithoutBase if !text.is_empty() => {
                Never("the download URL is relative, so that it names no host")
            }
            _ => Never("the download URL is not a URL"),
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Never("the download URL names a user"));
        }
        if let Some(gets_token) = self.find_local(&url) {
            return Ok(CheckedUrl { url, gets_token });
        }
        if url.scheme() != "https" {
            return Err(Never("the download URL is not https"));
        }
        if effective_port(&url) != 443 {
            return Err(Never("the download URL names a port"));
        }
        let Some(Host::Domain(domain)) = url.host() else {
            let what = "the download URL names an address instead of a host";
            return Err(Never(what));
        };
        let host = normalise_host(domain);
        let Some(listed) = self.find_listed(&host) else {
            return Err(UrlRefusal::NotListed(host));
        };
        let gets_token = listed.gets_token;
        url.set_host(Some(&host))
            .map_err(|_| Never("the download URL is not a URL"))?;
        url.set_fragment(None);
        Ok(CheckedUrl { url, gets_token })
    }

    /// Where the API itself is on this machine: whether a URL is at its origin, or at another one that is listed with its
    /// port, and if so, whether it gets the token.
    fn find_local(&self, url: &Url) -> Option<bool> {
        let is_local = |url: &Url| url.scheme() == "http" && is_loopback(url);
        if !is_local(&self.base) || !is_local(url) {
            return None;
        }
        let origin = format!("{}:{}", url.host()?, effective_port(url));
        let mut listed = self.hosts.iter().filter(|host| host.name == origin);
        match listed.next() {
            None => (url.origin() == self.base.origin()).then_some(false),
            Some(first) => Some(first.gets_token),
        }
    }

    /// The entry that names a host or a domain that it is below. The longest name is the most exact and counts; of two equal
    /// ones the first, which does not give the token away.
    fn find_listed(&self, host: &str) -> Option<&ListedHost> {
        let names_it = |listed: &&ListedHost| {
            let before = host.strip_suffix(listed.name.as_str());
            before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        let found = self.hosts.iter().rev().filter(names_it);
        found.max_by_key(|listed| listed.name.len())
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
                "cluster.example.org".to_owned(),
                "127.0.0.1:8082".to_owned(),
            ],
            &[
                "files.example.com".to_owned(),
                ".cdn.example.net".to_owned(),
                "files.cluster.example.org".to_owned(),
                "127.0.0.1:8083".to_owned(),
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
                .url
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
        for (port, gets_token) in [(8082, true), (8083, false)] {
            let listed = guard.check_url(&format!("http://127.0.0.1:{port}/1.csv"));
            assert_eq!(listed.unwrap().gets_token, gets_token);
        }
        let elsewhere = test_guard("https://api.cxone.example");
        assert!(elsewhere.check_url("http://127.0.0.1:8082/1.csv").is_err());
        assert!(guard.check_url("http://169.254.169.254:8080/").is_err());
        assert!(guard.check_url("http://u@127.0.0.1:8080/").is_err());
    }

    #[test]
    fn the_token_goes_to_the_hosts_that_are_listed_for_it_and_to_no_other() {
        let guard = test_guard("https://api.cxone.example");
        for (text, gets_token) in [
            ("https://cluster.example.org/a", true),
            ("https://api-b32.cluster.example.org/a", true),
            ("https://files.cluster.example.org/a", false),
            ("https://files.example.com/a", false),
            ("https://api.cxone.example/a", false),
            ("https://notcluster.example.org/a", false),
        ] {
            let checked = guard.check_url(text);
            let found = checked.is_ok_and(|checked| checked.gets_token);
            assert_eq!(found, gets_token, "{text}");
        }
        let both = ["x.example".to_owned()];
        let guard = HostGuard::new(&"https://y.example".parse().unwrap(), &both, &both);
        assert!(!guard.check_url("https://x.example/").unwrap().gets_token);
    }

    #[test]
    fn a_host_that_is_not_listed_is_named() {
        let guard = test_guard("https://api.cxone.example");
        assert_eq!(
            guard.check_url("https://API-b32.Other.example./a?secret#b"),
            Err(UrlRefusal::NotListed("api-b32.other.example".to_owned()))
        );
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

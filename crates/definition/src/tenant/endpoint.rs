//! Which URLs secrets may be sent to.

use url::{Host, Url};

/// Whether secrets may be sent to a URL: https unless the host is loopback, and nobody named in it.
///
/// # Errors
/// What is wrong, to go on a sentence that names the setting.
pub fn check_endpoint(url: &Url) -> Result<(), &'static str> {
    let safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
    if !safe || url.cannot_be_a_base() {
        return Err("is not https");
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err("has a user or a fragment in it");
    }
    Ok(())
}

/// Whether a URL is on this machine.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

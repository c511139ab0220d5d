//! Where a file is that an answer names by a link, and whether the access token is sent there.

use url::Url;

use super::client::Client;
use super::host_guard::UrlRefusal;
use crate::error::Error;

/// A file that an answer names, where it may be fetched.
#[derive(Debug, Clone)]
pub(crate) struct FileLink {
    pub(crate) url: Url,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A call of the API: `files?fileName=…`.
    Call,
    /// The API's own host.
    OwnHost,
    /// Another host, which is listed as one that gets the access token.
    ApiHost,
    /// Another host, which never gets it.
    FileHost,
}

impl FileLink {
    /// A call of the API itself.
    pub(crate) fn call(url: Url) -> Self {
        Self {
            url,
            place: Place::Call,
        }
    }

    /// Whether the access token is sent. Where the API's links are keys by themselves, its own host needs none.
    pub(crate) fn takes_token(&self, is_key: bool) -> bool {
        match self.place {
            Place::Call | Place::ApiHost => true,
            Place::OwnHost => !is_key,
            Place::FileHost => false,
        }
    }

    /// The host, for an error. The rest of a link may be a secret.
    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or("?")
    }

    /// The host, if it gets the access token and is not the API's own.
    pub(crate) fn other_host(&self) -> Option<&str> {
        (self.place == Place::ApiHost).then(|| self.host())
    }
}

impl Client {
    /// Whether the settings allow to fetch a file at this link, without fetching it.
    pub fn check_link(&self, link: &str) -> Result<(), Error> {
        self.find_file("look at a link", link).map(drop)
    }

    /// The file that an answer's link names, if it may be fetched.
    ///
    /// A link to `…/services/vN.N/files?fileName=…` names a call of the API, often at the host of a cluster that nobody has
    /// listed. It is made at the base URL, where the same file is, so that no other host is asked for it.
    pub(crate) fn find_file(&self, step: &'static str, link: &str) -> Result<FileLink, Error> {
        if let Some(url) = self.own_files_call(link) {
            return Ok(FileLink::call(url));
        }
        let checked = self.host_guard().check_url(link);
        let checked = checked.map_err(|refusal| self.describe_link_refusal(step, refusal))?;
        let is_own_host = checked.url.origin() == self.config().base_url.origin();
        let place = match (checked.gets_token, is_own_host) {
            (true, _) => Place::ApiHost,
            (false, true) => Place::OwnHost,
            (false, false) => Place::FileHost,
        };
        Ok(FileLink {
            url: checked.url,
            place,
        })
    }

    /// The same call at the base URL, if a link is to `…/services/vN.N/files` with a file's name. Of the link's address nothing
    /// but the version and the query is used.
    fn own_files_call(&self, link: &str) -> Option<Url> {
        let named = self.config().base_url.join(link.trim()).ok()?;
        let path: Vec<&str> = named
            .path_segments()?
            .filter(|part| !part.is_empty())
            .collect();
        let [.., services, version, files] = path.as_slice() else {
            return None;
        };
        let names_a_file = named
            .query_pairs()
            .any(|(name, value)| name.eq_ignore_ascii_case("fileName") && !value.trim().is_empty());
        let is_call = services.eq_ignore_ascii_case("services")
            && is_version(version)
            && files.eq_ignore_ascii_case("files");
        if !is_call || !names_a_file {
            return None;
        }
        let names_a_user = !named.username().is_empty() || named.password().is_some();
        let is_own_host = named.origin() == self.config().base_url.origin();
        let mut url = if is_own_host && !names_a_user {
            named.clone()
        } else {
            self.build_url(&["inContactAPI", "services", version, "files"], &[])
        };
        url.set_query(named.query());
        url.set_fragment(None);
        Some(url)
    }

    fn describe_link_refusal(&self, step: &'static str, refusal: UrlRefusal) -> Error {
        match refusal {
            UrlRefusal::Never(what) => Error::contract(step, what),
            UrlRefusal::NotListed(host) => Error::Config {
                step,
                what: format!(
                    "the file is at host {host}, which the settings don't list; if it is CXone's, add it in {source} to api_hosts (it gets the access token), or to allowed_hosts if its links are keys by themselves",
                    source = self.config().source
                ),
            },
        }
    }
}

/// `v34`, `v34.0`, in upper or lower case.
fn is_version(text: &str) -> bool {
    let Some(number) = text.strip_prefix(['v', 'V']) else {
        return false;
    };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    match number.split_once('.') {
        Some((major, minor)) => is_number(major) && is_number(minor),
        None => is_number(number),
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::ClientConfig;
    use super::*;

    fn test_client() -> Client {
        Client::new(ClientConfig {
            base_url: "https://api.cxone.example/base".parse().unwrap(),
            token_url: "https://cxone.example/auth/token".parse().unwrap(),
            api_hosts: vec!["cluster.example".to_owned()],
            allowed_hosts: vec!["files.example".to_owned()],
            source: "secret cxone/acme".to_owned(),
        })
        .unwrap()
    }

    #[test]
    fn a_call_of_files_is_made_at_the_base_url_wherever_the_link_leads() {
        let client = test_client();
        let own = "https://api.cxone.example/Services/v35.0/files?fileName=x.csv";
        let file = client.find_file("test", own).unwrap();
        assert_eq!((file.url.as_str(), file.takes_token(true)), (own, true));
        for (link, query) in [
            (
                "https://api-b32.other.example/inContactAPI/services/v35.0/files?fileName=x.csv",
                "v35.0/files?fileName=x.csv",
            ),
            (
                "https://api-b32.other.example/x/InContactApi/Services/V35.0/Files?a=b&FILENAME=x%20y.csv&c",
                "V35.0/files?a=b&FILENAME=x%20y.csv&c",
            ),
            (
                "http://10.0.0.1:8080/services/v35.0/files/?fileName=Reports\\x y.csv#z",
                "v35.0/files?fileName=Reports\\x%20y.csv",
            ),
        ] {
            let file = client.find_file("test", link).unwrap();
            assert!(file.takes_token(true), "{link}");
            assert_eq!(
                file.url.as_str(),
                format!("https://api.cxone.example/base/inContactAPI/services/{query}")
            );
        }
    }

    #[test]
    fn any_other_link_is_taken_as_it_is_and_only_to_a_listed_host() {
        let client = test_client();
        for (link, as_key, as_file) in [
            ("https://api.cxone.example/x.csv", false, true),
            ("https://b32.cluster.example/x.csv", true, true),
            ("https://files.example/x.csv", false, false),
        ] {
            let file = client.find_file("test", link).unwrap();
            assert_eq!(file.url.as_str(), link);
            assert_eq!(file.takes_token(true), as_key, "{link}");
            assert_eq!(file.takes_token(false), as_file, "{link}");
        }
        for link in [
            "https://b32.other.example/services/v35.0/files",
            "https://b32.other.example/services/v35.0/files?fileName=",
            "https://b32.other.example/services/v35.x/files?fileName=x",
            "https://b32.other.example/services/../v35.0/files?fileName=x",
            "https://b32.other.example/files?fileName=x",
            "https://b32.other.example/services/v35.0/files/x?fileName=x",
        ] {
            let error = client.find_file("test", link).unwrap_err().to_string();
            assert_eq!(
                error,
                "test: the file is at host b32.other.example, which the settings don't list; if it is CXone's, add it in secret cxone/acme to api_hosts (it gets the access token), or to allowed_hosts if its links are keys by themselves"
            );
        }
        for (link, told) in [
            ("/x.csv", "is relative"),
            ("files/x.csv?a=b", "is relative"),
            ("https://", "is not a URL"),
        ] {
            let error = client.find_file("test", link).unwrap_err();
            assert!(matches!(error, Error::Contract { .. }), "{error}");
            assert!(error.to_string().contains(told), "{link}: {error}");
        }
    }
}

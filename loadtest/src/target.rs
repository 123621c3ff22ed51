//! The server under test: what `--url` may say, and where that is.

use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;

use anyhow::Context;
use hyper::header::HeaderValue;
use url::Url;

/// A checked `http://host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// `host:port` as requests name it.
    authority: String,
    host: String,
    port: u16,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text)
            .map_err(|error| format!("{error}; write it like http://127.0.0.1:8080"))?;
        match url.scheme() {
            "http" => {}
            "https" => {
                return Err(
                    "https is not supported: bytes are counted at a plain socket; use http".into(),
                );
            }
            other => return Err(format!("the scheme {other:?} is not http")),
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err("give the server only, without path, query or fragment".into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("credentials are not supported".into());
        }
        let host = url.host_str().ok_or("the host is missing")?;
        let port = url.port_or_known_default().ok_or("the port is missing")?;
        Ok(Self {
            authority: format!("{host}:{port}"),
            // The resolver wants IPv6 addresses without their brackets.
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
        })
    }
}

impl Target {
    /// A server of our own on this host.
    pub(crate) fn local(port: u16) -> Self {
        Self {
            authority: format!("127.0.0.1:{port}"),
            host: "127.0.0.1".into(),
            port,
        }
    }

    /// The address as people write it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.authority)
    }

    /// Looks the host up once, so that no client's connect waits for a name.
    pub(crate) fn resolve(&self) -> anyhow::Result<Address> {
        let socket = (self.host.as_str(), self.port)
            .to_socket_addrs()
            .with_context(|| format!("--url: no address for {}", self.host))?
            .next()
            .with_context(|| format!("--url: no address for {}", self.host))?;
        let host =
            HeaderValue::from_str(&self.authority).context("--url: the host is no header value")?;
        Ok(Address {
            socket,
            host,
            authority: self.authority.clone(),
        })
    }
}

/// Where clients connect to.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    /// The socket's address.
    pub(crate) socket: SocketAddr,
    /// The `Host` header.
    pub(crate) host: HeaderValue,
    /// The same as text.
    pub(crate) authority: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_url_is_taken_apart() {
        let target: Target = "http://127.0.0.1:8080/".parse().unwrap();
        assert_eq!(
            (target.url().as_str(), target.port),
            ("http://127.0.0.1:8080", 8080)
        );
        assert_eq!("http://localhost".parse::<Target>().unwrap().port, 80);
        let six: Target = "http://[::1]:9000".parse().unwrap();
        assert_eq!(
            (six.host.as_str(), six.url().as_str()),
            ("::1", "http://[::1]:9000")
        );
    }

    #[test]
    fn others_are_refused_with_a_reason() {
        for (text, reason) in [
            ("https://example.org", "https is not supported"),
            ("ftp://example.org", "is not http"),
            ("127.0.0.1:8080", "write it like"),
            ("http://h/v1", "without path"),
            ("http://h/?a=1", "without path"),
            ("http://me@h/", "credentials"),
        ] {
            let error = text.parse::<Target>().unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}

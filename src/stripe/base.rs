//! Which addresses the program talks to: https anywhere, http only to this very machine.

use std::net::IpAddr;

use thiserror::Error;
use url::{Host, Url};

/// Why an address is refused. `0` is the address as it was given.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BaseUrlError {
    /// Not a URL at all.
    #[error("\"{0}\" is not an address: write https://api.stripe.com or http://127.0.0.1:PORT")]
    Malformed(String),
    /// Plain http to another machine would send the key in the clear.
    #[error(
        "\"{0}\" would send the API key unencrypted: use https, or http on 127.0.0.1, [::1] or localhost"
    )]
    PlainHttp(String),
    /// Neither http nor https.
    #[error("\"{0}\" is neither https nor http: write https://api.stripe.com")]
    Scheme(String),
    /// User name, password, path, query or fragment.
    #[error("the address {0} must be scheme, host and port only: leave out user, path, \"?\" and \"#\"")]
    Extra(String),
}

/// Checks an account's API base. The result has the path `/` and nothing behind it.
pub fn check_base_url(text: &str) -> Result<Url, BaseUrlError> {
    let url = Url::parse(text.trim()).map_err(|_| BaseUrlError::Malformed(text.to_owned()))?;
    let Some(host) = url.host() else {
        return Err(BaseUrlError::Malformed(text.to_owned()));
    };
    if !url.username().is_empty() || url.password().is_some() {
        // The text is not repeated: what was written there may be a key.
        return Err(BaseUrlError::Extra(format!("with a user name on {host}")));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(BaseUrlError::Extra(format!("on {host}")));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(BaseUrlError::PlainHttp(text.to_owned())),
        _ => Err(BaseUrlError::Scheme(text.to_owned())),
    }
}

/// A literal loopback address or the reserved name `localhost`, which the transport pins to loopback itself
/// (RFC 6761), so that no name service can point it elsewhere.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_anywhere_and_http_on_this_machine_are_taken() {
        for text in [
            "https://api.stripe.com",
            "https://api.stripe.com/",
            "http://127.0.0.1:8080",
            "http://127.9.9.9",
            "http://[::1]:9",
            "http://localhost:1",
        ] {
            assert!(check_base_url(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn plain_http_beyond_this_machine_is_refused_however_it_is_spelled() {
        for text in [
            "http://api.stripe.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://0.0.0.0:80",
            "http://10.0.0.1",
            "http://[::ffff:10.0.0.1]",
            "HTTP://192.168.1.1",
        ] {
            assert_eq!(
                check_base_url(text),
                Err(BaseUrlError::PlainHttp(text.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn an_address_with_anything_behind_the_port_is_refused_and_passwords_are_not_repeated() {
        for text in [
            "https://a.b/x",
            "https://a.b/?q",
            "https://a.b/#f",
            "https://sk_live_1:x@a.b",
        ] {
            let said = check_base_url(text).unwrap_err();
            assert!(matches!(said, BaseUrlError::Extra(_)), "{text}");
            assert!(!said.to_string().contains("sk_live"), "{said}");
        }
        assert!(matches!(
            check_base_url("ftp://a.b"),
            Err(BaseUrlError::Scheme(_))
        ));
        for text in ["", "api.stripe.com", "https://", "localhost:80"] {
            assert!(check_base_url(text).is_err(), "{text}");
        }
    }
}

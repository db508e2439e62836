//! API keys: what kind, which mode, and never printed. Facts 2.1.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

/// Live money or test data. Only the key decides (facts 2.1); every object repeats it as `livemode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// `…_live_…`
    Live,
    /// `…_test_…`, sandboxes included.
    Test,
}

impl Mode {
    /// What objects of this mode carry as `livemode`.
    #[must_use]
    pub const fn livemode(self) -> bool {
        matches!(self, Self::Live)
    }
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// `sk_…`: everything.
    Secret,
    /// `rk_…`: what its owner chose.
    Restricted,
}

/// Why a text is not an API key. Never contains the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Nothing but white space.
    #[error("the API key is empty: give a restricted key, rk_live_… or rk_test_…")]
    Empty,
    /// `pk_…`
    #[error(
        "this is a publishable key (pk_…), which cannot read accounts: give a restricted key, rk_live_… or rk_test_…"
    )]
    Publishable,
    /// `whsec_…`
    #[error(
        "this is a webhook signing secret (whsec_…), not an API key: give a restricted key, rk_live_… or rk_test_…"
    )]
    WebhookSecret,
    /// Any other beginning.
    #[error(
        "this does not begin like an API key (rk_live_, rk_test_, sk_live_ or sk_test_): copy it again from the Dashboard"
    )]
    UnknownPrefix,
    /// White space or control characters inside, or nothing after the prefix.
    #[error("the API key is cut off or contains characters no key has: copy it again from the Dashboard")]
    Malformed,
}

/// One account's API key. Printing shows [`ApiKey::mask`] only; the memory is wiped on drop.
#[derive(Clone)]
pub struct ApiKey {
    kind: KeyKind,
    mode: Mode,
    secret: SecretString,
}

impl ApiKey {
    /// Reads a key; white space around it (a file's last newline) is ignored.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let (kind, mode, body) = split(text)?;
        let printable = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if body.is_empty() || !body.bytes().all(printable) {
            return Err(KeyError::Malformed);
        }
        Ok(Self {
            kind,
            mode,
            secret: SecretString::from(text),
        })
    }

    /// Secret or restricted.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Live or test.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// `rk_live_…a1b2`: enough to tell two keys apart, too little to use one.
    #[must_use]
    pub fn mask(&self) -> String {
        let text = self.secret.expose_secret();
        let (prefix, body) = text.split_at(PREFIX_LEN.min(text.len()));
        // Keys are ASCII (checked in `parse`). A short body shows nothing: four of eight characters would be half of it.
        let tail = if body.len() >= 16 {
            &body[body.len() - 4..]
        } else {
            ""
        };
        format!("{prefix}…{tail}")
    }

    /// The text that goes into the `Authorization` header; for the transport alone.
    pub(super) fn expose(&self) -> &str {
        self.secret.expose_secret()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.mask())
    }
}

/// `rk_live_` and its sisters all have this length.
const PREFIX_LEN: usize = 8;

fn split(text: &str) -> Result<(KeyKind, Mode, &str), KeyError> {
    const KNOWN: [(&str, KeyKind, Mode); 4] = [
        ("rk_live_", KeyKind::Restricted, Mode::Live),
        ("rk_test_", KeyKind::Restricted, Mode::Test),
        ("sk_live_", KeyKind::Secret, Mode::Live),
        ("sk_test_", KeyKind::Secret, Mode::Test),
    ];
    for (prefix, kind, mode) in KNOWN {
        if let Some(body) = text.strip_prefix(prefix) {
            return Ok((kind, mode, body));
        }
    }
    Err(match text {
        "" => KeyError::Empty,
        t if t.starts_with("pk_") => KeyError::Publishable,
        t if t.starts_with("whsec_") => KeyError::WebhookSecret,
        _ => KeyError::UnknownPrefix,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_and_mode_come_from_the_prefix() {
        let key = ApiKey::parse("  rk_live_51AbCdEfGhIjKlMnOa1b2\n").unwrap();
        assert_eq!((key.kind(), key.mode()), (KeyKind::Restricted, Mode::Live));
        let key = ApiKey::parse("sk_test_51AbC").unwrap();
        assert_eq!((key.kind(), key.mode()), (KeyKind::Secret, Mode::Test));
    }

    #[test]
    fn what_is_not_an_api_key_is_refused_by_name_and_never_quoted() {
        let cases = [
            ("", KeyError::Empty),
            (" \n", KeyError::Empty),
            ("pk_live_51AbCdEfGh", KeyError::Publishable),
            ("whsec_51AbCdEfGh", KeyError::WebhookSecret),
            ("51AbCdEfGh", KeyError::UnknownPrefix),
            ("sk_live_", KeyError::Malformed),
            ("sk_live_51Ab CdEfGh", KeyError::Malformed),
            ("sk_live_51Ab\u{e9}EfGh", KeyError::Malformed),
        ];
        for (text, want) in cases {
            let got = ApiKey::parse(text).unwrap_err();
            assert_eq!(got, want, "{text}");
            assert!(!got.to_string().contains("51Ab"));
        }
    }

    #[test]
    fn printing_a_key_shows_its_mask_only() {
        let key = ApiKey::parse("rk_live_51AbCdEfGhIjKlMnOa1b2").unwrap();
        assert_eq!(format!("{key:?}"), "rk_live_…a1b2");
        let short = ApiKey::parse("sk_test_51AbCdEf").unwrap();
        assert_eq!(format!("{short:?}"), "sk_test_…");
    }
}

//! Who may: keys, permissions and the headers that are checked before anything is done (docs.stripe.com/keys).

use super::endpoints::ENDPOINTS;
use super::errors::Refusal;
use super::ids;
use super::pipeline::{Core, Incoming};

/// The two keys of an account.
pub(crate) struct Secrets {
    pub(crate) secret: String,
    pub(crate) restricted: String,
    pub(crate) revoked: bool,
    pub(crate) narrowed: bool,
    former: Vec<String>,
    seed: u64,
    mode: &'static str,
}

impl Secrets {
    /// Keys as a function of the seed.
    pub(crate) fn new(seed: u64, livemode: bool) -> Self {
        let mut new = Self {
            secret: String::new(),
            restricted: String::new(),
            revoked: false,
            narrowed: false,
            former: Vec::new(),
            seed,
            mode: if livemode { "live" } else { "test" },
        };
        new.make();
        new
    }

    /// Makes new keys; the old ones are expired from here on.
    pub(crate) fn renew(&mut self) {
        self.former.extend([
            std::mem::take(&mut self.secret),
            std::mem::take(&mut self.restricted),
        ]);
        (self.revoked, self.narrowed) = (false, false);
        self.make();
    }

    fn make(&mut self) {
        let (seed, generation) = (self.seed.to_be_bytes(), self.former.len().to_be_bytes());
        let key = |kind: &str| {
            let random = ids::alnum(ids::mix(&[kind.as_bytes(), &seed, &generation]), 40);
            format!("{kind}_{}_51{random}", self.mode)
        };
        (self.secret, self.restricted) = (key("sk"), key("rk"));
    }
}

impl Core {
    /// Whose key it is: `Ok(Some(key))` for the restricted one.
    pub(crate) fn authenticate(&self, authorization: Option<&str>) -> Result<Option<String>, Refusal> {
        let key = authorization.and_then(credential).filter(|k| !k.is_empty());
        let key = key.ok_or_else(Refusal::no_key)?;
        let restricted = key == self.secrets.restricted;
        let known = restricted || key == self.secrets.secret;
        if self.secrets.former.contains(&key) || (known && self.secrets.revoked) {
            return Err(Refusal::expired_key(&key));
        }
        if !known {
            return Err(Refusal::bad_key(&key));
        }
        Ok((restricted || self.secrets.narrowed).then_some(key))
    }

    /// The restricted key may read everything, except the account where the scenario says so.
    pub(crate) fn permit(&self, endpoint: usize, key: &str) -> Result<(), Refusal> {
        let endpoint = &ENDPOINTS[endpoint];
        // Asking what a bill would be changes nothing; that a key which may only read may ask is not documented.
        let asks = endpoint.path == "/v1/invoices/create_preview";
        let writes = endpoint.method != "GET" && !asks;
        let hidden =
            endpoint.resource == "account" && self.shared.behaviour.account_refused_to_restricted_keys;
        if !writes && !hidden {
            return Ok(());
        }
        let verb = if writes { "write" } else { "read" };
        Err(Refusal::forbidden(
            key,
            &format!("rak_{}_{verb}", endpoint.resource),
        ))
    }
}

/// Longest idempotency key.
const KEY_MAX: usize = 255;

pub(crate) fn check_headers(incoming: &Incoming) -> Result<(), Refusal> {
    if incoming.key.as_ref().is_some_and(|k| k.len() > KEY_MAX) {
        let message = format!("Idempotency keys can be at most {KEY_MAX} characters long.");
        return Err(Refusal::invalid("idempotency_key", message));
    }
    match incoming.version.as_deref().filter(|v| !is_version(v)) {
        None => Ok(()),
        Some(version) => {
            let message = format!("Invalid Stripe API version: {version}");
            Err(Refusal::invalid("stripe-version", message))
        }
    }
}

/// `2026-08-26.dahlia` or, as before 2024-09-30, a bare date.
fn is_version(text: &str) -> bool {
    let (date, name) = text.split_once('.').unwrap_or((text, "x"));
    let digits = date
        .split('-')
        .all(|part| part.bytes().all(|b| b.is_ascii_digit()));
    date.len() == 10 && date.split('-').count() == 3 && digits && !name.is_empty()
}

/// The key of a Bearer or Basic `Authorization` header.
fn credential(header: &str) -> Option<String> {
    let (scheme, rest) = header.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(base64(rest.trim())?).ok()?;
    Some(text.split(':').next().unwrap_or_default().to_owned())
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in text.bytes().filter(|b| *b != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from(bits >> held & 0xff).unwrap_or(0));
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_from_both_schemes() {
        assert_eq!(credential("Bearer sk_test_1").as_deref(), Some("sk_test_1"));
        assert_eq!(credential("Basic c2tfdGVzdF8xOg==").as_deref(), Some("sk_test_1"));
        assert_eq!(credential("Digest x"), None);
        assert_eq!(credential("Basic !!!"), None);
    }

    #[test]
    fn versions_are_dates_with_or_without_a_name() {
        for known in ["2026-08-26.dahlia", "2026-10-28.endive", "2020-08-27"] {
            assert!(is_version(known));
        }
        for unknown in ["", "latest", "2026-08-26.", "26-08-2026x", "2026-08-2x"] {
            assert!(!is_version(unknown), "{unknown}");
        }
    }
}

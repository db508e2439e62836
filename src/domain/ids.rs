//! Accounts, roles, stages, digests and effect ids.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// One of the two accounts of a move, by what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The old account: what is read, and made smaller.
    Source,
    /// The new account: what is written.
    Destination,
}

impl Role {
    /// Both, in the order they are always listed.
    pub const BOTH: [Self; 2] = [Self::Source, Self::Destination];

    /// `source` or `destination`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Destination => "destination",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// How real this is. Shown on every screen as a word, and part of every effect id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// Live keys: real customers, real money.
    Live,
    /// Test-mode or sandbox keys.
    Test,
    /// The two simulated accounts of this process.
    Rehearsal,
}

impl Environment {
    /// `LIVE`, `TEST` or `REHEARSAL`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Live => "LIVE",
            Self::Test => "TEST",
            Self::Rehearsal => "REHEARSAL",
        }
    }

    /// The `livemode` every object read in this environment must carry (facts: "mode is decided by the key only").
    #[must_use]
    pub const fn livemode(self) -> bool {
        matches!(self, Self::Live)
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// The stages of a cutover, in order. `Ord` follows that order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum StageId {
    /// Products, prices and tax rates.
    Catalogue,
    /// Customers and payment methods after the PAN copy, and the application's database.
    Mapping,
    /// Customer balances in every currency.
    Credits,
    /// Coupons, promotion codes, and discounts that are running.
    Coupons,
    /// Subscriptions, and schedules that begin them on the new account.
    Subscriptions,
}

impl StageId {
    /// The word used on the command line, in JSON, in the journal and in the configuration.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Catalogue => "catalogue",
            Self::Mapping => "mapping",
            Self::Credits => "credits",
            Self::Coupons => "coupons",
            Self::Subscriptions => "subscriptions",
        }
    }
}

impl fmt::Display for StageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A Stripe account id, `acct_…`. Opaque.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub String);

impl AccountId {
    /// The last four characters: what a person compares, and what an approval phrase may abbreviate to.
    #[must_use]
    pub fn tail(&self) -> &str {
        let start = self.0.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
        &self.0[start..]
    }

    /// Cut in the middle for narrow places: `acct_1Eu..9fT`. Never cut at the end, where ids differ.
    #[must_use]
    pub fn short(&self) -> String {
        short_id(&self.0)
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// An id cut in the middle: prefix, two dots, last four characters. Short ids stay whole.
#[must_use]
pub fn short_id(id: &str) -> String {
    let chars: Vec<char> = id.chars().collect();
    if chars.len() <= 15 {
        return id.to_owned();
    }
    let head: String = chars[..8].iter().collect();
    let tail: String = chars[chars.len() - 4..].iter().collect();
    format!("{head}..{tail}")
}

/// The two accounts of a move and how real they are. Pinned in the configuration, sealed in every plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounts {
    /// The old account.
    pub source: AccountId,
    /// The new account.
    pub destination: AccountId,
    /// How real both are.
    pub environment: Environment,
}

impl Accounts {
    /// The account in that role.
    #[must_use]
    pub const fn of(&self, role: Role) -> &AccountId {
        match role {
            Role::Source => &self.source,
            Role::Destination => &self.destination,
        }
    }
}

/// A SHA-256, written as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The hash of `parts` one after another, behind `domain`, which keeps hashes for different uses apart.
    #[must_use]
    pub fn of<'a>(domain: &str, parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Hashing::new(domain);
        for part in parts {
            hash.add(part);
        }
        hash.digest()
    }

    /// All 64 hex digits.
    #[must_use]
    pub fn hex(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.0)
    }

    /// The first twelve hex digits: what keys and markers carry.
    #[must_use]
    pub fn prefix12(&self) -> String {
        self.hex()[..12].to_owned()
    }

    /// `7f3a-91c2`: what people compare on a call. The rest is compared by the program.
    #[must_use]
    pub fn spoken(&self) -> String {
        let hex = self.hex();
        format!("{}-{}", &hex[..4], &hex[4..8])
    }

    /// Reads 64 hex digits; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = data_encoding::HEXLOWER_PERMISSIVE
            .decode(text.trim().as_bytes())
            .ok()?;
        Some(Self(bytes.try_into().ok()?))
    }
}

/// A [`Digest`] of parts that come one after another and are not kept.
#[derive(Clone)]
pub struct Hashing(Sha256);

impl Hashing {
    /// See [`Digest::of`].
    #[must_use]
    pub fn new(domain: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(domain.as_bytes());
        hash.update([0]);
        Self(hash)
    }

    /// The next part.
    pub fn add(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    /// Of all parts so far.
    #[must_use]
    pub fn digest(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.spoken())
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.hex())
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("a digest is 64 hex digits"))
    }
}

/// What an effect *is*, independent of the run, the plan and the attempt: the marker on the object it creates.
///
/// 26 base-32 characters of a hash over accounts, mode, stage, operation, subject and ordinal. It must not contain the
/// plan digest: a re-plan after a partial run would otherwise mint new identities for effects whose outcome is unknown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EffectId(pub String);

impl EffectId {
    /// See the type. `subject` is the old object (and currency); `ordinal` tells legitimate repeats apart.
    #[must_use]
    pub fn new(accounts: &Accounts, stage: StageId, op: &str, subject: &str, ordinal: u32) -> Self {
        let ordinal = ordinal.to_string();
        let mode = if accounts.environment.livemode() {
            "live"
        } else {
            "test"
        };
        let fields = [
            accounts.source.0.as_str(),
            &accounts.destination.0,
            mode,
            stage.word(),
            op,
            subject,
            &ordinal,
        ];
        let joined = fields.join("\0");
        let digest = Digest::of("cutover-effect-v1", [joined.as_bytes()]);
        let mut text = data_encoding::BASE32_NOPAD.encode(&digest.0).to_lowercase();
        text.truncate(26);
        Self(text)
    }
}

impl fmt::Display for EffectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> Accounts {
        Accounts {
            source: AccountId("acct_1OldOldOldOldOld".into()),
            destination: AccountId("acct_1NewNewNewNewNew".into()),
            environment: Environment::Test,
        }
    }

    #[test]
    fn an_effect_is_the_same_in_every_plan_and_differs_in_every_part_of_its_identity() {
        let id = |op: &str, subject: &str, ordinal| {
            EffectId::new(&accounts(), StageId::Credits, op, subject, ordinal)
        };
        let first = id("grant", "cus_1/usd", 0);
        assert_eq!(first, id("grant", "cus_1/usd", 0));
        assert_eq!(first.0.len(), 26);
        let mut swapped = accounts();
        std::mem::swap(&mut swapped.source, &mut swapped.destination);
        let others = [
            id("debit", "cus_1/usd", 0),
            id("grant", "cus_1/aud", 0),
            id("grant", "cus_1/usd", 1),
            EffectId::new(&swapped, StageId::Credits, "grant", "cus_1/usd", 0),
        ];
        assert!(others.iter().all(|other| *other != first));
    }

    #[test]
    fn ids_are_cut_in_the_middle_and_keep_the_end() {
        assert_eq!(
            AccountId("acct_1EuQ0000000009fT".into()).short(),
            "acct_1Eu..09fT"
        );
        assert_eq!(AccountId("acct_1EuQ0000000009fT".into()).tail(), "09fT");
        assert_eq!(short_id("cus_1"), "cus_1");
    }

    #[test]
    fn a_digest_survives_its_text_and_refuses_any_other() {
        let digest = Digest::of("x", [b"abc".as_slice()]);
        assert_eq!(Digest::parse(&digest.hex()), Some(digest));
        assert_eq!(Digest::parse("7f3a"), None);
        assert_eq!(digest.spoken().len(), 9);
    }
}

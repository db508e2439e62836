//! Payment methods as an account keeps them. Lean like customers: what nearly every method has is a typed field, what
//! few have lies in `more`.

use serde_json::{Map, Value};

use super::metadata::Metadata;
use super::pages::Row;

/// What sort of payment method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MethodKind {
    /// A card held as a payment method.
    Card,
    /// A card of the older sources interface, `card_…`; payment method lists show it too.
    LegacyCard,
    /// A bank account of the older sources interface, `ba_…`; payment method lists do not show it.
    LegacyBankAccount,
    /// A US bank account.
    UsBankAccount,
    /// A direct debit in the euro area.
    SepaDebit,
    /// A direct debit in the United Kingdom.
    BacsDebit,
    /// A direct debit in Australia.
    AuBecsDebit,
    /// Stripe's wallet.
    Link,
}

impl MethodKind {
    /// The kind of that name in a scenario.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "card" => Self::Card,
            "legacy_card" => Self::LegacyCard,
            "legacy_bank_account" => Self::LegacyBankAccount,
            "us_bank_account" => Self::UsBankAccount,
            "sepa_debit" => Self::SepaDebit,
            "bacs_debit" => Self::BacsDebit,
            "au_becs_debit" => Self::AuBecsDebit,
            "link" => Self::Link,
            _ => return None,
        })
    }

    /// `type` of the payment method, which is also the name of its hash.
    pub(crate) const fn type_name(self) -> &'static str {
        match self {
            Self::Card | Self::LegacyCard => "card",
            Self::UsBankAccount | Self::LegacyBankAccount => "us_bank_account",
            Self::SepaDebit => "sepa_debit",
            Self::BacsDebit => "bacs_debit",
            Self::AuBecsDebit => "au_becs_debit",
            Self::Link => "link",
        }
    }

    /// What its ids begin with.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::LegacyCard => "card_",
            Self::LegacyBankAccount => "ba_",
            _ => "pm_",
        }
    }

    /// Whether it belongs to the older interface: in `sources`, and able to be `default_source`.
    pub(crate) const fn is_source(self) -> bool {
        matches!(self, Self::LegacyCard | Self::LegacyBankAccount)
    }

    /// Whether the payment method interface shows it.
    pub(crate) const fn is_payment_method(self) -> bool {
        !matches!(self, Self::LegacyBankAccount)
    }
}

/// What only some methods have.
#[derive(Clone, Debug, Default)]
pub(crate) struct MethodMore {
    /// What the account-dependent fingerprint is made from; absent: brand, last four digits and expiry month.
    pub(crate) fingerprint: Option<Box<str>>,
    /// `card.wallet.type`.
    pub(crate) wallet: Option<&'static str>,
    pub(crate) metadata: Metadata,
    pub(crate) allow_redisplay: Option<&'static str>,
    /// Fields of `billing_details` that do not follow the customer.
    pub(crate) billing: Map<String, Value>,
    /// Fields of the type's own hash that differ from what is usual.
    pub(crate) details: Map<String, Value>,
}

/// A payment method.
#[derive(Clone)]
pub(crate) struct Method {
    pub(crate) id: Box<str>,
    pub(crate) created: i64,
    /// Slot of the customer it is attached to; `None` once it was detached, for good.
    pub(crate) customer: Option<u32>,
    pub(crate) kind: MethodKind,
    pub(crate) brand: &'static str,
    pub(crate) country: &'static str,
    pub(crate) last4: u16,
    pub(crate) exp_month: u8,
    pub(crate) exp_year: u16,
    pub(crate) debit: bool,
    pub(crate) more: Option<Box<MethodMore>>,
}

impl Method {
    /// The wallet it came from.
    pub(crate) fn wallet(&self) -> Option<&'static str> {
        self.more.as_ref().and_then(|more| more.wallet)
    }

    /// Whether the self-serve PAN copy takes it along: cards of either interface and US bank accounts; not debits of
    /// other countries, not Link, and not a card that lives in a wallet (docs.stripe.com, self-serve PAN copy).
    pub(crate) fn is_copyable(&self) -> bool {
        match self.kind {
            MethodKind::Card => self.wallet().is_none(),
            MethodKind::LegacyCard | MethodKind::LegacyBankAccount | MethodKind::UsBankAccount => true,
            MethodKind::SepaDebit | MethodKind::BacsDebit | MethodKind::AuBecsDebit | MethodKind::Link => {
                false
            }
        }
    }

    /// What few have, to change it.
    pub(crate) fn more_mut(&mut self) -> &mut MethodMore {
        self.more.get_or_insert_with(Box::default)
    }
}

impl Row for Method {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

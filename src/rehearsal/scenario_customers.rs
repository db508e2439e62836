//! Customers a scenario lists one by one (`[[customer]]`), for cases that chance would seldom make.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::currency::Cur;
use super::objects::tax_id_types;
use super::world::MethodKind;

/// One customer. See `assets/scenarios/midnight.toml` for every setting with a comment.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Listed {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    /// Metadata `region`; `us` moves, any other stays. Absent: `us`.
    pub(crate) region: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) created_days_ago: Option<u32>,
    /// Came after the copy.
    pub(crate) late: bool,
    pub(crate) deleted: Deleted,
    /// Absent: everybody with a method is.
    pub(crate) paying: Option<bool>,
    pub(crate) methods: Vec<ListedMethod>,
    pub(crate) address: Option<Place>,
    pub(crate) shipping: Option<Shipping>,
    pub(crate) description: Option<String>,
    pub(crate) locales: Vec<String>,
    pub(crate) tax_exempt: Option<String>,
    pub(crate) tax_ids: Vec<ListedTaxId>,
    pub(crate) footer: Option<String>,
    pub(crate) custom_fields: BTreeMap<String, String>,
    pub(crate) amount_tax_display: Option<String>,
    pub(crate) invoice_prefix: Option<String>,
    pub(crate) next_invoice_sequence: Option<u32>,
    /// By currency, in minor units; positive is credit.
    pub(crate) credit: BTreeMap<String, i64>,
}

/// Whether and when a customer was deleted on the old account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Deleted {
    /// Never.
    #[default]
    No,
    /// So that the copy does not know it.
    BeforeCopy,
    /// So that it lives on the new account alone.
    AfterCopy,
}

/// A payment method of such a customer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListedMethod {
    pub(crate) id: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) brand: Option<String>,
    pub(crate) last4: Option<String>,
    /// `MM/YYYY`.
    pub(crate) exp: Option<String>,
    #[serde(default)]
    pub(crate) default: AsDefault,
    /// Two with the same text have the same fingerprint within an account.
    pub(crate) fingerprint: Option<String>,
    /// Came after the copy.
    #[serde(default)]
    pub(crate) late: bool,
    pub(crate) wallet: Option<String>,
    #[serde(default)]
    pub(crate) debit: bool,
}

/// `default = true` in the invoice settings, `default = "source"` as the default source.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum AsDefault {
    InSettings(bool),
    Named(String),
}

impl Default for AsDefault {
    fn default() -> Self {
        Self::InSettings(false)
    }
}

/// A tax id of such a customer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListedTaxId {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) value: String,
}

/// An address.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Place {
    pub(crate) line1: String,
    pub(crate) city: String,
    pub(crate) state: String,
    pub(crate) postal_code: String,
    pub(crate) country: String,
}

/// Where goods go.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shipping {
    pub(crate) name: String,
    pub(crate) phone: Option<String>,
    #[serde(default)]
    pub(crate) address: Place,
}

/// Brands a card can have.
const BRANDS: [&str; 5] = ["visa", "mastercard", "amex", "discover", "jcb"];
/// Wallets a card can live in.
const WALLETS: [&str; 2] = ["apple_pay", "google_pay"];

impl ListedMethod {
    /// What sort it is; [`Listed::problem`] has refused unknown ones.
    pub(crate) fn kind(&self) -> MethodKind {
        MethodKind::parse(&self.kind).unwrap_or(MethodKind::Card)
    }

    /// A card's brand.
    pub(crate) fn brand(&self) -> &'static str {
        let wanted = self.brand.as_deref().unwrap_or("visa");
        BRANDS.into_iter().find(|b| *b == wanted).unwrap_or("visa")
    }

    /// The wallet it lives in.
    pub(crate) fn wallet(&self) -> Option<&'static str> {
        let wanted = self.wallet.as_deref()?;
        WALLETS.into_iter().find(|w| *w == wanted)
    }

    /// The last four digits.
    pub(crate) fn last4(&self) -> Option<u16> {
        let text = self.last4.as_deref().unwrap_or("4242");
        let digits = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|_| digits)
    }

    /// Month and year of expiry.
    pub(crate) fn exp(&self) -> Option<(u8, u16)> {
        let (month, year) = self.exp.as_deref().unwrap_or("12/2030").split_once('/')?;
        let (month, year) = (month.parse().ok()?, year.parse().ok()?);
        ((1..=12).contains(&month) && (1970..=2100).contains(&year)).then_some((month, year))
    }

    /// Whether it is the default of the invoice settings.
    pub(crate) const fn is_default(&self) -> bool {
        matches!(self.default, AsDefault::InSettings(true))
    }

    /// Whether it is the default source.
    pub(crate) const fn is_default_source(&self) -> bool {
        matches!(self.default, AsDefault::Named(_))
    }

    fn problem(&self) -> Option<String> {
        let Some(kind) = MethodKind::parse(&self.kind) else {
            return Some(format!(
                "there is no payment method type {}: use card, legacy_card, legacy_bank_account, us_bank_account, \
                 sepa_debit, bacs_debit, au_becs_debit or link",
                self.kind
            ));
        };
        if self.brand.as_deref().is_some_and(|b| !BRANDS.contains(&b)) {
            return Some(format!("brand must be one of {}", BRANDS.join(", ")));
        }
        let is_card = kind == MethodKind::Card;
        if self
            .wallet
            .as_deref()
            .is_some_and(|w| !is_card || !WALLETS.contains(&w))
        {
            return Some(format!("wallet is for a card, and one of {}", WALLETS.join(", ")));
        }
        if self.last4().is_none() {
            return Some("last4 must be four digits in quotes".into());
        }
        if self.exp().is_none() {
            return Some("exp must be a month and a year, such as \"12/2030\"".into());
        }
        match &self.default {
            AsDefault::Named(name) if name != "source" || !kind.is_source() => Some(
                "default must be true, false or, for legacy_card and legacy_bank_account, \"source\"".into(),
            ),
            AsDefault::InSettings(true) if !kind.is_payment_method() => {
                Some("a legacy_bank_account can only be the default \"source\"".into())
            }
            _ => None,
        }
    }
}

impl Listed {
    /// The region it lives in.
    pub(crate) fn region(&self) -> &str {
        self.region.as_deref().unwrap_or("us")
    }

    /// What is wrong with it, as one sentence.
    pub(crate) fn problem(&self) -> Option<String> {
        if self
            .id
            .as_deref()
            .is_some_and(|id| !id.starts_with("cus_") || id.len() > 255)
        {
            return Some("id must begin with cus_".into());
        }
        if self.late && self.deleted != Deleted::No {
            return Some("late customers are not deleted: leave one of the two away".into());
        }
        if let Some(unknown) = self.credit.keys().find(|c| Cur::parse(c).is_none()) {
            return Some(format!("there is no currency {unknown}"));
        }
        let exempt = self.tax_exempt.as_deref().unwrap_or("none");
        if !["none", "exempt", "reverse"].contains(&exempt) {
            return Some("tax_exempt must be none, exempt or reverse".into());
        }
        let types = tax_id_types::TYPES;
        if let Some(id) = self.tax_ids.iter().find(|id| !types.contains(&id.kind.as_str())) {
            return Some(format!("there is no type of tax id {}", id.kind));
        }
        let defaults = self.methods.iter().filter(|m| m.is_default()).count();
        let sources = self.methods.iter().filter(|m| m.is_default_source()).count();
        if defaults > 1 || sources > 1 {
            return Some("only one method can be the default, and one the default source".into());
        }
        self.methods.iter().find_map(ListedMethod::problem)
    }
}

/// The first of them that is wrong, and what is.
pub(crate) fn problem(customers: &[Listed]) -> Option<(usize, String)> {
    let mut seen = std::collections::BTreeSet::new();
    customers.iter().enumerate().find_map(|(n, customer)| {
        if let Some(problem) = customer.problem() {
            return Some((n, problem));
        }
        let of_methods = customer.methods.iter().filter_map(|m| m.id.as_deref());
        let mut ids = customer.id.as_deref().into_iter().chain(of_methods);
        let twice = ids.find(|id| !seen.insert((*id).to_owned()));
        twice.map(|id| (n, format!("the id {id} is used twice")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(toml: &str) -> Option<String> {
        toml::from_str::<Listed>(toml).unwrap().problem()
    }

    #[test]
    fn what_could_not_be_made_is_refused_and_what_can_is_not() {
        let right = "region = \"us\"\nmethods = [{ type = \"legacy_card\", last4 = \"0005\", exp = \"1/2031\", default = \
                     \"source\" }]\ncredit = { usd = -5 }\ndeleted = \"after-copy\"";
        assert_eq!(said(right), None);
        for (wrong, word) in [
            ("id = \"ada\"", "cus_"),
            ("late = true\ndeleted = \"before-copy\"", "late"),
            ("credit = { zzz = 1 }", "zzz"),
            ("tax_exempt = \"yes\"", "reverse"),
            ("tax_ids = [{ type = \"xx_vat\", value = \"1\" }]", "xx_vat"),
            ("methods = [{ type = \"cash\" }]", "cash"),
            ("methods = [{ type = \"card\", brand = \"maestro\" }]", "brand"),
            (
                "methods = [{ type = \"link\", wallet = \"apple_pay\" }]",
                "wallet",
            ),
            ("methods = [{ type = \"card\", last4 = \"42\" }]", "last4"),
            ("methods = [{ type = \"card\", exp = \"13/2030\" }]", "exp"),
            ("methods = [{ type = \"card\", default = \"source\" }]", "default"),
            (
                "methods = [{ type = \"card\", default = true }, { type = \"card\", default = true }]",
                "only one",
            ),
        ] {
            let problem = said(wrong).unwrap_or_default();
            assert!(problem.contains(word), "{wrong}: {problem}");
        }
    }

    #[test]
    fn an_id_used_twice_is_refused_with_its_customer() {
        let one = |text: &str| toml::from_str::<Listed>(text).unwrap();
        let card = "id = \"cus_b\"\nmethods = [{ type = \"card\", id = \"cus_a\" }]";
        assert_eq!(problem(&[one("id = \"cus_a\""), one(card)]).unwrap().0, 1);
        assert_eq!(
            problem(&[one("id = \"cus_a\""), one("id = \"cus_b\""), one("")]),
            None
        );
    }
}

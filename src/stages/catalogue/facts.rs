//! What the stage knows: both accounts' catalogues, what live subscriptions use of the old one, and the tax set-ups.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::fields::{self, Fields, UNSPECIFIED};
use crate::domain::money::{Currency, Money};
use crate::domain::text::{Safe, safe};
use crate::domain::write::marker;
pub use crate::stages::Read;
use crate::stripe::wire::{Decimal, Price, Product, Recurring, TaxRate};

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `/v1/products`
    Product,
    /// `/v1/prices`
    Price,
    /// A product's `default_price`.
    DefaultPrice,
    /// `/v1/tax_rates`
    TaxRate,
    /// `/v1/payment_links`
    PaymentLink,
}

impl Kind {
    /// Stripe's word for it, as in [`crate::domain::mapped::Mapped`].
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Price => "price",
            Self::DefaultPrice => "default_price",
            Self::TaxRate => "tax_rate",
            Self::PaymentLink => "payment_link",
        }
    }

    /// The words on screen.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Price => "price",
            Self::DefaultPrice => "default price",
            Self::TaxRate => "tax rate",
            Self::PaymentLink => "payment link",
        }
    }

    /// The list it stands in.
    #[must_use]
    pub const fn list(self) -> &'static str {
        match self {
            Self::Product | Self::DefaultPrice => "/v1/products",
            Self::Price => "/v1/prices",
            Self::TaxRate => "/v1/tax_rates",
            Self::PaymentLink => "/v1/payment_links",
        }
    }
}

/// A product, a price or a tax rate of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Id.
    pub id: String,
    /// Which of the three.
    pub kind: Kind,
    /// Name, nickname or display name.
    pub label: Safe,
    /// Whether it can be used for something new.
    pub active: bool,
    /// Of a price: its product.
    pub product: String,
    /// Of a product: its default price.
    pub default_price: Option<String>,
    /// Of a price.
    pub lookup_key: Option<String>,
    /// Everything that can be set when it is created.
    pub fields: Fields,
    /// `metadata[cutover_of]`.
    pub of: Option<String>,
    /// Metadata keys that are not ours.
    pub own_keys: usize,
    /// Of a price that this program does not make.
    pub special: Option<Special>,
    /// It was made for one subscription and stands in no list.
    pub inline: bool,
    /// Why it cannot be copied: rule and sentence.
    pub trouble: Option<(String, String)>,
    /// What it costs, in short.
    pub terms: String,
    /// The answer that listed it.
    pub read: Read,
}

/// Prices this program does not make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Special {
    /// By usage.
    Metered,
    /// "Pay what you want".
    CustomAmount,
}

/// A payment link of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Id.
    pub id: String,
    /// Whether its address works.
    pub active: bool,
    /// The address.
    pub url: Safe,
    /// Prices behind it.
    pub prices: Vec<String>,
    /// It has more prices than were read.
    pub cut: bool,
    /// The answer that listed it.
    pub read: Read,
}

/// One account's catalogue, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelf {
    /// Products.
    pub products: BTreeMap<String, Item>,
    /// Prices.
    pub prices: BTreeMap<String, Item>,
    /// Tax rates.
    pub tax_rates: BTreeMap<String, Item>,
    /// Payment links.
    pub links: BTreeMap<String, Link>,
}

/// What live subscriptions of customers in scope use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Price ids.
    pub prices: BTreeSet<String>,
    /// Tax rate ids.
    pub tax_rates: BTreeSet<String>,
    /// Subscriptions whose answer did not hold all their items.
    pub cut: BTreeSet<String>,
}

/// One account's set-up for tax. `None`: it could not be read, which is not the same as nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tax {
    /// Settings.
    pub settings: Option<TaxAssumes>,
    /// Places registered in, `us/ca state_sales_tax`.
    pub registrations: Option<BTreeSet<String>>,
    /// Why something could not be read.
    pub refused: Vec<String>,
}

/// What Stripe Tax assumes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxAssumes {
    /// Automatic tax can be calculated.
    pub active: bool,
    /// For prices that say nothing.
    pub behavior: Option<String>,
    /// For products that say nothing.
    pub code: Option<String>,
}

/// Everything that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct World {
    /// The old account.
    pub source: Shelf,
    /// The new account.
    pub destination: Shelf,
    /// On the old account.
    pub usage: Usage,
    /// Of the old account.
    pub source_tax: Tax,
    /// Of the new account.
    pub destination_tax: Tax,
}

impl Item {
    /// A product as listed.
    #[must_use]
    pub fn of_product(product: &Product, read: Read) -> Self {
        Self {
            label: safe(&product.name),
            default_price: product.default_price.clone(),
            own_keys: fields::own_keys(&product.metadata),
            of: product.metadata.get(marker::OF).cloned(),
            ..Self::bare(
                Kind::Product,
                &product.id,
                product.active,
                fields::of_product(product),
                read,
            )
        }
    }

    /// A price as listed.
    #[must_use]
    pub fn of_price(price: &Price, read: Read) -> Self {
        Self {
            label: safe(price.nickname.as_deref().unwrap_or_default()),
            product: price.product.clone(),
            lookup_key: price.lookup_key.clone(),
            own_keys: fields::own_keys(&price.metadata),
            of: price.metadata.get(marker::OF).cloned(),
            special: special_of(price),
            trouble: trouble_of(price),
            terms: terms_of(price),
            ..Self::bare(
                Kind::Price,
                &price.id,
                price.active,
                fields::of_price(price),
                read,
            )
        }
    }

    /// A tax rate as listed.
    #[must_use]
    pub fn of_tax_rate(rate: &TaxRate, read: Read) -> Self {
        let how = if rate.inclusive { "inclusive" } else { "exclusive" };
        let amount = "the tax is an amount, and the API creates only percentages; create it by hand";
        Self {
            label: safe(&rate.display_name),
            own_keys: fields::own_keys(&rate.metadata),
            of: rate.metadata.get(marker::OF).cloned(),
            trouble: rate
                .flat_amount
                .is_some()
                .then(|| ("flat_amount".to_owned(), amount.to_owned())),
            terms: format!("{} % {how}", rate.percentage.as_str()),
            ..Self::bare(
                Kind::TaxRate,
                &rate.id,
                rate.active,
                fields::of_tax_rate(rate),
                read,
            )
        }
    }

    fn bare(kind: Kind, id: &str, active: bool, fields: Fields, read: Read) -> Self {
        Self {
            id: id.to_owned(),
            kind,
            label: Safe::default(),
            active,
            product: String::new(),
            default_price: None,
            lookup_key: None,
            fields,
            of: None,
            own_keys: 0,
            special: None,
            inline: false,
            trouble: None,
            terms: String::new(),
            read,
        }
    }

    /// Whether its tax is left to the account's settings.
    #[must_use]
    pub fn leaves_tax_to_account(&self) -> bool {
        match self.kind {
            Kind::Price => self.fields.get("tax_behavior") == Some(UNSPECIFIED),
            Kind::Product => self.fields.get("tax_code").is_none(),
            _ => false,
        }
    }
}

/// Currencies whose tiers must be asked for by name, and were not in the answer.
#[must_use]
pub fn currencies_without_tiers(price: &Price) -> Vec<String> {
    if price.billing_scheme != "tiered" {
        return Vec::new();
    }
    fields::other_currencies(price)
        .filter(|(_, option)| option.tiers.is_none())
        .map(|(code, _)| code.to_owned())
        .collect()
}

fn special_of(price: &Price) -> Option<Special> {
    let by_usage = |recurring: &Recurring| recurring.usage_type == "metered" || recurring.meter.is_some();
    if price.recurring.as_ref().is_some_and(by_usage) {
        return Some(Special::Metered);
    }
    let free = price.custom_unit_amount.is_some()
        || fields::other_currencies(price).any(|(_, option)| option.custom_unit_amount.is_some());
    free.then_some(Special::CustomAmount)
}

/// Why a price cannot be copied as it was read. What is missing is not zero.
fn trouble_of(price: &Price) -> Option<(String, String)> {
    let unread = |why: String| Some(("unreadable".to_owned(), why));
    let tiered = price.billing_scheme == "tiered";
    if tiered && price.tiers.as_ref().is_none_or(Vec::is_empty) {
        return unread("its tiers were not in the answer".to_owned());
    }
    let missing = currencies_without_tiers(price);
    if !missing.is_empty() {
        return unread(format!(
            "its tiers in {} were not in the answer",
            safe(&missing.join(", "))
        ));
    }
    let priced = price.unit_amount.is_some() || price.unit_amount_decimal.is_some();
    if !tiered && !priced && price.custom_unit_amount.is_none() {
        return unread("it has no amount in the answer".to_owned());
    }
    amounts_disagree(price).and_then(unread)
}

/// The whole number and the decimal are two spellings of one amount.
fn amounts_disagree(price: &Price) -> Option<String> {
    let mut pairs = vec![(
        "unit_amount",
        price.unit_amount,
        price.unit_amount_decimal.as_ref(),
    )];
    for (_, option) in fields::other_currencies(price) {
        pairs.push((
            "unit_amount",
            option.unit_amount,
            option.unit_amount_decimal.as_ref(),
        ));
    }
    let options = price.currency_options.iter().flatten();
    let more = options.filter_map(|(_, option)| option.tiers.as_ref());
    for tier in price.tiers.iter().chain(more).flatten() {
        pairs.push(("unit_amount", tier.unit_amount, tier.unit_amount_decimal.as_ref()));
        pairs.push(("flat_amount", tier.flat_amount, tier.flat_amount_decimal.as_ref()));
    }
    pairs.into_iter().find_map(|(name, whole, decimal)| {
        let (whole, decimal) = (whole?, decimal?);
        let same = Decimal::parse(&whole.to_string()).as_ref() == Some(decimal);
        (!same).then(|| format!("{name} is {whole}, and {name}_decimal is {}", decimal.as_str()))
    })
}

fn terms_of(price: &Price) -> String {
    let code = safe(&price.currency).to_string();
    let amount = match (
        price.unit_amount,
        &price.unit_amount_decimal,
        &price.custom_unit_amount,
    ) {
        (_, _, Some(_)) => format!("any amount in {code}"),
        (Some(whole), _, _) => Currency::parse(&price.currency).map_or_else(
            |_| format!("{whole} {code}"),
            |currency| Money::new(whole, currency).to_string(),
        ),
        (None, Some(decimal), _) => format!("{} minor units of {code}", decimal.as_str()),
        (None, None, None) => {
            let mode = price.tiers_mode.as_deref().unwrap_or("without amount");
            let tiers = price.tiers.as_ref().map_or(0, Vec::len);
            format!("{code}, {tiers} tiers, {}", safe(mode))
        }
    };
    let every = price.recurring.as_ref().map(|recurring| {
        let interval = safe(&recurring.interval);
        match recurring.interval_count {
            1 => format!(" / {interval}"),
            n => format!(" / {n} {interval}s"),
        }
    });
    let more = fields::other_currencies(price).count();
    let more = if more > 0 {
        format!(" (+{more} currencies)")
    } else {
        String::new()
    };
    format!("{amount}{}{more}", every.unwrap_or_default())
}

//! `expand[]`: a whitelist by kind of object, from the `OpenAPI` document's expandable fields plus
//! `invoice_credit_balance`, which the document omits.

use super::errors::Refusal;

/// Stands for every name of a map.
const ANY: &str = "*";
/// Deepest path that may be expanded, a list's `data` counted.
const MAX_DEPTH: usize = 4;

/// What a field that may be expanded leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Customer,
    BalanceTransaction,
    CashBalance,
    CashTransaction,
    Grant,
    Summary,
    Method,
    Account,
    Event,
    InvoiceSettings,
    /// A card or bank account of the older interface.
    Source,
    TaxId,
    TaxIdOwner,
    Product,
    Price,
    /// `currency_options` of a price: any currency leads on.
    CurrencyOptions,
    CurrencyOption,
    TaxRate,
    TaxSettings,
    Registration,
    PaymentLink,
    /// A list inside a payment link.
    LineItems,
    LineItem,
    Subscription,
    Schedule,
    SchedulePhase,
    ScheduleItem,
    ScheduleDefaults,
    /// A coupon that stands for a discount to come.
    Stackable,
    Invoice,
    InvoiceLines,
    InvoiceLine,
    InvoiceParent,
    InvoiceSubscription,
    /// A list inside a subscription.
    SubscriptionItems,
    SubscriptionItem,
    /// A list inside a customer.
    Subscriptions,
    Coupon,
    PromotionCode,
    Promotion,
    Restrictions,
    Discount,
    DiscountSource,
    /// Nothing below it may be expanded.
    Leaf,
}

impl Kind {
    #[expect(clippy::too_many_lines, reason = "one table, a line per field")]
    fn fields(self) -> &'static [(&'static str, Self)] {
        use Kind::{CashBalance, Customer, InvoiceSettings, Leaf, Method};
        match self {
            Customer => &[
                ("address", Leaf),
                ("cash_balance", CashBalance),
                ("default_source", Kind::Source),
                ("discount", Kind::Discount),
                ("invoice_credit_balance", Leaf),
                ("invoice_settings", InvoiceSettings),
                ("shipping", Leaf),
                ("sources", Leaf),
                ("subscriptions", Kind::Subscriptions),
                ("tax", Leaf),
                ("tax_ids", Leaf),
                ("test_clock", Leaf),
            ],
            InvoiceSettings | Kind::ScheduleDefaults => &[("default_payment_method", Method)],
            Kind::Source | Kind::TaxIdOwner => &[("customer", Customer)],
            Kind::TaxId => &[
                ("customer", Customer),
                ("owner", Kind::TaxIdOwner),
                ("verification", Leaf),
            ],
            Kind::BalanceTransaction => &[
                ("checkout_session", Leaf),
                ("credit_note", Leaf),
                ("customer", Customer),
                ("invoice", Leaf),
            ],
            CashBalance => &[("settings", Leaf)],
            Kind::CashTransaction => &[("customer", Customer), ("funded", Leaf)],
            Kind::Grant => &[
                ("amount", Leaf),
                ("applicability_config", Leaf),
                ("customer", Customer),
                ("test_clock", Leaf),
            ],
            Kind::Summary => &[("balances", Leaf), ("customer", Customer)],
            Method => &[
                ("au_becs_debit", Leaf),
                ("bacs_debit", Leaf),
                ("billing_details", Leaf),
                ("card", Leaf),
                ("customer", Customer),
                ("link", Leaf),
                ("sepa_debit", Leaf),
                ("us_bank_account", Leaf),
            ],
            Kind::Account => &[
                ("business_profile", Leaf),
                ("capabilities", Leaf),
                ("controller", Leaf),
                ("external_accounts", Leaf),
                ("requirements", Leaf),
                ("settings", Leaf),
                ("tos_acceptance", Leaf),
            ],
            Kind::Event => &[("data", Leaf), ("request", Leaf)],
            Kind::Product => &[
                ("default_price", Kind::Price),
                ("marketing_features", Leaf),
                ("package_dimensions", Leaf),
                ("tax_code", Leaf),
            ],
            Kind::Price => &[
                ("currency_options", Kind::CurrencyOptions),
                ("custom_unit_amount", Leaf),
                ("product", Kind::Product),
                ("recurring", Leaf),
                ("tiers", Leaf),
                ("transform_quantity", Leaf),
            ],
            Kind::CurrencyOptions => &[(ANY, Kind::CurrencyOption)],
            Kind::CurrencyOption => &[("custom_unit_amount", Leaf), ("tiers", Leaf)],
            Kind::TaxRate => &[("flat_amount", Leaf)],
            Kind::TaxSettings => &[
                ("defaults", Leaf),
                ("head_office", Leaf),
                ("status_details", Leaf),
            ],
            Kind::Registration => &[("country_options", Leaf)],
            Kind::PaymentLink => &[("line_items", Kind::LineItems)],
            Kind::LineItems => &[("data", Kind::LineItem)],
            Kind::LineItem => &[("price", Kind::Price)],
            Kind::Subscription => &[
                ("customer", Customer),
                ("default_payment_method", Method),
                ("default_source", Leaf),
                ("default_tax_rates", Kind::TaxRate),
                ("discounts", Kind::Discount),
                ("items", Kind::SubscriptionItems),
                ("latest_invoice", Kind::Invoice),
                ("schedule", Kind::Schedule),
                ("test_clock", Leaf),
            ],
            Kind::Schedule => &[
                ("customer", Customer),
                ("default_settings", Kind::ScheduleDefaults),
                ("phases", Kind::SchedulePhase),
                ("subscription", Kind::Subscription),
            ],
            Kind::SchedulePhase => &[
                ("default_payment_method", Method),
                ("discounts", Kind::Stackable),
                ("items", Kind::ScheduleItem),
            ],
            Kind::ScheduleItem => &[("discounts", Kind::Stackable), ("price", Kind::Price)],
            Kind::Invoice => &[
                ("customer", Customer),
                ("default_payment_method", Method),
                ("discounts", Kind::Discount),
                ("lines", Kind::InvoiceLines),
                ("parent", Kind::InvoiceParent),
            ],
            Kind::InvoiceLines => &[("data", Kind::InvoiceLine)],
            Kind::InvoiceLine => &[
                ("discounts", Kind::Discount),
                ("subscription", Kind::Subscription),
            ],
            Kind::InvoiceParent => &[("subscription_details", Kind::InvoiceSubscription)],
            Kind::InvoiceSubscription => &[("subscription", Kind::Subscription)],
            Kind::SubscriptionItems => &[("data", Kind::SubscriptionItem)],
            Kind::SubscriptionItem => &[
                ("discounts", Kind::Discount),
                ("price", Kind::Price),
                ("tax_rates", Kind::TaxRate),
            ],
            Kind::Subscriptions => &[("data", Kind::Subscription)],
            Kind::Coupon => &[("applies_to", Leaf), ("currency_options", Leaf)],
            Kind::PromotionCode => &[
                ("customer", Customer),
                ("promotion", Kind::Promotion),
                ("restrictions", Kind::Restrictions),
            ],
            Kind::Promotion | Kind::DiscountSource => &[("coupon", Kind::Coupon)],
            Kind::Stackable => &[
                ("coupon", Kind::Coupon),
                ("discount", Kind::Discount),
                ("promotion_code", Kind::PromotionCode),
            ],
            Kind::Restrictions => &[("currency_options", Leaf)],
            Kind::Discount => &[
                ("customer", Customer),
                ("promotion_code", Kind::PromotionCode),
                ("source", Kind::DiscountSource),
            ],
            Leaf => &[],
        }
    }
}

/// The checked paths of a request, relative to the object being shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expand(Vec<String>);

impl Expand {
    /// Checks `paths` for an object of `kind`, or for a list of them.
    pub(crate) fn check(paths: &[&str], kind: Kind, list: bool) -> Result<Self, Refusal> {
        let mut kept = Vec::new();
        for path in paths {
            if path.split('.').count() > MAX_DEPTH {
                let message =
                    format!("You cannot expand more than {MAX_DEPTH} levels of a property. Property: {path}");
                return Err(Refusal::invalid_code(
                    "expand",
                    "property_expansion_max_depth",
                    message,
                ));
            }
            let inner = match (list, path.strip_prefix("data.")) {
                (true, Some(inner)) => Some(inner),
                (true, None) => None,
                (false, _) => Some(*path),
            };
            match inner.filter(|inner| allowed(inner, kind)) {
                Some(inner) => kept.push(inner.to_owned()),
                None => return Err(refused(path, kind, list)),
            }
        }
        Ok(Self(kept))
    }

    /// Whether the field, or something below it, is asked for.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.0.iter().any(|p| first(p) == field)
    }

    /// The paths below a field.
    pub(crate) fn below(&self, field: &str) -> Self {
        let inner = |p: &String| p.strip_prefix(field)?.strip_prefix('.').map(str::to_owned);
        Self(self.0.iter().filter_map(inner).collect())
    }
}

fn first(path: &str) -> &str {
    path.split('.').next().unwrap_or(path)
}

fn allowed(path: &str, kind: Kind) -> bool {
    let mut kind = kind;
    path.split('.').all(|part| {
        let found = kind
            .fields()
            .iter()
            .find(|(name, _)| *name == part || *name == ANY);
        found.is_some_and(|(_, below)| {
            kind = *below;
            true
        })
    })
}

fn refused(path: &str, kind: Kind, list: bool) -> Refusal {
    let mut message = format!("This property cannot be expanded ({path}).");
    if list && allowed(path, kind) {
        message = format!("{message} You may want to try expanding 'data.{path}' instead.");
    }
    Refusal::invalid("expand", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_want_the_data_prefix_and_say_so() {
        let refused = Expand::check(&["tax_ids"], Kind::Customer, true).unwrap_err();
        assert_eq!(
            refused.message,
            "This property cannot be expanded (tax_ids). You may want to try expanding 'data.tax_ids' instead."
        );
        assert!(Expand::check(&["data.invoice_credit_balance"], Kind::Customer, true).is_ok());
    }

    #[test]
    fn a_path_of_five_levels_is_refused_with_the_data_of_a_list_counted() {
        let path = "data.items.data.price.product";
        let refused = Expand::check(&[path], Kind::Subscription, true).unwrap_err();
        assert_eq!(refused.code, Some("property_expansion_max_depth"));
        assert_eq!(
            refused.message,
            "You cannot expand more than 4 levels of a property. Property: data.items.data.price.product"
        );
        assert!(Expand::check(&["items.data.price.product"], Kind::Subscription, false).is_ok());
        assert!(Expand::check(&["data.currency_options.aud.tiers"], Kind::Price, true).is_ok());
        assert!(Expand::check(&["data.currency_options.aud.nonsense"], Kind::Price, true).is_err());
    }

    #[test]
    fn paths_lead_into_the_expanded_object() {
        let expand = Expand::check(
            &["customer.invoice_credit_balance"],
            Kind::BalanceTransaction,
            false,
        )
        .unwrap();
        assert!(expand.has("customer"));
        assert!(expand.below("customer").has("invoice_credit_balance"));
        assert!(!expand.below("customer").has("tax"));
        assert!(Expand::check(&["nonsense"], Kind::Customer, false).is_err());
        assert!(Expand::check(&["address.city"], Kind::Customer, false).is_err());
    }
}

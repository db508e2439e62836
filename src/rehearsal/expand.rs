//! `expand[]`: a whitelist by kind of object, from the `OpenAPI` document's expandable fields plus
//! `invoice_credit_balance`, which the document omits.

use super::errors::Refusal;

/// Deepest path that may be expanded.
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
    /// Nothing below it may be expanded.
    Leaf,
}

impl Kind {
    fn fields(self) -> &'static [(&'static str, Self)] {
        use Kind::{CashBalance, Customer, InvoiceSettings, Leaf, Method};
        match self {
            Customer => &[
                ("address", Leaf),
                ("cash_balance", CashBalance),
                ("default_source", Leaf),
                ("discount", Leaf),
                ("invoice_credit_balance", Leaf),
                ("invoice_settings", InvoiceSettings),
                ("shipping", Leaf),
                ("sources", Leaf),
                ("subscriptions", Leaf),
                ("tax", Leaf),
                ("tax_ids", Leaf),
                ("test_clock", Leaf),
            ],
            InvoiceSettings => &[("default_payment_method", Method)],
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
                ("billing_details", Leaf),
                ("card", Leaf),
                ("customer", Customer),
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
    path.split('.').count() <= MAX_DEPTH
        && path.split('.').all(|part| {
            let found = kind.fields().iter().find(|(name, _)| *name == part);
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

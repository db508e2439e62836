//! The allow-list: which (method, path) may ever be asked of which account. Checked before the network, so a swapped
//! key, a wrong role or a bug in a stage dies here (invariant I15). Whatever moves customers' money for good (charges,
//! payments, refunds, payouts, transfers) has no row, and there is no DELETE at all. PURE.

use std::fmt;

use percent_encoding::{percent_decode_str, utf8_percent_encode};
use thiserror::Error;

use super::form::ESCAPED;
pub use crate::domain::ids::Role;

/// HTTP methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates and updates.
    Post,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "GET",
            Self::Post => "POST",
        })
    }
}

/// A row of the allow-list: the unit that Stripe limits to 25 requests a second, and the key of pacing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    /// Method.
    pub method: Method,
    /// Path with `{}` for each id, `/v1/customers/{}/balance_transactions`.
    pub template: &'static str,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.template)
    }
}

/// A request that is not on the list; nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{method} {path} is not on the allow-list of the {role} account, so it was not sent; this is a fault in cutover"
)]
pub struct Refused {
    /// The account's role.
    pub role: Role,
    /// Method asked for.
    pub method: Method,
    /// Path asked for, cut at 200 characters.
    pub path: String,
}

const BOTH: &[Role] = &[Role::Source, Role::Destination];
const NEW: &[Role] = &[Role::Destination];

/// Method, template, roles. One row per endpoint that a stage, the engine or a check uses.
const RULES: &[(Method, &str, &[Role])] = &[
    (Method::Get, "/v1/account", BOTH),
    (Method::Get, "/v1/customers", BOTH),
    (Method::Get, "/v1/customers/{}", BOTH),
    (Method::Get, "/v1/customers/{}/balance_transactions", BOTH),
    (Method::Get, "/v1/customers/{}/balance_transactions/{}", BOTH),
    (Method::Get, "/v1/customers/{}/cash_balance", BOTH),
    (Method::Get, "/v1/customers/{}/cash_balance_transactions", BOTH),
    (Method::Get, "/v1/customers/{}/payment_methods", BOTH),
    (Method::Get, "/v1/payment_methods", BOTH),
    (Method::Get, "/v1/payment_methods/{}", BOTH),
    (Method::Get, "/v1/billing/credit_grants", BOTH),
    (Method::Get, "/v1/billing/credit_grants/{}", BOTH),
    (Method::Get, "/v1/billing/credit_balance_summary", BOTH),
    (Method::Get, "/v1/customers/{}/tax_ids", BOTH),
    (Method::Get, "/v1/customers/{}/sources", BOTH),
    (Method::Get, "/v1/products", BOTH),
    (Method::Get, "/v1/products/{}", BOTH),
    (Method::Get, "/v1/prices", BOTH),
    (Method::Get, "/v1/prices/{}", BOTH),
    (Method::Get, "/v1/tax_rates", BOTH),
    (Method::Get, "/v1/tax_rates/{}", BOTH),
    (Method::Get, "/v1/tax/settings", BOTH),
    (Method::Get, "/v1/tax/registrations", BOTH),
    (Method::Get, "/v1/payment_links", BOTH),
    (Method::Get, "/v1/payment_links/{}/line_items", BOTH),
    (Method::Get, "/v1/subscriptions", BOTH),
    (Method::Get, "/v1/events", BOTH),
    (Method::Get, "/v1/events/{}", BOTH),
    // Credits: the grant on the new account, the opposite entry (`drain`) and compensations on either.
    (Method::Post, "/v1/customers/{}/balance_transactions", BOTH),
    // An equal billing credit grant, chosen and signed for by a person.
    (Method::Post, "/v1/billing/credit_grants", NEW),
    // Catalogue: objects created, and a product's default price set once its prices exist.
    (Method::Post, "/v1/products", NEW),
    (Method::Post, "/v1/products/{}", NEW),
    (Method::Post, "/v1/prices", NEW),
    (Method::Post, "/v1/tax_rates", NEW),
    // Mapping: the default method, profile fields the copy left behind, tax ids.
    (Method::Post, CUSTOMER, NEW),
    (Method::Post, "/v1/customers/{}/tax_ids", NEW),
];

const CUSTOMER: &str = "/v1/customers/{}";

/// What an update of a customer never carries: `balance` posts a ledger row of its own, `source` charges the latest open
/// invoice of a past-due subscription (facts 3.1), and the others move or lose methods without a trace of ours.
const NEVER_ON_A_CUSTOMER: [&str; 5] = [
    "balance",
    "cash_balance",
    "default_source",
    "payment_method",
    "source",
];

/// Whether a form may go to that endpoint; names the first field that may not.
pub fn check_form(endpoint: Endpoint, body: &str) -> Result<(), String> {
    if endpoint.template != CUSTOMER {
        return Ok(());
    }
    let forbidden = form_urlencoded::parse(body.as_bytes()).find(|(name, _)| {
        let root = name.split('[').next().unwrap_or_default();
        NEVER_ON_A_CUSTOMER.contains(&root)
    });
    match forbidden {
        None => Ok(()),
        Some((name, _)) => Err(name.into_owned()),
    }
}

/// Every endpoint a role may use, in the list's order.
pub fn endpoints(role: Role) -> impl Iterator<Item = Endpoint> {
    let of_role = RULES.iter().filter(move |(_, _, roles)| roles.contains(&role));
    of_role.map(|&(method, template, _)| Endpoint { method, template })
}

/// The endpoint of a path without query, or the refusal.
pub fn check(role: Role, method: Method, path: &str) -> Result<Endpoint, Refused> {
    let found = endpoints(role).find(|e| e.method == method && matches_template(e.template, path));
    found.ok_or_else(|| Refused {
        role,
        method,
        path: path.chars().take(200).collect(),
    })
}

/// Fills a template's `{}` with ids, percent-encoded: an id is opaque and may hold any character.
/// Missing ids stay `{}` and are refused by [`check`].
#[must_use]
pub fn path(template: &str, ids: &[&str]) -> String {
    let mut out = template.to_owned();
    for id in ids {
        out = out.replacen("{}", &utf8_percent_encode(id, ESCAPED).to_string(), 1);
    }
    out
}

fn matches_template(template: &str, path: &str) -> bool {
    let mut asked = path.split('/');
    let fits = template.split('/').all(|want| match asked.next() {
        Some(got) if want == "{}" => is_id(got),
        Some(got) => want == got,
        None => false,
    });
    fits && asked.next().is_none()
}

/// One path segment that stays one segment: no separators, and no dots that a URL parser would resolve.
fn is_id(segment: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~%".contains(&b);
    let decoded: Vec<u8> = percent_decode_str(segment).collect();
    // `/search` has the shape of an id and lags behind writes by up to an hour (facts 2.7): never asked.
    segment.bytes().all(plain) && !matches!(decoded.as_slice(), b"" | b"." | b".." | b"search")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROLES: [Role; 2] = [Role::Source, Role::Destination];

    #[test]
    fn the_writes_of_this_list_are_those_of_the_stages_and_the_old_account_takes_only_credit_entries() {
        let writes = |role| {
            let posts = endpoints(role).filter(|e| e.method == Method::Post);
            posts.map(|e| e.template).collect::<Vec<_>>()
        };
        let ledger = "/v1/customers/{}/balance_transactions";
        assert_eq!(writes(Role::Source), [ledger]);
        assert_eq!(
            writes(Role::Destination),
            [
                ledger,
                "/v1/billing/credit_grants",
                "/v1/products",
                "/v1/products/{}",
                "/v1/prices",
                "/v1/tax_rates",
                "/v1/customers/{}",
                "/v1/customers/{}/tax_ids",
            ]
        );
    }

    #[test]
    fn an_update_of_a_customer_carries_no_field_that_moves_money_or_charges() {
        let customer = check(Role::Destination, Method::Post, "/v1/customers/cus_1").unwrap();
        let default = "invoice_settings%5Bdefault_payment_method%5D=pm_1&name=A";
        assert_eq!(check_form(customer, default), Ok(()));
        for field in [
            "balance=5",
            "source=card_1",
            "cash_balance%5Bsettings%5D%5Bx%5D=1",
            "default_source=card_1",
        ] {
            let body = format!("name=A&{field}");
            assert!(check_form(customer, &body).is_err(), "{body}");
        }
        let ledger = check(
            Role::Source,
            Method::Post,
            "/v1/customers/cus_1/balance_transactions",
        )
        .unwrap();
        assert_eq!(check_form(ledger, "balance=5"), Ok(()));
    }

    #[test]
    fn nothing_that_takes_or_returns_a_customers_money_is_ever_allowed() {
        const NEVER: [&str; 23] = [
            "/v1/charges",
            "/v1/charges/ch_1",
            "/v1/charges/ch_1/capture",
            "/v1/payment_intents",
            "/v1/payment_intents/pi_1/confirm",
            "/v1/payment_intents/pi_1/apply_customer_balance",
            "/v1/setup_intents",
            "/v1/refunds",
            "/v1/refunds/re_1",
            "/v1/payouts",
            "/v1/transfers",
            "/v1/transfers/tr_1/reversals",
            "/v1/topups",
            "/v1/disputes/dp_1",
            "/v1/invoices/in_1/pay",
            "/v1/credit_notes",
            "/v1/checkout/sessions",
            "/v1/customers",
            "/v1/customers/cus_1/cash_balance",
            "/v1/customers/cus_1/balance_transactions/cbtxn_1",
            "/v1/test_helpers/customers/cus_1/fund_cash_balance",
            "/v1/api_keys",
            "/v1/accounts/acct_1",
        ];
        for role in ROLES {
            for path in NEVER {
                assert!(check(role, Method::Post, path).is_err(), "POST {path}");
            }
        }
        let money = [
            "charges",
            "payment_intents",
            "refunds",
            "payouts",
            "transfers",
            "topups",
        ];
        for (_, template, _) in RULES {
            assert!(
                !money.contains(&template.split('/').nth(2).unwrap_or("")),
                "{template}"
            );
        }
    }

    #[test]
    fn reads_used_for_a_scan_are_allowed_and_searches_are_not() {
        for role in ROLES {
            let found = check(role, Method::Get, "/v1/customers/cus_1/balance_transactions").unwrap();
            assert_eq!(found.template, "/v1/customers/{}/balance_transactions");
            assert!(check(role, Method::Get, "/v1/customers/search").is_err());
            assert!(check(role, Method::Get, "/v1/charges").is_err());
        }
    }

    #[test]
    fn an_id_cannot_climb_out_of_its_segment() {
        for id in [
            "",
            ".",
            "..",
            "../charges",
            "a/b",
            "a?b=c",
            "a#b",
            "%2e%2e",
            "a b",
        ] {
            let path = format!("/v1/customers/{id}/balance_transactions");
            assert!(check(Role::Source, Method::Post, &path).is_err(), "{path}");
        }
        let escaped = path("/v1/customers/{}/balance_transactions", &["../charges?x"]);
        assert_eq!(escaped, "/v1/customers/..%2Fcharges%3Fx/balance_transactions");
    }

    #[test]
    fn a_refusal_names_method_path_and_role() {
        let said = check(Role::Source, Method::Post, "/v1/refunds")
            .unwrap_err()
            .to_string();
        assert!(
            said.starts_with("POST /v1/refunds is not on the allow-list of the source account"),
            "{said}"
        );
    }

    proptest! {
        #[test]
        fn a_filled_path_is_allowed_and_stays_within_its_endpoint(id in ".{1,30}") {
            prop_assume!(![".", "..", "search"].contains(&id.as_str()));
            let path = path("/v1/customers/{}/cash_balance", &[&id]);
            let found = check(Role::Source, Method::Get, &path).unwrap();
            prop_assert_eq!(found.template, "/v1/customers/{}/cash_balance");
            let url = url::Url::parse("http://127.0.0.1").unwrap().join(&path).unwrap();
            prop_assert_eq!(url.path(), path);
        }
    }
}

//! The allow-list: which (method, path) may ever be asked of which account. Checked before the network, so a swapped
//! key, a wrong role or a bug in a stage dies here (invariant I15). Whatever moves customers' money for good (charges,
//! payments, refunds, payouts, transfers) has no row. Two DELETEs are here: a coupon of the new account is taken back, and
//! a subscription of the old one that goes on there is ended. PURE.

mod subscriptions;

use std::fmt;

use percent_encoding::{percent_decode_str, utf8_percent_encode};
use thiserror::Error;

use self::subscriptions::{CANCEL, RELEASE, SCHEDULE, SCHEDULES, SUBSCRIPTION};
use super::form::ESCAPED;
pub use crate::domain::ids::Role;
use crate::domain::write::CAP;

/// HTTP methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// Reads.
    Get,
    /// Reads too, by a POST that makes nothing: what a bill would be. Only a [`super::Reader`] has it, and it is counted,
    /// paced and repeated as a read.
    Ask,
    /// Creates and updates.
    Post,
    /// Takes back what was created.
    Delete,
}

impl Method {
    /// Whether it leaves everything as it was.
    #[must_use]
    pub const fn reads(self) -> bool {
        matches!(self, Self::Get | Self::Ask)
    }
}

impl From<crate::domain::write::Method> for Method {
    fn from(method: crate::domain::write::Method) -> Self {
        match method {
            crate::domain::write::Method::Post => Self::Post,
            crate::domain::write::Method::Delete => Self::Delete,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "GET",
            Self::Ask | Self::Post => "POST",
            Self::Delete => "DELETE",
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
const OLD: &[Role] = &[Role::Source];

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
    (Method::Get, "/v1/coupons", BOTH),
    (Method::Get, "/v1/coupons/{}", BOTH),
    (Method::Get, PROMOTION_CODES, BOTH),
    (Method::Get, PROMOTION_CODE, BOTH),
    (Method::Get, "/v1/subscriptions", BOTH),
    (Method::Get, SUBSCRIPTION, BOTH),
    (Method::Get, "/v1/subscription_items", BOTH),
    (Method::Get, SCHEDULES, BOTH),
    (Method::Get, SCHEDULE, BOTH),
    (Method::Ask, PREVIEW, NEW),
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
    // Coupons: created on the new account, and taken back there as long as it is this program's own. Codes are closed on
    // the old account, and created anew there with a smaller limit where the uses left are split.
    (Method::Post, "/v1/coupons", NEW),
    (Method::Delete, "/v1/coupons/{}", NEW),
    (Method::Post, PROMOTION_CODES, BOTH),
    (Method::Post, PROMOTION_CODE, BOTH),
    // Subscriptions: schedules begin them on the new account; the old ones are stopped, each only when the new one was
    // seen there.
    (Method::Post, SCHEDULES, NEW),
    (Method::Post, SCHEDULE, NEW),
    (Method::Post, CANCEL, NEW),
    (Method::Post, RELEASE, OLD),
    (Method::Post, SUBSCRIPTION, OLD),
    (Method::Delete, SUBSCRIPTION, OLD),
];

/// What a bill would be: the one POST that is sent before anything is approved.
pub const PREVIEW: &str = "/v1/invoices/create_preview";
const CUSTOMER: &str = "/v1/customers/{}";
const PROMOTION_CODES: &str = "/v1/promotion_codes";
const PROMOTION_CODE: &str = "/v1/promotion_codes/{}";

/// What an update of a customer never carries: `balance` posts a ledger row of its own, `source` charges the latest open
/// invoice of a past-due subscription (facts 3.1), and the others move or lose methods without a trace of ours.
const NEVER_ON_A_CUSTOMER: [&str; 5] = [
    "balance",
    "cash_balance",
    "default_source",
    "payment_method",
    "source",
];

/// What an update of a promotion code may carry: it is opened or closed. The rest is as it was created.
const ON_A_CODE: [&str; 3] = ["active", "expand", "metadata"];

/// What may not go to that endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// A field that may not.
    Carries(String),
    /// A field that has to be there.
    Lacks(&'static str),
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Carries(field) => write!(f, "with the field {field}"),
            Self::Lacks(field) => write!(f, "without the field {field}"),
        }
    }
}

/// Whether a form may go to that endpoint of that account.
pub fn check_form(role: Role, endpoint: Endpoint, body: &str) -> Result<(), Misfit> {
    let carries = |is_bad: &dyn Fn(&str) -> bool| {
        let bad = form_urlencoded::parse(body.as_bytes()).find(|(name, _)| is_bad(root_of(name)));
        bad.map_or(Ok(()), |(name, _)| Err(Misfit::Carries(name.into_owned())))
    };
    match (endpoint.method, endpoint.template) {
        (Method::Delete, SUBSCRIPTION) | (Method::Post, CANCEL) => subscriptions::cancel(body),
        (Method::Delete, _) => carries(&|_| true),
        (Method::Post, SUBSCRIPTION) => subscriptions::update(body),
        (Method::Post, SCHEDULES) => subscriptions::create(body),
        (Method::Post, SCHEDULE) => subscriptions::change(body),
        (Method::Post, RELEASE) => subscriptions::release(body),
        (Method::Post, CUSTOMER) => carries(&|field| NEVER_ON_A_CUSTOMER.contains(&field)),
        (Method::Post, PROMOTION_CODE) => carries(&|field| !ON_A_CODE.contains(&field)),
        // A code made again on the old account makes what can be redeemed there smaller, never open-ended.
        (Method::Post, PROMOTION_CODES) if role == Role::Source => {
            let mut fields = form_urlencoded::parse(body.as_bytes());
            let capped = fields.any(|(name, cap)| name == CAP && cap.parse::<u64>().is_ok_and(|cap| cap > 0));
            if capped { Ok(()) } else { Err(Misfit::Lacks(CAP)) }
        }
        _ => Ok(()),
    }
}

fn root_of(field: &str) -> &str {
    field.split('[').next().unwrap_or_default()
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
    fn the_writes_of_this_list_are_those_of_the_stages_and_the_old_account_only_gets_smaller() {
        let writes = |role| {
            let writes = endpoints(role).filter(|e| !e.method.reads());
            writes.map(|e| e.to_string()).collect::<Vec<_>>()
        };
        let (ledger, codes, code) = (
            "POST /v1/customers/{}/balance_transactions",
            "POST /v1/promotion_codes",
            "POST /v1/promotion_codes/{}",
        );
        assert_eq!(
            writes(Role::Source),
            [
                ledger,
                codes,
                code,
                "POST /v1/subscription_schedules/{}/release",
                "POST /v1/subscriptions/{}",
                "DELETE /v1/subscriptions/{}",
            ]
        );
        assert_eq!(
            writes(Role::Destination),
            [
                ledger,
                "POST /v1/billing/credit_grants",
                "POST /v1/products",
                "POST /v1/products/{}",
                "POST /v1/prices",
                "POST /v1/tax_rates",
                "POST /v1/customers/{}",
                "POST /v1/customers/{}/tax_ids",
                "POST /v1/coupons",
                "DELETE /v1/coupons/{}",
                codes,
                code,
                "POST /v1/subscription_schedules",
                "POST /v1/subscription_schedules/{}",
                "POST /v1/subscription_schedules/{}/cancel",
            ]
        );
    }

    /// What the form check says of a POST.
    fn fits(role: Role, path: &str, body: &str) -> Result<(), Misfit> {
        check_form(role, check(role, Method::Post, path).unwrap(), body)
    }

    #[test]
    fn an_update_of_a_customer_carries_no_field_that_moves_money_or_charges() {
        let customer = |body: &str| fits(Role::Destination, "/v1/customers/cus_1", body);
        let default = "invoice_settings%5Bdefault_payment_method%5D=pm_1&name=A";
        assert_eq!(customer(default), Ok(()));
        for field in [
            "balance=5",
            "source=card_1",
            "cash_balance%5Bsettings%5D%5Bx%5D=1",
            "default_source=card_1",
        ] {
            let body = format!("name=A&{field}");
            assert!(customer(&body).is_err(), "{body}");
        }
        let ledger = "/v1/customers/cus_1/balance_transactions";
        assert_eq!(fits(Role::Source, ledger, "balance=5"), Ok(()));
    }

    #[test]
    fn a_promotion_code_is_only_ever_opened_or_closed() {
        for role in ROLES {
            let code = |body: &str| fits(role, "/v1/promotion_codes/promo_1", body);
            assert_eq!(code("active=false&metadata%5Bcutover_effect%5D=e"), Ok(()));
            for field in [
                "restrictions%5Bminimum_amount%5D=1",
                "max_redemptions=1",
                "activex=1",
            ] {
                let misfit =
                    Misfit::Carries(form_urlencoded::parse(field.as_bytes()).next().unwrap().0.into());
                assert_eq!(code(&format!("active=false&{field}")), Err(misfit), "{field}");
            }
        }
    }

    #[test]
    fn a_code_made_again_on_the_old_account_has_a_limit() {
        let code = |role, body: &str| fits(role, "/v1/promotion_codes", body);
        assert_eq!(code(Role::Destination, "code=A"), Ok(()));
        assert_eq!(code(Role::Source, "code=A&max_redemptions=3"), Ok(()));
        for body in [
            "code=A",
            "code=A&max_redemptions=",
            "code=A&max_redemptions=0",
            "code=A&metadata%5Bmax_redemptions%5D=3",
        ] {
            assert_eq!(code(Role::Source, body), Err(Misfit::Lacks(CAP)), "{body}");
        }
    }

    #[test]
    fn only_a_new_coupon_and_an_old_subscription_are_ever_deleted() {
        for role in ROLES {
            let deletes = endpoints(role).filter(|e| e.method == Method::Delete);
            let templates: Vec<_> = deletes.map(|e| e.template).collect();
            let wanted: &[&str] = if role == Role::Destination {
                &["/v1/coupons/{}"]
            } else {
                &["/v1/subscriptions/{}"]
            };
            assert_eq!(templates, wanted);
        }
        let coupon = check(Role::Destination, Method::Delete, "/v1/coupons/SPRING").unwrap();
        assert_eq!(check_form(Role::Destination, coupon, ""), Ok(()));
        assert!(check_form(Role::Destination, coupon, "a=1").is_err());
        for path in [
            "/v1/customers/cus_1",
            "/v1/promotion_codes/promo_1",
            "/v1/coupons",
        ] {
            assert!(check(Role::Destination, Method::Delete, path).is_err(), "{path}");
        }
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
    fn the_one_post_that_reads_is_no_writers_and_asks_the_new_account_alone() {
        for role in ROLES {
            let asked = endpoints(role).filter(|e| e.method == Method::Ask);
            let asked: Vec<_> = asked.map(|e| e.to_string()).collect();
            let wanted: &[&str] = match role {
                Role::Source => &[],
                Role::Destination => &["POST /v1/invoices/create_preview"],
            };
            assert_eq!(asked, wanted);
            for method in [Method::Get, Method::Post, Method::Delete] {
                assert!(check(role, method, PREVIEW).is_err(), "{method}");
            }
            for path in [
                "/v1/invoices",
                "/v1/subscription_schedules",
                "/v1/customers/cus_1",
            ] {
                assert!(check(role, Method::Ask, path).is_err(), "{path}");
            }
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

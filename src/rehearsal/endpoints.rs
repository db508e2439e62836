//! The table of everything that answers. Anything else is 404 in Stripe's shape.

use std::sync::LazyLock;

use super::billing_endpoints::BILLING;
use super::call::{Answer, Call};
use super::catalogue_endpoints::CATALOGUE;
use super::form::decode;
use super::objects::{
    account, balance_transactions, cash_balance, credit_grants, customer_params, customers, events,
    payment_methods, payment_methods_write, search, sources, tax_ids,
};
use super::params::{EXPAND, PAGE, Schema};
use super::pools_endpoints::POOLS;

/// One method and path.
pub(crate) struct Endpoint {
    pub(crate) method: &'static str,
    /// With placeholders in braces.
    pub(crate) path: &'static str,
    /// The part of a restricted key's permission between `rak_` and `_read` or `_write`.
    pub(crate) resource: &'static str,
    pub(crate) schema: Schema,
    pub(crate) run: fn(&mut Call<'_>) -> Answer,
}

pub(crate) const fn e(
    method: &'static str,
    path: &'static str,
    resource: &'static str,
    schema: Schema,
    run: fn(&mut Call<'_>) -> Answer,
) -> Endpoint {
    Endpoint {
        method,
        path,
        resource,
        schema,
        run,
    }
}

pub(crate) const NO_PARAMS: Schema = &[];
pub(crate) const EXPAND_ONLY: Schema = &[EXPAND];

/// Everything that answers.
pub(crate) static ENDPOINTS: LazyLock<Vec<&'static Endpoint>> = LazyLock::new(|| {
    CUSTOMERS
        .iter()
        .chain(CATALOGUE)
        .chain(BILLING)
        .chain(POOLS)
        .collect()
});

/// Fixed segments stand before placeholders: the first match wins.
static CUSTOMERS: &[Endpoint] = &[
    e("GET", "/v1/account", "account", EXPAND_ONLY, account::retrieve),
    e(
        "GET",
        "/v1/accounts/{account}",
        "account",
        EXPAND_ONLY,
        account::retrieve_by_id,
    ),
    e(
        "GET",
        "/v1/customers",
        "customer",
        &[PAGE, customer_params::LIST],
        customers::list,
    ),
    e(
        "GET",
        "/v1/customers/search",
        "customer",
        &[search::PARAMS],
        search::customers,
    ),
    e(
        "POST",
        "/v1/customers",
        "customer",
        &[EXPAND, customer_params::WRITE, customer_params::CREATE],
        customers::create,
    ),
    e(
        "GET",
        "/v1/customers/{customer}",
        "customer",
        EXPAND_ONLY,
        customers::retrieve,
    ),
    e(
        "POST",
        "/v1/customers/{customer}",
        "customer",
        &[EXPAND, customer_params::WRITE, customer_params::UPDATE],
        customers::update,
    ),
    e(
        "DELETE",
        "/v1/customers/{customer}",
        "customer",
        NO_PARAMS,
        customers::delete,
    ),
    e(
        "GET",
        "/v1/customers/{customer}/balance_transactions",
        "customer",
        &[PAGE, balance_transactions::LIST],
        balance_transactions::list,
    ),
    e(
        "POST",
        "/v1/customers/{customer}/balance_transactions",
        "customer",
        &[EXPAND, balance_transactions::CREATE],
        balance_transactions::create,
    ),
    e(
        "GET",
        "/v1/customers/{customer}/balance_transactions/{transaction}",
        "customer",
        EXPAND_ONLY,
        balance_transactions::retrieve,
    ),
    e(
        "POST",
        "/v1/customers/{customer}/balance_transactions/{transaction}",
        "customer",
        &[EXPAND, balance_transactions::UPDATE],
        balance_transactions::update,
    ),
    e(
        "GET",
        "/v1/customers/{customer}/cash_balance",
        "customer",
        EXPAND_ONLY,
        cash_balance::retrieve,
    ),
    e(
        "POST",
        "/v1/customers/{customer}/cash_balance",
        "customer",
        &[EXPAND, customer_params::CASH_BALANCE],
        cash_balance::update,
    ),
    e(
        "GET",
        "/v1/customers/{customer}/cash_balance_transactions",
        "customer",
        &[PAGE],
        cash_balance::list,
    ),
    e(
        "GET",
        "/v1/customers/{customer}/cash_balance_transactions/{transaction}",
        "customer",
        EXPAND_ONLY,
        cash_balance::retrieve_row,
    ),
    e(
        "POST",
        "/v1/test_helpers/customers/{customer}/fund_cash_balance",
        "customer",
        &[EXPAND, cash_balance::FUND],
        cash_balance::fund,
    ),
    e(
        "GET",
        "/v1/customers/{customer}/payment_methods",
        "payment_method",
        &[PAGE, payment_methods::LIST],
        payment_methods::list_of_customer,
    ),
    e(
        "GET",
        "/v1/customers/{customer}/payment_methods/{payment_method}",
        "payment_method",
        EXPAND_ONLY,
        payment_methods::retrieve_of_customer,
    ),
    e(
        "GET",
        "/v1/payment_methods",
        "payment_method",
        &[PAGE, payment_methods::LIST, payment_methods::LIST_ALL],
        payment_methods::list_all,
    ),
    e(
        "GET",
        "/v1/payment_methods/{payment_method}",
        "payment_method",
        EXPAND_ONLY,
        payment_methods::retrieve,
    ),
    e(
        "POST",
        "/v1/payment_methods/{payment_method}",
        "payment_method",
        &[EXPAND, payment_methods_write::UPDATE],
        payment_methods_write::update,
    ),
    e(
        "POST",
        "/v1/payment_methods/{payment_method}/attach",
        "payment_method",
        &[EXPAND, payment_methods_write::ATTACH],
        payment_methods_write::attach,
    ),
    e(
        "POST",
        "/v1/payment_methods/{payment_method}/detach",
        "payment_method",
        EXPAND_ONLY,
        payment_methods_write::detach,
    ),
    e(
        "GET",
        "/v1/customers/{customer}/sources",
        "customer",
        &[PAGE, sources::LIST],
        sources::list,
    ),
    e(
        "GET",
        "/v1/customers/{customer}/sources/{id}",
        "customer",
        EXPAND_ONLY,
        sources::retrieve,
    ),
    e(
        "GET",
        "/v1/customers/{customer}/tax_ids",
        "customer",
        &[PAGE],
        tax_ids::list,
    ),
    e(
        "POST",
        "/v1/customers/{customer}/tax_ids",
        "customer",
        &[EXPAND, tax_ids::CREATE],
        tax_ids::create,
    ),
    e(
        "GET",
        "/v1/customers/{customer}/tax_ids/{id}",
        "customer",
        EXPAND_ONLY,
        tax_ids::retrieve,
    ),
    e(
        "DELETE",
        "/v1/customers/{customer}/tax_ids/{id}",
        "customer",
        NO_PARAMS,
        tax_ids::delete,
    ),
    e(
        "GET",
        "/v1/billing/credit_grants",
        "billing_credit_grant",
        &[PAGE, credit_grants::LIST],
        credit_grants::list,
    ),
    e(
        "POST",
        "/v1/billing/credit_grants",
        "billing_credit_grant",
        &[EXPAND, credit_grants::CREATE],
        credit_grants::create,
    ),
    e(
        "GET",
        "/v1/billing/credit_grants/{id}",
        "billing_credit_grant",
        EXPAND_ONLY,
        credit_grants::retrieve,
    ),
    e(
        "POST",
        "/v1/billing/credit_grants/{id}",
        "billing_credit_grant",
        &[EXPAND, credit_grants::UPDATE],
        credit_grants::update,
    ),
    e(
        "POST",
        "/v1/billing/credit_grants/{id}/expire",
        "billing_credit_grant",
        EXPAND_ONLY,
        credit_grants::expire,
    ),
    e(
        "POST",
        "/v1/billing/credit_grants/{id}/void",
        "billing_credit_grant",
        EXPAND_ONLY,
        credit_grants::void,
    ),
    e(
        "GET",
        "/v1/billing/credit_balance_summary",
        "billing_credit_balance_summary",
        &[EXPAND, credit_grants::SUMMARY],
        credit_grants::summary,
    ),
    e("GET", "/v1/events", "event", &[PAGE, events::LIST], events::list),
    e("GET", "/v1/events/{id}", "event", EXPAND_ONLY, events::retrieve),
];

/// The endpoint's number and the values of its placeholders.
pub(crate) fn find(method: &str, path: &str) -> Option<(usize, Vec<String>)> {
    let given: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    ENDPOINTS.iter().enumerate().find_map(|(number, endpoint)| {
        let args = (endpoint.method == method).then(|| matched(endpoint.path, &given))??;
        Some((number, args))
    })
}

fn matched(template: &str, given: &[&str]) -> Option<Vec<String>> {
    let mut args = Vec::new();
    let mut rest = given.iter();
    for part in template.split('/') {
        let segment = rest.next()?;
        if part.starts_with('{') {
            // A plus sign means itself in a path.
            args.push(decode(&segment.replace('+', "%2B")).filter(|s| !s.is_empty())?);
        } else if part != *segment {
            return None;
        }
    }
    rest.next().is_none().then_some(args)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_matched_whole_and_ids_decoded() {
        let (number, args) = find("GET", "/v1/customers/cus_%31/balance_transactions/cbtxn_2").unwrap();
        assert_eq!(
            ENDPOINTS[number].path,
            "/v1/customers/{customer}/balance_transactions/{transaction}"
        );
        assert_eq!(args, ["cus_1", "cbtxn_2"]);
        assert!(find("GET", "/v1/customers/cus_1/nonsense").is_none());
        assert!(find("PUT", "/v1/customers").is_none());
        assert!(find("GET", "/v1").is_none());
        assert!(find("GET", "/v1/customers//cash_balance").is_none());
    }
}

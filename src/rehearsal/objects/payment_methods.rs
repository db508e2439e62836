//! Reading payment methods, and what the endpoints that change them share.

use super::customers;
use super::method_types::TYPES;
use super::payment_methods_view::show;
use crate::rehearsal::call::{Answer, Call};
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::Kind;
use crate::rehearsal::pages;
use crate::rehearsal::params::{P, Ty, opt};
use crate::rehearsal::world::{Account, Method, MethodKind};

pub(super) const NAME: &str = "PaymentMethod";

/// What listing takes besides paging.
pub(crate) const LIST: &[P] = &[
    opt("allow_redisplay", Ty::Enum(&["always", "limited", "unspecified"])),
    opt("type", Ty::Enum(TYPES)),
];
/// What the list over the account takes as well.
pub(crate) const LIST_ALL: &[P] = &[opt("customer", Ty::Id), opt("customer_account", Ty::Id)];

/// `GET /v1/customers/{customer}/payment_methods`
pub(crate) fn list_of_customer(call: &mut Call<'_>) -> Answer {
    let slot = call.customer_slot()?;
    list(call, slot)
}

/// `GET /v1/payment_methods`: nothing without a customer, since what is attached to nobody is not kept here.
pub(crate) fn list_all(call: &mut Call<'_>) -> Answer {
    let Some(id) = call.params.text("customer") else {
        call.expand_list(Kind::Method)?;
        return Ok(pages::envelope(call.path, Vec::new(), false));
    };
    let slot = customers::by_param(call, id, "customer")?;
    list(call, slot)
}

fn list(call: &Call<'_>, slot: u32) -> Answer {
    let expand = call.expand_list(Kind::Method)?;
    let page = call.page()?;
    let account = &*call.account;
    let slots = account
        .customers
        .at(slot)
        .map(|c| c.methods.as_slice())
        .unwrap_or_default();
    let rows = slots.iter().filter_map(|s| account.methods.at(*s));
    let rows: Vec<&Method> = rows.filter(|m| m.kind.is_payment_method()).collect();
    let (wanted, redisplay) = (call.params.text("type"), call.params.text("allow_redisplay"));
    let keep = |m: &&Method| {
        wanted.is_none_or(|t| t == m.kind.type_name()) && redisplay.is_none_or(|r| r == allow_redisplay(m))
    };
    let (data, more) = page.cut(&rows, NAME, |id| pages::place(&rows, id), keep)?;
    let data = data.into_iter().map(|m| show(account, m, &expand));
    Ok(pages::envelope(call.path, data.collect(), more))
}

/// `GET /v1/payment_methods/{payment_method}`
pub(crate) fn retrieve(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Method)?;
    let slot = by_path(call)?;
    let method = call.account.methods.at(slot);
    Ok(method.map_or_else(Default::default, |m| show(call.account, m, &expand)))
}

/// `GET /v1/customers/{customer}/payment_methods/{payment_method}`
pub(crate) fn retrieve_of_customer(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Method)?;
    let slot = call.customer_slot()?;
    let id = call.arg(1);
    let method = call.account.methods.get(id);
    let method = method.filter(|m| m.customer == Some(slot) && m.kind.is_payment_method());
    let method = method.ok_or_else(|| Refusal::missing(NAME, id, "payment_method", true))?;
    Ok(show(call.account, method, &expand))
}

/// The slot of the payment method named first in the path.
pub(super) fn by_path(call: &Call<'_>) -> Result<u32, Refusal> {
    let id = call.arg(0);
    let found = call.account.methods.slot(id);
    let known = |slot: &u32| {
        let method = call.account.methods.at(*slot);
        method.is_some_and(|m| m.kind.is_payment_method())
    };
    found
        .filter(known)
        .ok_or_else(|| Refusal::missing(NAME, id, "payment_method", true))
}

/// What a method says about being shown to its customer again.
pub(super) fn allow_redisplay(method: &Method) -> &'static str {
    let more = method.more.as_ref();
    more.and_then(|m| m.allow_redisplay).unwrap_or("unspecified")
}

/// The slot of a payment method attached to the customer; any other is refused.
pub(crate) fn attached(call: &Call<'_>, slot: u32, id: &str, param: &str) -> Result<u32, Refusal> {
    attached_in(call.account, slot, id, param)
}

/// The same, of an account.
pub(crate) fn attached_in(account: &Account, slot: u32, id: &str, param: &str) -> Result<u32, Refusal> {
    let found = account.methods.slot(id);
    let method = found.and_then(|at| account.methods.at(at));
    match (found, method) {
        (Some(found), Some(method)) if method.kind.is_payment_method() => {
            if method.customer == Some(slot) {
                return Ok(found);
            }
            let message = format!(
                "The payment method {id} must be attached to the customer before it can be used. Please attach it \
                 first."
            );
            Err(Refusal::rejected(Some(param), message))
        }
        _ => Err(Refusal::missing(NAME, id, param, false)),
    }
}

/// The slot of one of the customer's sources of the older interface.
pub(crate) fn own_source(call: &Call<'_>, slot: u32, id: &str, param: &str) -> Result<u32, Refusal> {
    let found = call.account.methods.slot(id);
    let own = |at: &u32| {
        let method = call.account.methods.at(*at);
        method.is_some_and(|m| m.kind.is_source() && m.customer == Some(slot))
    };
    found
        .filter(own)
        .ok_or_else(|| Refusal::missing("source", id, param, false))
}

/// `payment_method=pm_card_visa` on creating a customer: Stripe's test names make a new card.
pub(crate) fn attach_new(call: &mut Call<'_>, slot: u32) -> Result<(), Refusal> {
    let Some(token) = call.params.text("payment_method") else {
        return Ok(());
    };
    if card_from_test_name(call, slot, token).is_none() {
        return Err(Refusal::missing(NAME, token, "payment_method", false));
    }
    Ok(())
}

/// A new card of that test name, attached to the customer; `None` when there is no such name.
pub(super) fn card_from_test_name(call: &mut Call<'_>, slot: u32, name: &str) -> Option<u32> {
    let brand = name.strip_prefix("pm_card_").and_then(brand_of)?;
    let id = call.new_id("pm_");
    Some(add_card(call, slot, id, MethodKind::Card, brand))
}

/// `source=tok_visa`: a card of the older interface, which becomes the default source.
pub(crate) fn card_from_token(call: &mut Call<'_>, slot: u32, token: &str) -> Result<u32, Refusal> {
    let Some(brand) = token.strip_prefix("tok_").and_then(brand_of) else {
        return Err(Refusal::missing("token", token, "source", false));
    };
    let id = call.new_id("card_");
    Ok(add_card(call, slot, id, MethodKind::LegacyCard, brand))
}

fn brand_of(name: &str) -> Option<&'static str> {
    ["visa", "mastercard", "amex", "discover", "jcb"]
        .into_iter()
        .find(|b| *b == name)
}

fn add_card(call: &mut Call<'_>, slot: u32, id: String, kind: MethodKind, brand: &'static str) -> u32 {
    let method = Method {
        id: id.into(),
        created: Account::stamp(&call.account.methods, call.now),
        customer: Some(slot),
        kind,
        brand,
        country: "US",
        last4: 4242,
        exp_month: 12,
        exp_year: 2030,
        debit: false,
        more: None,
    };
    attach(call.account, method)
}

/// Stores a method, lists it under its customer, and says its slot.
pub(crate) fn attach(account: &mut Account, method: Method) -> u32 {
    let customer = method.customer;
    let slot = account.methods.push(method);
    if let Some(customer) = customer.and_then(|at| account.customers.at_mut(at)) {
        customer.methods.reserve_exact(1);
        customer.methods.push(slot);
    }
    slot
}

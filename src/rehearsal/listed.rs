//! Makes the customers a scenario lists one by one.

use serde_json::{Value, json};

use super::additions::{Addition, Default, LATE, tax_id};
use super::address::Address;
use super::currency::Cur;
use super::dice::Dice;
use super::ids;
use super::metadata::Metadata;
use super::objects::tax_id_types;
use super::scenario_customers::{Deleted, Listed, ListedMethod, Place};
use super::world::{By, Customer, Method, MethodMore, Role, TaxId, Txn};

const DAY: i64 = 86_400;
const HOUR: i64 = 3600;

/// A customer a scenario lists.
pub(crate) fn by_name(account: &str, listed: &Listed, seed: u64, now: i64) -> Addition {
    let mut dice = Dice::new(seed);
    let region = listed.region();
    let role = match (region, listed.methods.is_empty()) {
        ("us", false) => Role::Mover,
        ("us", true) => Role::WithoutMethod,
        _ => Role::Stayer,
    };
    let drawn = ids::customer(dice.next());
    let age = i64::from(listed.created_days_ago.unwrap_or(400)).max(1) * DAY;
    let created = now - if listed.late { LATE } else { age };
    let id = listed.id.as_deref().unwrap_or(&drawn);
    let mut customer = Customer::bare(id, created, role);
    profile(&mut customer, listed);
    customer.tax_ids = tax_ids(account, listed, &mut dice, created);
    customer.paying = listed.paying.unwrap_or(!listed.methods.is_empty());
    ledger(&mut customer, listed, account, &mut dice);
    match listed.deleted {
        Deleted::No => {}
        Deleted::BeforeCopy => {
            customer.deleted = true;
            customer.email = None;
        }
        Deleted::AfterCopy => customer.leaves = true,
    }
    let methods = (0..).zip(&listed.methods);
    let methods = methods.map(|(n, m)| listed_method(account, m, &mut dice, created + n * HOUR, now));
    let mut methods: Vec<_> = methods.collect();
    methods.sort_by_key(|(method, _)| method.created);
    Addition {
        customer,
        methods,
        shares_email: false,
    }
}

fn profile(customer: &mut Customer, listed: &Listed) {
    customer.name = listed.name.as_deref().map(Into::into);
    customer.email = listed.email.as_deref().map(Into::into);
    let region = [("region", listed.region())];
    let given = listed.metadata.iter().map(|(k, v)| (k.as_str(), v.as_str()));
    customer.metadata = Metadata::of(&region.into_iter().chain(given).collect::<Vec<_>>());
    customer.address = listed.address.as_ref().map(|place| Box::new(place.address()));
    let mut set = |name: &str, value: Value| {
        if !value.is_null() {
            customer.rest_mut().insert(name.into(), value);
        }
    };
    set("phone", json!(listed.phone));
    set("description", json!(listed.description));
    set("tax_exempt", json!(listed.tax_exempt));
    set("invoice_prefix", json!(listed.invoice_prefix));
    set("next_invoice_sequence", json!(listed.next_invoice_sequence));
    if !listed.locales.is_empty() {
        set("preferred_locales", json!(listed.locales));
    }
    if let Some(shipping) = &listed.shipping {
        let shown = json!({
            "address": shipping.address.address().json(),
            "carrier": null,
            "name": shipping.name,
            "phone": shipping.phone,
            "tracking_number": null,
        });
        set("shipping", shown);
    }
    let fields = listed.custom_fields.iter();
    let fields: Vec<_> = fields
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    let display = listed.amount_tax_display.as_ref();
    let settings = json!({
        "custom_fields": (!fields.is_empty()).then_some(fields),
        "footer": listed.footer,
        "rendering_options": display.map(|d| json!({ "amount_tax_display": d, "template": null })),
    });
    if settings
        .as_object()
        .is_some_and(|s| s.values().any(|v| !v.is_null()))
    {
        set("invoice_settings", settings);
    }
}

impl Place {
    fn address(&self) -> Address {
        Address::of(
            &self.line1,
            &self.city,
            &self.state,
            &self.postal_code,
            &self.country,
        )
    }
}

fn tax_ids(account: &str, listed: &Listed, dice: &mut Dice, created: i64) -> Vec<TaxId> {
    let known = listed.tax_ids.iter().filter_map(|given| {
        let kind = tax_id_types::TYPES.iter().find(|t| **t == given.kind)?;
        Some((*kind, given.value.as_str()))
    });
    known
        .map(|(kind, value)| tax_id(account, dice, kind, value, created))
        .collect()
}

fn ledger(customer: &mut Customer, listed: &Listed, account: &str, dice: &mut Dice) {
    for (code, credit) in &listed.credit {
        let Some(cur) = Cur::parse(code) else { continue };
        customer.currency.get_or_insert(cur);
        customer.ledger.push(Txn {
            id: ids::object("cbtxn_", account, dice.next()).into(),
            created: customer.created,
            amount: -credit,
            ending: -credit,
            cur,
            by: By::History,
            kind: "adjustment",
            more: None,
        });
    }
    customer.ledger_at_start = u32::try_from(customer.ledger.len()).unwrap_or(u32::MAX);
}

fn listed_method(
    account: &str,
    listed: &ListedMethod,
    dice: &mut Dice,
    created: i64,
    now: i64,
) -> (Method, Default) {
    let kind = listed.kind();
    let drawn = ids::object(kind.prefix(), account, dice.next());
    let (exp_month, exp_year) = listed.exp().unwrap_or((12, 2030));
    let more = MethodMore {
        fingerprint: listed.fingerprint.as_deref().map(Into::into),
        wallet: listed.wallet(),
        ..MethodMore::default()
    };
    let bare = more.fingerprint.is_none() && more.wallet.is_none();
    let method = Method {
        id: listed.id.as_deref().unwrap_or(&drawn).into(),
        created: if listed.late { now - LATE } else { created },
        customer: None,
        kind,
        brand: listed.brand(),
        country: "US",
        last4: listed.last4().unwrap_or(4242),
        exp_month,
        exp_year,
        debit: listed.debit,
        more: (!bare).then(|| Box::new(more)),
    };
    let default = match (listed.is_default(), listed.is_default_source()) {
        (true, _) => Default::InSettings,
        (_, true) => Default::Source,
        _ => Default::No,
    };
    (method, default)
}

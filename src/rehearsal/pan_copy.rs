//! Plays Stripe's self-serve PAN copy (docs.stripe.com, self-serve PAN copy; observed September 2026).
//!
//! * A customer keeps its id and takes along name, email, phone, address and metadata. Shipping address, description,
//!   locales, tax exemption, tax ids, invoice settings, balances and the default method stay behind.
//! * Cards of either interface and US bank accounts get new ids and, as everywhere in another account, new fingerprints.
//!   SEPA, Bacs and BECS debits, Link and cards in wallets stay behind.
//! * Who was asked for and has nothing to take along stands in the mapping with blank source columns.
//! * What comes into the old account after the copy is not in it, until it is played again.

use std::collections::HashMap;
use std::path::Path;

use super::ids;
use super::objects::payment_methods;
use super::world::{Account, Customer, Method, Role};

/// How long before the night the copy is made, seconds: what is newer is late.
pub const BEFORE: i64 = 6 * 3600;

/// The header as observed in a real copy in September 2026.
const HEADER: [&str; 6] = [
    "customer_id_old",
    "v2_account_id_old",
    "source_id_old",
    "customer_id_new",
    "v2_account_id_new",
    "source_id_new",
];

/// One line of the mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mapped {
    pub(crate) customer: Box<str>,
    /// Empty, as is `new`, for a customer who came with nothing.
    pub(crate) old: Box<str>,
    pub(crate) new: Box<str>,
}

/// New ids by old ids.
pub(crate) fn by_old(mapping: &[Mapped]) -> HashMap<String, String> {
    let methods = mapping.iter().filter(|line| !line.old.is_empty());
    methods
        .map(|line| (line.old.to_string(), line.new.to_string()))
        .collect()
}

/// Copies the movers that have a payment method at the instant `at`, in seconds. Playing it again adds only what is new
/// since, as Stripe does: nothing is refreshed and nobody deleted on the new account comes back.
pub(crate) fn play(source: &Account, destination: &mut Account, seed: u64, at: i64) -> Vec<Mapped> {
    let mut mapping = Vec::new();
    for old in source.customers.rows().iter().filter(|c| c.role == Role::Mover) {
        let methods = old.methods.iter().filter_map(|slot| source.methods.at(*slot));
        let methods: Vec<&Method> = methods.filter(|m| m.created <= at).collect();
        if old.deleted || old.created > at || methods.is_empty() {
            continue;
        }
        let there = destination.customers.slot(&old.id);
        if there.is_some_and(|slot| destination.customers.at(slot).is_some_and(|c| c.deleted)) {
            continue;
        }
        let slot = there.unwrap_or_else(|| {
            let copy = copy_of(old, at, destination);
            destination.add_customer(copy)
        });
        let before = mapping.len();
        for method in methods.into_iter().filter(|m| m.is_copyable()) {
            let fresh = ids::mix(&[b"pan", &seed.to_be_bytes(), method.id.as_bytes()]);
            let new = ids::object(method.kind.prefix(), &destination.id, fresh);
            if destination.methods.slot(&new).is_none() {
                attach(destination, method, &new, slot, at);
                mapping.push(line(&old.id, &method.id, &new));
            }
        }
        if there.is_none() && mapping.len() == before {
            mapping.push(line(&old.id, "", ""));
        }
    }
    destination.customers.shrink();
    destination.methods.shrink();
    mapping
}

fn line(customer: &str, old: &str, new: &str) -> Mapped {
    Mapped {
        customer: customer.into(),
        old: old.into(),
        new: new.into(),
    }
}

/// What is copied: name, email, phone, address, metadata (docs.stripe.com, self-serve PAN copy).
fn copy_of(old: &Customer, now: i64, destination: &Account) -> Customer {
    let created = Account::stamp(&destination.customers, now);
    let mut new = Customer::bare(&old.id, created, old.role);
    new.name.clone_from(&old.name);
    new.email.clone_from(&old.email);
    new.metadata.clone_from(&old.metadata);
    new.address.clone_from(&old.address);
    let phone = old.rest("phone");
    if !phone.is_null() {
        new.rest_mut().insert("phone".into(), phone);
    }
    new
}

fn attach(destination: &mut Account, method: &Method, id: &str, customer: u32, now: i64) {
    let created = Account::stamp(&destination.methods, now);
    let copy = Method {
        id: id.into(),
        created,
        customer: Some(customer),
        more: method.more.clone(),
        ..*method
    };
    payment_methods::attach(destination, copy);
}

/// The mapping file's text.
pub(crate) fn mapping_csv(mapping: &[Mapped]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEADER)?;
    for line in mapping {
        writer.write_record([&line.customer, "", &line.old, &line.customer, "", &line.new])?;
    }
    writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}

/// Writes the mapping file.
pub(crate) fn write_mapping(mapping: &[Mapped], path: &Path) -> std::io::Result<()> {
    std::fs::write(path, mapping_csv(mapping).map_err(std::io::Error::other)?)
}

//! Plays Stripe's self-serve PAN copy: customers keep their ids, payment methods get new ones, balances,
//! defaults and everything else stays behind, and a mapping file is written.

use std::path::Path;

use super::ids;
use super::objects::payment_methods;
use super::world::{Account, Customer, Method, MethodKind, Role};

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
    pub(crate) old: Box<str>,
    pub(crate) new: Box<str>,
}

/// Copies the movers that have a payment method. Playing it again adds only what is new since, as Stripe does.
pub(crate) fn play(source: &Account, destination: &mut Account, seed: u64, now: i64) -> Vec<Mapped> {
    let mut mapping = Vec::new();
    let movers = source.customers.rows().iter();
    for old in movers.filter(|c| c.role == Role::Mover && !c.deleted && !c.methods.is_empty()) {
        let slot = match destination.customers.slot(&old.id) {
            Some(slot) => slot,
            None => destination.add_customer(copy_of(old, now, destination)),
        };
        for method in old.methods.iter().filter_map(|s| source.methods.at(*s)) {
            let prefix = if method.kind == MethodKind::LegacyCard {
                "card_"
            } else {
                "pm_"
            };
            let fresh = ids::mix(&[b"pan", &seed.to_be_bytes(), method.id.as_bytes()]);
            let new = ids::object(prefix, &destination.id, fresh);
            if destination.methods.slot(&new).is_none() {
                attach(destination, method, &new, slot, now);
                mapping.push(Mapped {
                    customer: old.id.clone(),
                    old: method.id.clone(),
                    new: new.into(),
                });
            }
        }
    }
    destination.customers.shrink();
    destination.methods.shrink();
    mapping
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
        customer,
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

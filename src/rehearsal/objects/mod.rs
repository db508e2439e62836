//! The resources, one file each: what they take, what they do, how they look.

pub(crate) mod account;
pub(crate) mod balance_transactions;
pub(crate) mod cash_balance;
pub(crate) mod credit_grants;
pub(crate) mod customer_params;
pub(crate) mod customer_view;
pub(crate) mod customer_write;
pub(crate) mod customers;
pub(crate) mod events;
pub(crate) mod method_types;
pub(crate) mod payment_methods;
pub(crate) mod search;

//! Coupons, codes and running discounts from outside: what each row comes to, on both accounts.

#![allow(clippy::panic, reason = "support of tests: what cannot go on says why")]
#![allow(clippy::unwrap_used, reason = "a test that cannot set up fails")]

#[cfg(test)]
#[path = "coupons/night.rs"]
mod night;
#[cfg(test)]
mod support;

#[cfg(test)]
#[path = "coupons/rows.rs"]
mod rows;

#[cfg(test)]
#[path = "coupons/killed.rs"]
mod killed;
#[cfg(test)]
#[path = "coupons/races.rs"]
mod races;
#[cfg(test)]
#[path = "coupons/thousands.rs"]
mod thousands;

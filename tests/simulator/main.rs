//! The simulated accounts over real sockets.

#[cfg(test)]
mod billing;
#[cfg(test)]
mod carried_by_hand;
#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod client;
#[cfg(test)]
mod copied;
#[cfg(test)]
mod coupon_worlds;
#[cfg(test)]
mod database;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod methods;
#[cfg(test)]
mod moved_by_hand;
#[cfg(test)]
mod pools;
#[cfg(test)]
mod protocol;
#[cfg(test)]
mod redemptions;
#[cfg(test)]
mod subscription_worlds;
#[cfg(test)]
mod subscriptions;
#[cfg(test)]
mod subscriptions_judged;
#[cfg(test)]
mod toolkit;
#[cfg(test)]
mod verdict;
#[cfg(test)]
mod wire;
#[cfg(test)]
mod world;

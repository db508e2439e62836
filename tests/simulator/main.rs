//! The simulated accounts over real sockets.

#[cfg(test)]
mod client;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod protocol;
#[cfg(test)]
mod verdict;
#[cfg(test)]
mod wire;
#[cfg(test)]
mod world;

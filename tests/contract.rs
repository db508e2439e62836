//! Requests and answers against a table of facts derived from Stripe's `OpenAPI` description.

#[cfg(test)]
#[path = "contract/mod.rs"]
mod facts;

#[cfg(test)]
#[path = "contract/checker.rs"]
mod checker;

#[cfg(test)]
#[path = "contract/sweep.rs"]
mod sweep;

#[cfg(test)]
#[path = "contract/drive.rs"]
mod drive;

#[cfg(test)]
#[path = "contract/simulated.rs"]
mod simulated;

#[cfg(test)]
#[path = "contract/recorder.rs"]
mod recorder;

#[cfg(test)]
#[path = "contract/client.rs"]
mod client;

#[cfg(test)]
#[path = "contract/parameters.rs"]
mod parameters;

#[cfg(test)]
#[path = "contract/written.rs"]
mod written;

#[cfg(test)]
#[path = "contract/subscriptions.rs"]
mod subscriptions;

#[cfg(test)]
#[path = "contract/pools.rs"]
mod pools;

#[cfg(test)]
#[path = "contract/catalogue.rs"]
mod catalogue;

#[cfg(test)]
#[path = "contract/troubled.rs"]
mod troubled;

#[cfg(test)]
#[path = "contract/stage.rs"]
mod stage;

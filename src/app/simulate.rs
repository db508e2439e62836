//! `cutover simulate`: the two accounts as servers, until a signal.

use std::path::PathBuf;

use serde::Serialize;

use super::failure::Failure;
use super::out;
use super::signals;
use crate::cli::{Exit, Simulate};
use crate::clock::Clock;
use crate::rehearsal::{Endpoint, Options, Scenario, Simulator};

#[derive(Serialize)]
struct Ready<'a> {
    source: &'a Endpoint,
    destination: &'a Endpoint,
    mapping_csv: &'a std::path::Path,
    database_url: Option<&'a str>,
}

/// Prints one line when both accounts answer, then serves.
pub(super) async fn simulate(args: Simulate) -> Result<Exit, Failure> {
    let scenario = Scenario::load(&args.world.scenario).map_err(Failure::usage)?;
    let clock = Clock::real();
    // As old as today: what is due or over by the client's clock is so here as well.
    let mut options = Options::new(scenario.beginning_at(clock.now()), clock);
    options.seed = args.world.seed;
    options.customers = args.world.customers;
    options.source_port = args.source_port;
    options.destination_port = args.destination_port;
    options.no_limits = args.world.no_limits;
    options.latency_ms = u32::try_from(args.world.latency_ms.unwrap_or(0)).unwrap_or(u32::MAX);
    let (mapping, database) = files();
    options.mapping_csv = Some(mapping);
    options.app_database = Some(database);
    let running = Simulator::start(options).await.map_err(Failure::usage)?;
    let described = running.describe();
    let ready = Ready {
        source: &described.source,
        destination: &described.destination,
        mapping_csv: &described.mapping_csv,
        database_url: described.database_url.as_deref(),
    };
    out::say(&serde_json::to_string(&ready).unwrap_or_default());
    signals::Signals::listen()?.next().await;
    running.stop().await;
    Ok(Exit::Done)
}

/// The copy's mapping and beside it the application's database.
fn files() -> (PathBuf, PathBuf) {
    let of = |what: &str| std::env::temp_dir().join(format!("cutover-{what}-{}", std::process::id()));
    (
        of("mapping").with_extension("csv"),
        of("application").with_extension("sqlite"),
    )
}

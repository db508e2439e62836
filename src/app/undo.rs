//! `cutover undo`: takes back what a stage did, by the same engine and journal that did it.

use super::failure::Failure;
use super::headless::{self, Leave};
use super::signals::Signals;
use super::summary::Summary;
use super::{out, real};
use crate::cli::{Exit, Undo};
use crate::engine::command::Command;

/// What is asked of the engine. It answers for the phrase: how many rows there are to take back is in its journal.
fn command(args: &Undo) -> Command {
    Command::Undo {
        stage: args.stage,
        digest: None,
        phrase: args.confirm.clone(),
        witness: args.witness.clone(),
        note: String::new(),
        by: super::session::operator(),
    }
}

/// `cutover undo`
pub(super) async fn undo(args: Undo) -> Result<Exit, Failure> {
    let command = command(&args);
    let real = real::real(&args.config)?;
    let (handle, clock) = real::engine(real, &args.run).await?;
    // From here on a signal must not cut off what is in flight.
    let mut signals = Signals::listen()?;
    let undone = async {
        handle.ask(command).await?;
        headless::see_through(&handle, args.stage, Leave::default(), &clock).await
    };
    let result = tokio::select! {
        result = undone => result,
        () = signals.next() => headless::put_down(&handle, args.stage).await,
    };
    let state = tokio::select! {
        state = headless::quit(&handle) => state,
        // Once more: not even that. The journal has every intent, so the next process settles what was sent.
        () = signals.next() => handle.state(),
    };
    let summary = Summary::of(&state, Vec::new());
    if args.json {
        out::say(&summary.json());
    } else {
        summary.lines().iter().for_each(|line| out::say(line));
    }
    result.map(|()| summary.exit())
}

//! A lane: takes a subject, goes through its rows move by move, puts it back when it has to wait.

use std::sync::Arc;

use super::gate::LookFailed;
use super::queue::{Subject, Taken};
use super::row::Row;
use super::{Finished, Shared, lock};
use crate::domain::record::{Ended, Record, RowEnd};
use crate::domain::time::UtcMs;
use crate::domain::write::Method;
use crate::engine::breaker::Outcome;
use crate::engine::journal::JournalError;
use crate::engine::protocol::{Answer, Effect, Move, gone};
use crate::stages::{Fact, Step};
use crate::stripe::budget::{delay_ms, seed_of};

/// Waits up to this long are waited in the lane; longer ones in the queue.
const SHORT_MS: i64 = 2_000;
/// Looks before a row's first write that may fail before the row is given up.
const MAX_FAILED_LOOKS: u32 = 8;

/// What a lane does next with a row.
enum Next {
    /// Ask again.
    Go,
    /// Not before this instant.
    Later(UtcMs),
    /// The other rows of the subject first.
    GiveWay,
    /// The row has ended.
    Ended,
    /// The row has ended, and whether its write happened is not known.
    Unsettled,
    /// No new write may start.
    Stop,
}

/// Works until there is nothing left to start.
pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        if shared.gate.stop.is_stopped() {
            return;
        }
        let taken = lock(&shared.queue).take(shared.gate.clock.now());
        match taken {
            Taken::Nothing => return,
            Taken::WaitUntil(due) => wait(&shared, due).await,
            Taken::Subject(subject) => shared.subject(subject).await,
        }
    }
}

/// Waits in steps, so that a stop is noticed.
async fn wait(shared: &Shared, due: UtcMs) {
    let step = shared.gate.clock.now().plus_ms(SHORT_MS);
    let patient = shared.gate.clock.speed().is_some_and(|speed| speed > 1);
    shared
        .gate
        .clock
        .sleep_until(if patient { due } else { due.min(step) })
        .await;
}

impl Shared {
    async fn subject(&self, mut subject: Subject) {
        while let Some(row) = subject.rows.front_mut() {
            match self.step(row).await {
                Ok(Next::Go) => {}
                Ok(Next::GiveWay) => subject.rows.rotate_left(1),
                Ok(Next::Ended) => {
                    subject.rows.pop_front();
                }
                Ok(Next::Unsettled) => {
                    subject.rows.pop_front();
                    // They stay pending: when a person has settled the row, writing takes them up. What is open is settled
                    // whatever it rests on.
                    let stage = &self.gate.stage;
                    subject
                        .rows
                        .retain(|row| row.under_way.is_some() || !stage.follows(&row.change));
                }
                Ok(Next::Later(due)) => return lock(&self.queue).put_back(subject, due),
                // The queue keeps the subject as taken, so that writing does not count as complete.
                Ok(Next::Stop) | Err(_) => return,
            }
        }
        lock(&self.queue).finished();
    }

    async fn step(&self, row: &mut Row) -> Result<Next, JournalError> {
        if row.under_way.is_some() {
            return self.effect(row).await;
        }
        match self.gate.stage.next(&row.change, &row.facts) {
            Step::Look(_) | Step::Write(_) if self.gate.stop.is_stopped() => Ok(Next::Stop),
            Step::Look(look) => match self.look(&look).await {
                Ok(fact) => {
                    row.facts.push(fact);
                    Ok(Next::Go)
                }
                Err(LookFailed::Halt(why)) => Ok(self.halted(why)),
                Err(LookFailed::Now(why)) => self.look_failed(row, why).await,
            },
            Step::Write(write) => {
                row.start(write);
                Ok(Next::Go)
            }
            Step::GiveWay if row.gave_way() => {
                let why = "two rows wait for each other; make the plan again".to_owned();
                self.end(row, RowEnd::Failed, why, "order".to_owned(), None).await
            }
            Step::GiveWay => {
                row.facts.push(Fact::GaveWay);
                Ok(Next::GiveWay)
            }
            Step::End { end, why, moved } => self.end(row, end, why, String::new(), moved).await,
        }
    }

    async fn look_failed(&self, row: &mut Row, why: String) -> Result<Next, JournalError> {
        row.failed_looks += 1;
        if row.failed_looks < MAX_FAILED_LOOKS {
            return Ok(Next::Later(self.gate.clock.now().plus_ms(60_000)));
        }
        let why = format!("its facts could not be read again before writing: {why}");
        self.end(row, RowEnd::Failed, why, "unreadable".to_owned(), None)
            .await
    }

    async fn effect(&self, row: &mut Row) -> Result<Next, JournalError> {
        let now = self.gate.clock.now();
        let Some(under_way) = &mut row.under_way else {
            return Ok(Next::Go);
        };
        let server_now = self
            .gate
            .server
            .get(&under_way.write.role)
            .map_or(now, |server| server.at(now));
        match under_way.effect.next(now, server_now) {
            Move::Intend { .. } | Move::Send if self.gate.stop.is_stopped() => Ok(Next::Stop),
            Move::Intend { generation } => self.intend(row, generation).await,
            Move::Send => self.send_once(row).await,
            Move::WaitUntil(due) if due.since(now) <= SHORT_MS => {
                self.gate.clock.sleep_until(due).await;
                Ok(Next::Go)
            }
            Move::WaitUntil(due) => Ok(Next::Later(due)),
            Move::DeclareUnknown { why, request_id } => self.declare_unknown(row, why, request_id).await,
            Move::Look => self.look_for(row).await,
            Move::RecordAbsent => self.record_absent(row).await,
            Move::AskPerson(why) => {
                self.end(row, RowEnd::Unknown, why, "unknown".to_owned(), None)
                    .await
            }
            Move::Finish(ended) => self.finish(row, ended).await,
            Move::Halt(why) => Ok(self.halted(why)),
        }
    }

    fn halted(&self, why: String) -> Next {
        self.halt(Finished::Halted(why));
        Next::Stop
    }

    async fn intend(&self, row: &mut Row, generation: u32) -> Result<Next, JournalError> {
        let Some(under_way) = &mut row.under_way else {
            return Ok(Next::Go);
        };
        if let Err(why) = self.may_send(&under_way.write, &row.change, under_way.effect.is_fresh()) {
            return Ok(self.halted(why));
        }
        let intent = self.intent(&under_way.write, &row.change, generation);
        self.record(Record::Intent(intent.clone())).await?;
        under_way.effect.intended(intent);
        Ok(Next::Go)
    }

    async fn send_once(&self, row: &mut Row) -> Result<Next, JournalError> {
        let Some(under_way) = &mut row.under_way else {
            return Ok(Next::Go);
        };
        let Some(intent) = under_way.effect.intent().cloned() else {
            return Ok(Next::Go);
        };
        let answer = self.send(&intent, &under_way.write).await;
        if let Answer::Ambiguous { why, .. } = &answer {
            tracing::warn!(effect = %intent.effect, why, "no clear answer; the same key is tried again");
        }
        let seed = seed_of(&intent.key);
        under_way
            .effect
            .answered(answer, self.gate.clock.now(), |n| delay_ms(500, n, seed));
        Ok(Next::Go)
    }

    async fn declare_unknown(
        &self,
        row: &mut Row,
        why: String,
        request_id: String,
    ) -> Result<Next, JournalError> {
        let Some((effect, intent)) = under_way(row) else {
            return Ok(Next::Go);
        };
        let record = Record::Unknown {
            stage: intent.stage,
            row: intent.row.clone(),
            effect: intent.effect.clone(),
            generation: intent.generation,
            why,
            request_id,
        };
        self.record(record).await?;
        effect.declared_unknown(self.gate.clock.now());
        self.count(Outcome::Unknown);
        Ok(Next::Go)
    }

    async fn look_for(&self, row: &mut Row) -> Result<Next, JournalError> {
        let Some(under_way) = &mut row.under_way else {
            return Ok(Next::Go);
        };
        let Some(intent) = under_way.effect.intent().cloned() else {
            return Ok(Next::Go);
        };
        let look = self.gate.stage.probe(&under_way.write, intent.server_at);
        let found = match self.look(&look).await {
            Ok(Fact::Saw {
                items: Some(items), ..
            }) if write_is(&intent, Method::Post) => self.find(&under_way.write, &items),
            Ok(Fact::Saw { items, .. }) if write_is(&intent, Method::Delete) => {
                if is_gone(items.as_deref()) {
                    Ok(Some(gone(&intent, String::new())))
                } else {
                    // A subscription that was cancelled is still there, and says so.
                    self.find(&under_way.write, items.as_deref().unwrap_or_default())
                }
            }
            Ok(_) => Ok(None),
            Err(LookFailed::Halt(why)) => return Ok(self.halted(why)),
            Err(LookFailed::Now(_)) => {
                under_way.effect.looked(Err(()), self.gate.clock.now());
                return Ok(Next::Go);
            }
        };
        match found {
            Ok(found) => under_way.effect.looked(Ok(found), self.gate.clock.now()),
            Err(why) => {
                return Ok(self.halted(format!(
                    "an object carries our marker but is not what was sent: {why}"
                )));
            }
        }
        Ok(Next::Go)
    }

    async fn record_absent(&self, row: &mut Row) -> Result<Next, JournalError> {
        let Some((effect, intent)) = under_way(row) else {
            return Ok(Next::Go);
        };
        self.record(probe(&intent, false)).await?;
        effect.recorded_absent();
        Ok(Next::Go)
    }

    async fn finish(&self, row: &mut Row, ended: Ended) -> Result<Next, JournalError> {
        let Some(under_way) = row.under_way.take() else {
            return Ok(Next::Go);
        };
        if under_way.is_new {
            let generation = under_way.effect.generation();
            let outcome = Record::Outcome {
                stage: self.gate.stage.id(),
                row: row.change.key.clone(),
                effect: under_way.write.effect.clone(),
                generation,
                ended: ended.clone(),
            };
            self.record(outcome).await?;
        }
        match ended {
            Ended::Done(attested) => {
                self.count(Outcome::Done);
                row.facts.push(Fact::Wrote {
                    op: under_way.write.op,
                    attested,
                });
                Ok(Next::Go)
            }
            Ended::Rejected {
                status,
                code,
                message,
                ..
            } => {
                self.count(Outcome::Failed);
                let end = if status == 404 {
                    RowEnd::Drifted
                } else {
                    RowEnd::Failed
                };
                let half = match (row.wrote_something(), self.gate.is_undo) {
                    (false, _) => "",
                    (true, false) => {
                        "; part of the row was written already: read again to plan the rest alone"
                    }
                    (true, true) => "; part of the row was taken back already",
                };
                self.end(
                    row,
                    end,
                    format!("{} refused: {status} {message}{half}", under_way.write.op),
                    code,
                    None,
                )
                .await
            }
        }
    }

    async fn end(
        &self,
        row: &mut Row,
        end: RowEnd,
        why: String,
        code: String,
        moved: Option<crate::domain::money::Money>,
    ) -> Result<Next, JournalError> {
        let (stage, key) = (self.gate.stage.id(), row.change.key.clone());
        self.record(Record::Row {
            stage,
            row: key,
            end,
            why,
            code,
            moved,
        })
        .await?;
        Ok(if end == RowEnd::Unknown {
            Next::Unsettled
        } else {
            Next::Ended
        })
    }
}

fn write_is(intent: &crate::domain::record::Intent, method: Method) -> bool {
    intent.method == method
}

/// Whether a look at an object says that it is not there any more.
fn is_gone(items: Option<&[bytes::Bytes]>) -> bool {
    #[derive(serde::Deserialize)]
    struct Tombstone {
        deleted: bool,
    }
    let deleted = |object: &bytes::Bytes| {
        serde_json::from_slice::<Tombstone>(object).is_ok_and(|tombstone| tombstone.deleted)
    };
    items.is_none_or(|items| items.iter().any(deleted))
}

fn under_way(row: &mut Row) -> Option<(&mut Effect, crate::domain::record::Intent)> {
    let under_way = row.under_way.as_mut()?;
    let intent = under_way.effect.intent().cloned()?;
    Some((&mut under_way.effect, intent))
}

fn probe(intent: &crate::domain::record::Intent, found: bool) -> Record {
    Record::Probe {
        stage: intent.stage,
        row: intent.row.clone(),
        effect: intent.effect.clone(),
        generation: intent.generation,
        found,
        request_id: String::new(),
    }
}

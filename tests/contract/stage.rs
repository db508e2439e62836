//! What every stage asks and writes, recorded on its way to both accounts and held against the table.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use cutover::clock::Clock;
use cutover::domain::change::{Change, ChangeKey};
use cutover::domain::finding::Severity;
use cutover::domain::ids::{AccountId, Accounts, Environment};
use cutover::domain::mapped::IdMap;
use cutover::domain::money::Money;
use cutover::domain::record::RowEnd;
use cutover::domain::scope::ScopeRule;
use cutover::domain::time::UtcMs;
use cutover::domain::write::{PlannedWrite, marker};
use cutover::stages::{self, Fact, Keep, Look, Reading, Settings, Stage, Step, Watch, credits};
use cutover::stripe::{Account, ApiKey, Form, Link, PaceConfig, Role, Settings as Limits, Writer};

use super::drive;
use super::facts::check_request;
use super::recorder::{Recorded, Recorder};

struct Nowhere;

impl Keep for Nowhere {
    fn keep(&self, _: &serde_json::value::RawValue) -> Result<(), String> {
        Ok(())
    }
}

impl Watch for Nowhere {
    fn progress(&self, _: &str, _: u64, _: Option<u64>) {}
    fn preview(&self, _: Vec<Arc<Change>>) {}
}

/// One account behind a recorder, as the program's own client sees it.
async fn recorded(role: Role, account: &drive::Account) -> (Recorder, Link) {
    let recorder = Recorder::before(&account.url, account.http.clone()).await;
    let key = ApiKey::parse(&account.key).expect("a key");
    let account = Account::new(role, &recorder.url, key).expect("loopback");
    let limits = Limits::with_pace(PaceConfig::unlimited());
    (recorder, Link::new(account, Clock::real(), limits))
}

fn settings(mapping: &std::path::Path) -> Settings {
    let bytes = std::fs::read(mapping).expect("the mapping of the copy");
    let file = stages::mapping::file::Mapping::read([("mapping.csv", bytes.as_slice())]).expect("a mapping");
    Settings {
        scope: ScopeRule {
            region_key: "region".to_owned(),
            regions: BTreeSet::from(["us".to_owned()]),
            ..ScopeRule::default()
        },
        mapping: stages::mapping::Settings {
            file: Some(Arc::new(file)),
            ..stages::mapping::Settings::default()
        },
        credits: credits::Settings {
            source_after: Some(credits::SourceAfter::Drain),
            expected: None,
        },
        ..Settings::default()
    }
}

/// The form as it is sent: with the markers that the engine adds.
fn form_of(write: &PlannedWrite) -> Form {
    let form = write
        .form
        .iter()
        .fold(Form::new(), |form, (name, value)| form.with(name, value));
    if !write.marked {
        return form;
    }
    let form = form
        .metadata(marker::EFFECT, &write.effect)
        .metadata(marker::RUN, "01JTEST");
    form.metadata(marker::PLAN, "0123456789ab")
}

/// Problems of a request that is only planned: a write, with the markers, or a look.
fn of_write(write: &PlannedWrite) -> Vec<String> {
    let pairs: Vec<_> = form_of(write)
        .pairs()
        .map(|(name, value)| (name, value.to_owned()))
        .collect();
    check_request(write.method.word(), &write.path, &pairs)
}

fn of_look(look: &Look) -> Vec<String> {
    check_request("GET", &look.path, &look.query)
}

/// Everything a stage could send for this row, whatever is decided about it.
fn of_change(stage: &dyn Stage, change: &Change) -> Vec<String> {
    let chosen = change.choices.iter().flat_map(|choice| &choice.writes);
    let writes: Vec<_> = change.writes.iter().chain(chosen).collect();
    let probes = writes
        .iter()
        .map(|write| stage.probe(write, UtcMs(1_790_000_000_000)));
    let mut problems: Vec<_> = probes.flat_map(|look| of_look(&look)).collect();
    problems.extend(writes.iter().flat_map(|write| of_write(write)));
    if let Step::Look(look) = stage.next(change, &[]) {
        problems.extend(of_look(&look));
    }
    problems
}

/// A row that is being written, and what it has behind it.
struct Lane<'a> {
    change: &'a Change,
    facts: Vec<Fact>,
}

/// How a row ended, and what the last of its writes made.
type Sent = ((ChangeKey, RowEnd, Option<Money>), Option<String>);

/// Goes through the scripts of the rows of one subject, as the engine does: one after another, and a row that gives way
/// comes last. The stage must recognise each answer.
async fn send(
    stage: &dyn Stage,
    rows: &[&Change],
    reading: &Reading,
    writers: &BTreeMap<Role, Writer>,
) -> Vec<Sent> {
    let fresh = |change| Lane {
        change,
        facts: Vec::new(),
    };
    let mut waiting: VecDeque<Lane<'_>> = rows.iter().copied().map(fresh).collect();
    let mut ends = Vec::new();
    while let Some(row) = waiting.front_mut() {
        assert!(row.facts.len() < 20, "{} does not end", row.change.key);
        match stage.next(row.change, &row.facts) {
            Step::Look(look) => row.facts.push(looked(reading, &look).await),
            Step::Write(write) => row.facts.push(wrote(stage, &write, writers).await),
            Step::GiveWay => {
                row.facts.push(Fact::GaveWay);
                waiting.rotate_left(1);
            }
            Step::End { end, why, moved } => {
                assert_eq!(end, RowEnd::Done, "{}: {why}", row.change.key);
                let made = row.facts.iter().rev().find_map(|fact| match fact {
                    Fact::Wrote { attested, .. } => Some(attested.object.clone()),
                    _ => None,
                });
                ends.push(((row.change.key.clone(), end, moved), made));
                waiting.pop_front();
            }
        }
    }
    ends
}

/// One page is enough for what this world has.
async fn looked(reading: &Reading, look: &Look) -> Fact {
    let query = look.query.iter();
    let query = query.fold(Form::new(), |form, (name, value)| form.with(name, value));
    let bytes = |value: &serde_json::Value| Bytes::from(value.to_string());
    let reader = &reading.readers[&look.role];
    let items = if look.list {
        let page = reader
            .get_as::<serde_json::Value>(&look.path, &query.with("limit", 100))
            .await;
        page.ok().map(|page| {
            page.value["data"]
                .as_array()
                .expect("a list")
                .iter()
                .map(bytes)
                .collect()
        })
    } else {
        let object = reader.get(&look.path, &query).await;
        object.ok().map(|reply| vec![reply.body])
    };
    Fact::Saw {
        label: look.label,
        items,
        at: reading.clock.now(),
    }
}

async fn wrote(stage: &dyn Stage, write: &PlannedWrite, writers: &BTreeMap<Role, Writer>) -> Fact {
    let form = form_of(write);
    let sent = PlannedWrite {
        form: form
            .pairs()
            .map(|(name, value)| (name, value.to_owned()))
            .collect(),
        ..write.clone()
    };
    let (body, key) = (form.encode(), format!("cut1-{}", write.effect));
    let reply = writers[&write.role]
        .post_once(&write.path, &body, &key)
        .await
        .expect("an answer");
    let attested = stage
        .attest(&sent, &reply.body, false)
        .expect("what was asked for");
    assert!(
        stage.is_effect(&sent, &reply.body),
        "{} is not known again",
        write.op
    );
    Fact::Wrote {
        op: write.op.clone(),
        attested,
    }
}

#[tokio::test]
async fn everything_a_stage_sends_is_what_stripe_takes() {
    let (world, old, new) = drive::start(40).await;
    let (source, from) = recorded(Role::Source, &old).await;
    let (destination, to) = recorded(Role::Destination, &new).await;
    let id = |endpoint: &cutover::rehearsal::Endpoint| AccountId(endpoint.account.clone());
    let links = [(Role::Source, &from), (Role::Destination, &to)];
    let mut reading = Reading {
        readers: links
            .iter()
            .map(|(role, link)| (*role, link.reader().expect("a reader")))
            .collect(),
        accounts: Accounts {
            source: id(&world.describe().source),
            destination: id(&world.describe().destination),
            environment: Environment::Rehearsal,
        },
        ids: Arc::default(),
        app: None,
        settings: Arc::new(settings(&world.describe().mapping_csv)),
        clock: Clock::real(),
        began: Clock::real().now(),
        keep: Arc::new(Nowhere),
        watch: Arc::new(Nowhere),
    };
    let writers = links
        .iter()
        .map(|(role, link)| (*role, link.writer().expect("a writer")))
        .collect();
    let (mut problems, mut ids) = (Vec::new(), Vec::new());
    for stage in stages::all() {
        let gathered = stage.gather(&reading).await.expect("both accounts read");
        let plan = stage.plan(gathered, &reading).expect("a plan");
        stage.recheck(&reading, &plan).await.expect("read again");
        let mut rows = plan.changes().to_vec();
        // Rows of one subject are written in the order of their rank.
        rows.sort_by_key(|change| (change.subject.clone(), stage.rank(change)));
        let (mut ends, mut made) = (Vec::new(), BTreeMap::new());
        for subject in rows.chunk_by(|one, other| one.subject == other.subject) {
            for change in subject {
                problems.extend(of_change(stage.as_ref(), change));
            }
            let written = subject.iter().map(|change| &**change);
            let written: Vec<&Change> = written.filter(|change| !change.writes_now().is_empty()).collect();
            for (end, object) in send(stage.as_ref(), &written, &reading, &writers).await {
                made.extend(object.map(|object| (end.0.clone(), object)));
                ends.push(end);
            }
        }
        for change in &rows {
            let object = made.get(&change.key).map(String::as_str);
            ids.extend(stage.ids(change, object));
        }
        let mut known = IdMap::default();
        ids.iter().cloned().for_each(|mapped| known.put(mapped));
        reading.ids = Arc::new(known);
        let audit = stage.audit(&reading, &plan, &ends).await.expect("an audit");
        let differ = audit
            .findings
            .iter()
            .filter(|found| found.severity == Severity::Differs);
        let differ: Vec<_> = differ.collect();
        assert!(differ.is_empty(), "{}: {differ:?}", stage.id());
    }
    for sent in [source.take(), destination.take()] {
        assert!(
            sent.iter().any(|request| request.method == "POST"),
            "nothing was written"
        );
        problems.extend(sent.iter().flat_map(Recorded::problems));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

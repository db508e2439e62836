//! A record as one line of the journal pane. PURE.

use crate::domain::approval::Approval;
use crate::domain::ids::short_id;
use crate::domain::money::count;
use crate::domain::panel::Tone;
use crate::domain::record::{Ended, Record, RowEnd};
use crate::domain::text::safe;
use crate::domain::time::UtcMs;
use crate::engine::state::LogLine;

/// The line, or `None` for records that say nothing to people.
#[must_use]
pub fn line(record: &Record, at: UtcMs, seq: u64) -> Option<LogLine> {
    let (text, tone) = words(record)?;
    let row = match record {
        Record::Intent(intent) => Some(intent.row.clone()),
        Record::Outcome { row, .. }
        | Record::Unknown { row, .. }
        | Record::Probe { row, .. }
        | Record::Reissue { row, .. }
        | Record::Row { row, .. } => Some(row.clone()),
        _ => None,
    };
    // Everything may hold words of Stripe's or of the operator's.
    let text = safe(&text).as_str().to_owned();
    Some(LogLine {
        seq,
        at,
        stage: record.stage(),
        row,
        text,
        tone,
    })
}

fn n(value: u64) -> String {
    count(usize::try_from(value).unwrap_or(usize::MAX))
}

fn besides(approval: &Approval) -> String {
    let parts = [
        (approval.rows_app, "rows of the application's database"),
        (approval.lines, "lines of files to hand out"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    parts.fold(String::new(), |said, (count, what)| {
        format!("{said}, {} {what}", n(*count))
    })
}

fn undone(by: &str, restored: u64, left: usize) -> String {
    format!(
        "undo by {by}: {} rows taken back, {} stay as they are",
        n(restored),
        count(left)
    )
}

fn approved(what: &str, approval: &Approval) -> String {
    format!(
        "{what} {} approved by {}, {} writes on the old account, {} on the new{}",
        approval.digest.spoken(),
        approval.operator,
        n(approval.writes_source),
        n(approval.writes_destination),
        besides(approval)
    )
}

fn undoing(approval: &Approval, left: usize) -> String {
    format!(
        "{}; {} findings beforehand",
        approved("undo", approval),
        count(left)
    )
}

fn words(record: &Record) -> Option<(String, Tone)> {
    Some(match record {
        Record::Opened {
            run, operator, tool, ..
        } => (
            format!("run {run} opened by {operator}, cutover {tool}"),
            Tone::Plain,
        ),
        Record::TailRecovered { bytes, saved_as } => (
            format!("a torn last line ({bytes} bytes) was set aside as {saved_as}"),
            Tone::Attention,
        ),
        Record::Gathering { .. } => ("reading both accounts".to_owned(), Tone::Plain),
        Record::Gathered { counts, .. } => {
            let parts: Vec<_> = counts
                .iter()
                .map(|(name, value)| format!("{} {}", n(*value), name.replace('_', " ")))
                .collect();
            (format!("read: {}", parts.join(", ")), Tone::Plain)
        }
        Record::GatherFailed { why, .. } => {
            (format!("reading failed, nothing was written: {why}"), Tone::Bad)
        }
        Record::Planned { digest, totals, .. } => (
            format!(
                "plan {} ready: {} to write, {} blocked",
                digest.spoken(),
                n(totals.planned),
                n(totals.blocked)
            ),
            Tone::Attention,
        ),
        Record::Decided { rows, decision, .. } => (
            format!(
                "{} by {}: {}",
                rows_word(rows.len()),
                decision.by,
                decision.choice
            ),
            Tone::Plain,
        ),
        Record::Checked { objects, drifted, .. } => match drifted.len() {
            0 => (
                format!(
                    "re-read {} objects: no change since the plan was made",
                    n(*objects)
                ),
                Tone::Good,
            ),
            some => (
                format!(
                    "re-read {} objects: {some} rows changed since the plan was made",
                    n(*objects)
                ),
                Tone::Bad,
            ),
        },
        Record::Approved { approval } => (approved("plan", approval), Tone::Attention),
        Record::Undoing { approval, left, .. } => (undoing(approval, left.len()), Tone::Attention),
        Record::Writing { digest, .. } => (format!("writing plan {}", digest.spoken()), Tone::Attention),
        Record::Paused { by } => (format!("paused by {by}: no new write starts"), Tone::Attention),
        Record::Resumed { by } => (format!("resumed by {by}"), Tone::Plain),
        Record::Undone {
            by, restored, left, ..
        } => (undone(by, *restored, left.len()), Tone::Attention),
        Record::Halted { why, .. } => (format!("HALTED: {why}"), Tone::Bad),
        Record::Written { .. } => ("every planned row has an end".to_owned(), Tone::Good),
        Record::Audited {
            compared, findings, ..
        } => {
            let differ = findings
                .iter()
                .filter(|f| f.severity == crate::domain::finding::Severity::Differs)
                .count();
            let tone = if differ == 0 { Tone::Good } else { Tone::Bad };
            (
                format!(
                    "audit: {} rows compared by another path, {differ} differ",
                    n(*compared)
                ),
                tone,
            )
        }
        Record::Uploaded { upload, .. } => (
            format!(
                "{} uploaded as {}: {} subscriptions, by {}",
                safe(&upload.file),
                safe(&upload.id),
                upload.subscriptions,
                upload.by
            ),
            Tone::Attention,
        ),
        Record::AuditFailed { why, .. } => (format!("the audit could not be made: {why}"), Tone::Bad),
        _ => return about_row(record),
    })
}

fn about_row(record: &Record) -> Option<(String, Tone)> {
    Some(match record {
        Record::Intent(intent) => {
            let money = intent.money.map(|money| format!("  {money}")).unwrap_or_default();
            (
                format!("intent  {}  {}{money}", short_row(&intent.row.0), intent.op),
                Tone::Quiet,
            )
        }
        Record::Batch { table, rows, .. } => (
            format!("a transaction on {} rows of {table} begins", n(rows.len() as u64)),
            Tone::Quiet,
        ),
        Record::Outcome { row, ended, .. } => outcome(&row.0, ended),
        Record::Unknown { row, why, .. } => (format!("unknown  {}  {why}", short_row(&row.0)), Tone::Bad),
        Record::Probe { row, found, .. } => (
            format!(
                "looked for {}: {}",
                short_row(&row.0),
                if *found { "found" } else { "not there" }
            ),
            Tone::Attention,
        ),
        Record::Reissue { row, by, .. } => (
            format!("{by} allows sending {} again", short_row(&row.0)),
            Tone::Attention,
        ),
        Record::Row {
            end: RowEnd::Done,
            why,
            ..
        } if why.is_empty() => return None,
        Record::Row { row, end, why, .. } => {
            let tone = if *end == RowEnd::Done {
                Tone::Plain
            } else {
                Tone::Bad
            };
            (format!("{}  {}  {why}", end.word(), short_row(&row.0)), tone)
        }
        _ => return None,
    })
}

fn outcome(row: &str, ended: &Ended) -> (String, Tone) {
    match ended {
        Ended::Done(attested) => {
            let how = if attested.found {
                "  found"
            } else if attested.replayed {
                "  replayed"
            } else {
                ""
            };
            (
                format!(
                    "done  {}  {}  {}{how}",
                    short_row(row),
                    short_id(&attested.object),
                    attested.request_id
                ),
                Tone::Good,
            )
        }
        Ended::Rejected {
            status,
            code,
            message,
            request_id,
        } => (
            format!(
                "rejected  {}  {status} {code}  {message}  {request_id}",
                short_row(row)
            ),
            Tone::Bad,
        ),
    }
}

fn short_row(row: &str) -> String {
    row.split_once('/').map_or_else(
        || short_id(row),
        |(subject, of)| format!("{}/{of}", short_id(subject)),
    )
}

fn rows_word(rows: usize) -> String {
    if rows == 1 {
        "1 row decided".to_owned()
    } else {
        format!("{} rows decided", count(rows))
    }
}

//! A plan as lines of text: a header line, a line per row, an end line with the digest. What is written is what is
//! sealed: reading seals the rows again and refuses a file whose digest differs. Request ids and times are outside that
//! digest, so the end line also has one over the bytes of the file: a flipped bit anywhere is found.

use std::convert::Infallible;
use std::fmt::Display;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Header, OutOfScope, Plan, PlanError};
use crate::domain::change::Change;
use crate::domain::finding::Finding;
use crate::domain::ids::{Digest, Hashing};
use crate::domain::time::UtcMs;

/// Version of the format.
const FORMAT: u32 = 1;
/// What the hash over the file's bytes is for.
const BYTES: &str = "cutover-plan-file-v1";

#[derive(Serialize, Deserialize)]
struct Head {
    format: u32,
    header: Header,
    out_of_scope: OutOfScope,
    findings: Vec<Finding>,
    made_at: UtcMs,
}

#[derive(Serialize, Deserialize)]
struct End {
    rows: u64,
    digest: Digest,
    /// Over every byte before this line's.
    bytes: Digest,
}

impl End {
    fn of(plan: &Plan, body: Hashing) -> Self {
        Self {
            rows: plan.changes.len() as u64,
            digest: plan.digest,
            bytes: body.digest(),
        }
    }
}

/// What is wrong with a plan file.
#[derive(Debug, Error)]
pub enum PlanFileError {
    /// A line that is not what belongs there.
    #[error("line {line} of the plan is not readable ({why}); make the plan again")]
    Line {
        /// From 1.
        line: usize,
        /// The reader's words.
        why: String,
    },
    /// The end is missing.
    #[error("the plan ends after line {line} without its closing line; make the plan again")]
    Short {
        /// Lines read.
        line: usize,
    },
    /// Written by a later version.
    #[error("the plan has format {found}, this program reads up to {FORMAT}; use the version that made it")]
    Newer {
        /// Its format.
        found: u32,
    },
    /// The content is not what was sealed.
    #[error("the plan's content has digest {found}, but it was sealed as {sealed}: it was changed after it was made", found = .found.spoken(), sealed = .sealed.spoken())]
    Tampered {
        /// Of the content.
        found: Digest,
        /// In the closing line.
        sealed: Digest,
    },
    /// The content is what was sealed, but not every byte of the file.
    #[error("the plan's file was changed after it was made; make the plan again")]
    Altered,
    /// Rows that cannot form a plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// `plan` as text, whole. A large plan is better written line by line: [`write_lines`].
#[must_use]
pub fn write(plan: &Plan) -> String {
    let mut text = String::new();
    let Ok(()) = write_lines(plan, |line| {
        text.push_str(line);
        Ok::<_, Infallible>(())
    });
    text
}

/// Gives the lines of `plan`, each with its line feed, to `put`, and ends at its first error.
pub fn write_lines<E>(plan: &Plan, mut put: impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
    let head = Head {
        format: FORMAT,
        header: plan.header.clone(),
        out_of_scope: plan.out_of_scope.clone(),
        findings: plan.findings.to_vec(),
        made_at: plan.made_at,
    };
    let mut body = Hashing::new(BYTES);
    let mut add = |line: String, put: &mut dyn FnMut(&str) -> Result<(), E>| {
        body.add(line.as_bytes());
        put(&line)
    };
    add(line(&head), &mut put)?;
    for change in plan.changes.iter() {
        add(line(&**change), &mut put)?;
    }
    put(&line(&End::of(plan, body)))
}

fn line<T: Serialize>(value: &T) -> String {
    // Plain structs of strings and integers always serialise; an empty line would be refused when read.
    let mut text = serde_json::to_string(value).unwrap_or_default();
    text.push('\n');
    text
}

/// Reads what [`write()`] wrote.
pub fn read(text: &str) -> Result<Plan, PlanFileError> {
    let lines = text.split_inclusive('\n');
    read_lines(lines.map(|line| Ok::<_, Infallible>(line.to_owned())))
}

/// Reads lines as [`write_lines`] gave them, each with its line feed; only one is in memory at a time. An error of
/// `lines` is an unreadable line.
pub fn read_lines<E: Display>(lines: impl Iterator<Item = Result<String, E>>) -> Result<Plan, PlanFileError> {
    let unreadable = |line: usize, why: &dyn Display| PlanFileError::Line {
        line,
        why: why.to_string(),
    };
    let (mut head, mut changes, mut body) = (None, Vec::new(), Hashing::new(BYTES));
    // The last line is the end, and which is the last is known when there is no other.
    let (mut held, mut number): (Option<String>, usize) = (None, 0);
    for next in lines {
        let next = next.map_err(|e| unreadable(number + 1, &e))?;
        if let Some(text) = held.replace(next) {
            body.add(text.as_bytes());
            if head.is_none() {
                head = Some(read_head(&text)?);
            } else {
                let change: Change = serde_json::from_str(&text).map_err(|e| unreadable(number, &e))?;
                changes.push(Arc::new(change));
            }
        }
        number += 1;
    }
    let (Some(head), Some(last)) = (head, held) else {
        return Err(PlanFileError::Short { line: number });
    };
    let end: End = serde_json::from_str(&last).map_err(|_| PlanFileError::Short { line: number })?;
    let (header, out, findings, made_at) = (head.header, head.out_of_scope, head.findings, head.made_at);
    let plan = Plan::seal_rows(header, out, changes, findings, made_at)?;
    if plan.digest != end.digest || end.rows != plan.changes.len() as u64 {
        return Err(PlanFileError::Tampered {
            found: plan.digest,
            sealed: end.digest,
        });
    }
    if line(&End::of(&plan, body)) != last {
        return Err(PlanFileError::Altered);
    }
    Ok(plan)
}

fn read_head(text: &str) -> Result<Head, PlanFileError> {
    let head: Head = serde_json::from_str(text).map_err(|e| PlanFileError::Line {
        line: 1,
        why: e.to_string(),
    })?;
    if head.format > FORMAT {
        return Err(PlanFileError::Newer { found: head.format });
    }
    Ok(head)
}

//! A plan as lines of text: a header line, a line per row, an end line with the digest. What is written is what is
//! sealed: reading seals the rows again and refuses a file whose digest differs. Request ids and times are outside that
//! digest, so the end line also has one over the bytes of the file: a flipped bit anywhere is found.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Header, OutOfScope, Plan, PlanError};
use crate::domain::change::Change;
use crate::domain::finding::Finding;
use crate::domain::ids::Digest;
use crate::domain::time::UtcMs;

/// Version of the format.
const FORMAT: u32 = 1;

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
    fn of(plan: &Plan, body: &str) -> Self {
        Self {
            rows: plan.changes.len() as u64,
            digest: plan.digest,
            bytes: Digest::of("cutover-plan-file-v1", [body.as_bytes()]),
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

/// `plan` as text.
#[must_use]
pub fn write(plan: &Plan) -> String {
    let head = Head {
        format: FORMAT,
        header: plan.header.clone(),
        out_of_scope: plan.out_of_scope.clone(),
        findings: plan.findings.to_vec(),
        made_at: plan.made_at,
    };
    let mut text = line(&head);
    for change in plan.changes.iter() {
        text.push_str(&line(&**change));
    }
    let end = End::of(plan, &text);
    text.push_str(&line(&end));
    text
}

fn line<T: Serialize>(value: &T) -> String {
    // Plain structs of strings and integers always serialise; an empty line would be refused when read.
    let mut text = serde_json::to_string(value).unwrap_or_default();
    text.push('\n');
    text
}

/// Reads what [`write()`] wrote.
pub fn read(text: &str) -> Result<Plan, PlanFileError> {
    let body_bytes = text.trim_end_matches('\n').rfind('\n').map_or(0, |at| at + 1);
    let lines: Vec<&str> = text.lines().collect();
    let parse_error = |line: usize, error: &serde_json::Error| PlanFileError::Line {
        line,
        why: error.to_string(),
    };
    let [first, rows @ .., last] = lines.as_slice() else {
        return Err(PlanFileError::Short { line: lines.len() });
    };
    let head: Head = serde_json::from_str(first).map_err(|e| parse_error(1, &e))?;
    if head.format > FORMAT {
        return Err(PlanFileError::Newer { found: head.format });
    }
    let end: End = serde_json::from_str(last).map_err(|_| PlanFileError::Short { line: lines.len() })?;
    let mut changes = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        let change: Change = serde_json::from_str(row).map_err(|e| parse_error(at + 2, &e))?;
        changes.push(change);
    }
    let plan = Plan::seal(
        head.header,
        head.out_of_scope,
        changes,
        head.findings,
        head.made_at,
    )?;
    if plan.digest != end.digest || end.rows != plan.changes.len() as u64 {
        return Err(PlanFileError::Tampered {
            found: plan.digest,
            sealed: end.digest,
        });
    }
    let (body, end) = text.split_at(body_bytes);
    if line(&End::of(&plan, body)) != end {
        return Err(PlanFileError::Altered);
    }
    Ok(plan)
}

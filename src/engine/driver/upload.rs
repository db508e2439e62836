//! What leaves the building: files handed out once their plan was approved and written, and the record of their upload.

use std::collections::BTreeSet;

use super::Engine;
use crate::domain::ids::{Digest, StageId};
use crate::domain::panel::Tone;
use crate::domain::plan::Plan;
use crate::domain::record::Record;
use crate::domain::text::safe;
use crate::domain::time::UtcMs;
use crate::domain::upload::Upload;
use crate::engine::command::CommandRefused;
use crate::engine::state::Phase;
use crate::stages;

/// What the hash over an uploaded file is for.
const UPLOADED: &str = "cutover-uploaded-file-v1";

/// Of the bytes of a file that was uploaded, to know it again.
#[must_use]
pub fn uploaded_digest(bytes: &[u8]) -> Digest {
    Digest::of(UPLOADED, [bytes])
}

impl Engine {
    /// Keeps the files that others act on, if the plan they come of was approved and written.
    pub(super) fn hand_out(&mut self, id: StageId) {
        let written = self.state.stage(id).is_some_and(|stage| {
            let over = matches!(
                stage.phase,
                Phase::Written | Phase::Auditing | Phase::Done | Phase::AuditFailed { .. }
            );
            over && stage.approval.is_some()
        });
        let (Some(stage), Some(plan)) = (stages::get(id), self.plan_of(id)) else {
            return;
        };
        if !written {
            return;
        }
        for file in stage.handed_out(&plan) {
            if let Err(error) = self.vault.dir().store_file(&file.name, &file.bytes) {
                self.note(format!("{} could not be written: {error}", file.name), Tone::Bad);
            }
        }
    }

    /// What stands in a file that was uploaded is not handed out again: its schedules take hours to be there, and a second
    /// file would make a second schedule of each (reliability I27).
    pub(super) fn not_uploaded_already(&self, plan: &Plan) -> Result<(), CommandRefused> {
        let id = plan.header().stage;
        let (Some(script), Some(stage)) = (stages::get(id), self.state.stage(id)) else {
            return Ok(());
        };
        if plan.totals().lines == 0 || stage.uploads.is_empty() {
            return Ok(());
        }
        let files = script.handed_out(plan);
        let stands = files.iter().filter_map(|file| script.contents(&file.bytes)?.ok());
        let lines: BTreeSet<String> = stands.flat_map(|file| file.subscriptions).collect();
        for upload in stage.uploads.iter() {
            let bytes = self.vault.dir().view().read_file(&upload.file).ok();
            let known = bytes.filter(|bytes| uploaded_digest(bytes) == upload.digest);
            let before = known.and_then(|bytes| script.contents(&bytes)?.ok());
            let again = before.map(|file| file.subscriptions.iter().filter(|id| lines.contains(*id)).count());
            if again != Some(0) {
                return Err(CommandRefused::NotNow(format!(
                    "lines of this plan may stand in {}, uploaded as {}, too, and would be made twice: wait until its \
                     schedules are there and read again; if the Dashboard refused that file, go on in a new run",
                    safe(&upload.file),
                    safe(&upload.id)
                )));
            }
        }
        Ok(())
    }

    /// Looks at the file that is said to have been uploaded, and puts it on record.
    pub(super) async fn uploaded(
        &mut self,
        stage: StageId,
        file: String,
        id: String,
        at: UtcMs,
        by: String,
    ) -> Result<(), CommandRefused> {
        let refused = |why: String| CommandRefused::NotNow(why);
        let bytes = self.vault.dir().view().read_file(&file).map_err(|error| {
            refused(format!(
                "{} is not a file that this run handed out ({error}); name it as it stands in the run directory",
                safe(&file)
            ))
        })?;
        let contents = stages::get(stage).and_then(|stage| stage.contents(&bytes));
        let contents = contents
            .ok_or_else(|| refused(format!("{stage} hands out no files")))?
            .map_err(|why| refused(format!("{} cannot be read: {why}", safe(&file))))?;
        let upload = Upload {
            digest: uploaded_digest(&bytes),
            subscriptions: contents.subscriptions.len() as u64,
            customers: contents.customers,
            first: contents.first,
            file,
            id,
            at,
            by,
        };
        self.record(Record::Uploaded { stage, upload }).await
    }
}

//! What leaves the building: files handed out once their plan was approved and written, and the record of their upload.

use super::Engine;
use crate::domain::ids::{Digest, StageId};
use crate::domain::panel::Tone;
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

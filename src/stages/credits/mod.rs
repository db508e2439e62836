//! Customer balances in every currency.

pub mod expected;

use super::*;
use crate::domain::panel::{Align, Column};

/// Settings of the stage.
#[derive(Clone, Debug, Default)]
pub struct Settings;

/// The stage.
pub struct Credits;

impl Stage for Credits {
    fn id(&self) -> StageId {
        StageId::Credits
    }
    fn gather<'a>(&'a self, _: &'a Reading) -> Boxed<'a, Result<Gathered, StageError>> {
        Box::pin(async { Err(StageError::Refused(String::new())) })
    }
    fn plan(&self, _: &Gathered, _: &Reading) -> Result<Plan, StageError> {
        Err(StageError::Refused(String::new()))
    }
    fn recheck<'a>(&'a self, _: &'a Reading, _: &'a Plan) -> Boxed<'a, Result<Recheck, StageError>> {
        Box::pin(async { Err(StageError::Refused(String::new())) })
    }
    fn next(&self, _: &Change, _: &[Fact]) -> Step {
        Step::End {
            end: RowEnd::Failed,
            why: String::new(),
            moved: None,
        }
    }
    fn attest(&self, _: &PlannedWrite, _: &[u8], _: bool) -> Result<Attested, String> {
        Err(String::new())
    }
    fn probe(&self, write: &PlannedWrite, _: UtcMs) -> Look {
        Look {
            label: "probe",
            role: write.role,
            path: write.path.clone(),
            query: vec![],
            list: true,
        }
    }
    fn audit<'a>(
        &'a self,
        _: &'a Reading,
        _: &'a Plan,
        _: &'a [(ChangeKey, RowEnd, Option<Money>)],
    ) -> Boxed<'a, Result<Audit, StageError>> {
        Box::pin(async { Err(StageError::Refused(String::new())) })
    }
    fn panel(&self, _: Option<&Plan>) -> Panel {
        let column = |title: &str, width, align, drop_order| Column {
            title: title.into(),
            width,
            align,
            drop_order,
        };
        Panel {
            title: "Credits".into(),
            teaches: "Reads every customer's ledger in every currency on both accounts. Writes nothing until you approve.".into(),
            columns: vec![
                column("customer", 16, Align::Left, 0),
                column("name", 10, Align::Left, 3),
                column("item", 14, Align::Left, 0),
                column("amount", 16, Align::Right, 0),
                column("rule", 24, Align::Left, 1),
            ],
            ..Panel::default()
        }
    }
    fn cells(&self, change: &Change, unmasked: bool) -> Vec<String> {
        let label = if unmasked {
            change.label.to_string()
        } else {
            change.label.masked()
        };
        vec![
            crate::domain::ids::short_id(&change.subject),
            label,
            change.item.clone(),
            change.money.map(|money| money.to_string()).unwrap_or_default(),
            change.rule.clone(),
        ]
    }
}

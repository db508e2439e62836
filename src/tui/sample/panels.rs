//! The sample's own panels.

use crate::domain::change::Change;
use crate::domain::ids::StageId;
use crate::domain::panel::{Align, Check, Column, Panel, Tone};
use crate::domain::plan::Plan;
use crate::tui::model::Panels;

/// The sample's own panels.
#[derive(Clone, Copy, Debug, Default)]
pub struct SamplePanels;

impl Panels for SamplePanels {
    fn panel(&self, id: StageId, plan: Option<&Plan>) -> Panel {
        let title = match id {
            StageId::Catalogue => "Catalogue",
            StageId::Mapping => "Mapping",
            StageId::Credits => "Credits",
            StageId::Coupons => "Coupons",
            StageId::Subscriptions => "Subscriptions",
        };
        Panel {
            title: title.into(),
            teaches: "Reads every customer's balance in every currency on both accounts, from the ledger and from two \
                      other places, and compares them. Writes nothing until you approve."
                .into(),
            headline: plan.map(headline).unwrap_or_default(),
            checks: plan.map(|_| checks(id)).unwrap_or_default(),
            columns: columns(id),
        }
    }

    fn cells(&self, id: StageId, change: &Change, unmasked: bool) -> Vec<String> {
        let name = if unmasked {
            change.label.to_string()
        } else {
            change.label.masked()
        };
        if id == StageId::Coupons {
            let with = change.with.as_ref().map(ToString::to_string).unwrap_or_default();
            let worked = change.working.first().cloned().unwrap_or_default();
            return vec![
                change.item.clone(),
                with,
                change.risk.word().to_owned(),
                change.rule.clone(),
                worked,
            ];
        }
        vec![
            crate::domain::ids::short_id(&change.subject),
            name,
            change.item.clone(),
            change.money.map(|money| money.to_string()).unwrap_or_default(),
            change.risk.word().to_owned(),
            change.rule.clone(),
        ]
    }
}

fn headline(plan: &Plan) -> Vec<String> {
    let totals = plan.totals();
    let rows = if plan.header().stage == StageId::Coupons {
        "coupons, codes and discounts"
    } else {
        "balances"
    };
    let mut lines = vec![format!(
        "{} {rows}   {} planned   {} blocked   {} no-op   {} left out",
        totals.in_scope, totals.planned, totals.blocked, totals.noop, totals.left_out
    )];
    let money = totals.money.iter().map(|(currency, sums)| {
        let amount = |minor| crate::domain::money::Money::new(minor, *currency).digits();
        format!(
            "{currency} source {} planned {}",
            amount(sums.source),
            amount(sums.planned)
        )
    });
    lines.push(money.collect::<Vec<_>>().join("   "));
    lines
}

fn checks(id: StageId) -> Vec<Check> {
    let check = |says: &str, tone| Check {
        says: says.into(),
        tone,
    };
    if id == StageId::Coupons {
        return vec![
            check("old + new never allow more than is left", Tone::Good),
            check("1 coupon is shared with people who stay", Tone::Attention),
        ];
    }
    vec![
        check("customers copied", Tone::Good),
        check("ledgers add up", Tone::Good),
        check(
            "the old balance stays spendable until it is drained",
            Tone::Attention,
        ),
    ]
}

fn columns(id: StageId) -> Vec<Column> {
    let column = |title: &str, width, align, drop_order| Column {
        title: title.into(),
        width,
        align,
        drop_order,
    };
    if id == StageId::Coupons {
        return vec![
            column("item", 18, Align::Left, 0),
            column("decided with", 14, Align::Left, 1),
            column("risk", 6, Align::Left, 3),
            column("rule", 18, Align::Left, 2),
            column("working", 40, Align::Left, 4),
        ];
    }
    vec![
        column("customer", 14, Align::Left, 0),
        column("name", 10, Align::Left, 3),
        column("item", 12, Align::Left, 4),
        column("amount", 16, Align::Right, 0),
        column("risk", 6, Align::Left, 2),
        column("rule", 18, Align::Left, 1),
    ]
}

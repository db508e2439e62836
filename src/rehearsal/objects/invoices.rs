//! `/v1/invoices`, read only: list, retrieve, lines. Time makes them, and what ends a subscription.

use super::invoices_view::{line, line_id, show};
use super::{customers, subscriptions};
use crate::rehearsal::billing::{Invoice, Line};
use crate::rehearsal::call::{Answer, Call};
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::Kind;
use crate::rehearsal::pages::{self, Row};
use crate::rehearsal::params::{P, Ty, opt};

const NAME: &str = "invoice";

/// What listing takes besides paging.
pub(crate) const LIST: &[P] = &[
    opt("collection_method", super::phases_params::COLLECTION),
    opt("created", Ty::Range),
    opt("customer", Ty::Id),
    opt("customer_account", Ty::Id),
    opt("due_date", Ty::Range),
    opt(
        "status",
        Ty::Enum(&["draft", "open", "paid", "uncollectible", "void"]),
    ),
    opt("subscription", Ty::Id),
];

/// `GET /v1/invoices`
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let expand = call.expand_list(Kind::Invoice)?;
    let page = call.page()?;
    let params = call.params;
    let customer = params.text("customer");
    if let Some(id) = customer {
        customers::by_param(call, id, "customer")?;
    }
    let account = &*call.account;
    let customer = customer.map(|id| account.customers.slot(id));
    let subscription = params.text("subscription");
    let subscription = subscription.map(|id| account.billing.subscriptions.slot(id));
    let keep = |invoice: &Invoice| {
        let sent = invoice.days_due.is_some();
        let due = invoice.due_date();
        customer.is_none_or(|slot| slot == Some(invoice.customer))
            && subscription.is_none_or(|slot| slot.is_some() && slot == invoice.subscription)
            && params
                .text("status")
                .is_none_or(|word| word == invoice.status.word())
            && params
                .text("collection_method")
                .is_none_or(|word| (word == "send_invoice") == sent)
            && (params.node("due_date").is_none()
                || due.is_some_and(|at| subscriptions::within(params, "due_date", at)))
    };
    let all = &account.billing.invoices;
    let (data, more) = if let Some(slot) = customer.flatten() {
        let slots = account
            .billing
            .invoices_of
            .get(&slot)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let rows: Vec<&Invoice> = slots.iter().filter_map(|slot| all.at(*slot)).collect();
        let (data, more) = page.cut(&rows, NAME, |id| pages::place(&rows, id), |i| keep(i))?;
        (
            data.into_iter().map(|i| show(account, i, &expand)).collect(),
            more,
        )
    } else {
        let cursor = |id: &str| all.slot(id).map(|s| s as usize);
        let (data, more) = page.cut(all.rows(), NAME, cursor, keep)?;
        (
            data.into_iter().map(|i| show(account, i, &expand)).collect(),
            more,
        )
    };
    Ok(pages::envelope("/v1/invoices", data, more))
}

fn found<'a>(call: &'a Call<'_>) -> Result<&'a Invoice, Refusal> {
    let id = call.arg(0);
    let found = call.account.billing.invoices.get(id);
    found.ok_or_else(|| Refusal::missing(NAME, id, "invoice", true))
}

/// `GET /v1/invoices/{invoice}`
pub(crate) fn retrieve(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Invoice)?;
    Ok(show(call.account, found(call)?, &expand))
}

/// A line with its id, for paging.
struct Placed<'a> {
    id: String,
    n: usize,
    line: &'a Line,
}

impl Row for Placed<'_> {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        0
    }
}

/// `GET /v1/invoices/{invoice}/lines`: in the order of the invoice.
pub(crate) fn lines(call: &mut Call<'_>) -> Answer {
    let expand = call.expand_list(Kind::InvoiceLine)?;
    let page = call.page()?;
    let invoice = found(call)?;
    let placed = invoice.lines.iter().enumerate().map(|(n, line)| Placed {
        id: line_id(call.account, invoice, n),
        n,
        line,
    });
    // Pages run from the newest: the last in the row is the first on the page.
    let rows: Vec<Placed<'_>> = placed.rev().collect();
    let (data, more) = page.cut(&rows, "line item", |id| pages::place(&rows, id), |_| true)?;
    let data = data.into_iter();
    let data = data
        .map(|p| line(call.account, invoice, p.n, p.line, &expand))
        .collect();
    let url = format!("/v1/invoices/{}/lines", invoice.id);
    Ok(pages::envelope(&url, data, more))
}

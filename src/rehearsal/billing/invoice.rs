//! Invoices, and what they say was billed.

use super::figure::Line;
use crate::rehearsal::currency::Cur;
use crate::rehearsal::metadata::Metadata;
use crate::rehearsal::pages::Row;
use crate::rehearsal::world::Account;

/// Where an invoice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InvoiceStatus {
    Draft,
    Open,
    Paid,
    Uncollectible,
    Void,
}

impl InvoiceStatus {
    /// As the API writes it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Uncollectible => "uncollectible",
            Self::Void => "void",
        }
    }
}

/// An invoice.
#[derive(Clone)]
pub(crate) struct Invoice {
    pub(crate) id: Box<str>,
    pub(crate) created: i64,
    /// Once it is finalised.
    pub(crate) number: Option<Box<str>>,
    /// Slot of the customer.
    pub(crate) customer: u32,
    /// Slot of the subscription.
    pub(crate) subscription: Option<u32>,
    pub(crate) currency: Cur,
    pub(crate) status: InvoiceStatus,
    /// `billing_reason`
    pub(crate) reason: &'static str,
    /// `period_start` and `period_end`: what came before, not what is billed (that is on the lines).
    pub(crate) period: (i64, i64),
    pub(crate) lines: Vec<Line>,
    pub(crate) subtotal: i64,
    pub(crate) total: i64,
    /// Slots of the discounts of all of it.
    pub(crate) discounts: Vec<u32>,
    /// `default_tax_rates`, slots.
    pub(crate) tax_rates: Box<[u32]>,
    pub(crate) automatic_tax: bool,
    /// `days_until_due` of one that is sent; `None`: charged automatically.
    pub(crate) days_due: Option<u32>,
    /// Slot of the method of its own.
    pub(crate) method: Option<u32>,
    pub(crate) auto_advance: bool,
    pub(crate) attempts: u32,
    /// When a payment is tried again.
    pub(crate) retry: Option<i64>,
    /// When a draft is finalised by itself.
    pub(crate) finalizes: Option<i64>,
    pub(crate) finalized: Option<i64>,
    pub(crate) paid: Option<i64>,
    /// When it was voided or given up.
    pub(crate) closed: Option<i64>,
    /// Metadata of its subscription when it was made.
    pub(crate) metadata: Metadata,
}

impl Invoice {
    /// When something of it falls due.
    pub(crate) fn due(&self) -> Option<i64> {
        match self.status {
            InvoiceStatus::Draft if self.auto_advance => self.finalizes,
            InvoiceStatus::Open if self.auto_advance => self.retry,
            _ => None,
        }
    }

    /// When payment is due, of one that is sent.
    pub(crate) fn due_date(&self) -> Option<i64> {
        Some(self.created + i64::from(self.days_due?) * 86_400)
    }
}

impl Row for Invoice {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

/// What an invoice billed of a subscription: one for each time its lines are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Billed {
    /// Slot of the subscription.
    pub(crate) subscription: u32,
    /// Seconds.
    pub(crate) from: i64,
    /// Seconds.
    pub(crate) to: i64,
    pub(crate) currency: Cur,
    /// After discounts, with taxes, minor units; 0 in a trial or under a discount of everything.
    pub(crate) amount: i64,
    /// Slot of the invoice.
    pub(crate) invoice: u32,
    pub(crate) status: InvoiceStatus,
}

/// Everything that was billed for subscriptions, in order.
pub(crate) fn billed(account: &Account) -> Vec<Billed> {
    let invoices = (0_u32..).zip(account.billing.invoices.rows());
    invoices.flat_map(|(slot, invoice)| of(slot, invoice)).collect()
}

fn of(slot: u32, invoice: &Invoice) -> Vec<Billed> {
    let Some(subscription) = invoice.subscription else {
        return Vec::new();
    };
    let mut found: Vec<Billed> = Vec::new();
    for line in &invoice.lines {
        let (from, to) = line.period;
        let amount = line.net();
        match found.iter_mut().find(|b| (b.from, b.to) == (from, to)) {
            Some(known) => known.amount += amount,
            None => found.push(Billed {
                subscription,
                from,
                to,
                currency: invoice.currency,
                amount,
                invoice: slot,
                status: invoice.status,
            }),
        }
    }
    found
}

/// What an account would have billed if everybody left it alone until an instant, and the copy of it that was played
/// forward.
pub(crate) fn foreseen(account: &Account, until: i64) -> (Account, Vec<Billed>) {
    let mut copy = account.clone();
    copy.billing.silent = true;
    super::advance(&mut copy, until);
    let all = billed(&copy);
    (copy, all)
}

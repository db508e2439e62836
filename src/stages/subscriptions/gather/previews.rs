//! Asks Stripe what first bills will be, side by side.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::LANES;
use crate::domain::ids::Role;
use crate::domain::money::{Currency, Money};
use crate::domain::text::safe;
use crate::stages::subscriptions::facts::Preview;
use crate::stages::{Reading, StageError, failed};
use crate::stripe::form::Form;
use crate::stripe::wire::InvoicePreview;

/// What Stripe said.
#[derive(Default)]
pub(super) struct Said {
    pub(super) by_old: BTreeMap<String, Preview>,
    /// The key may not ask, in Stripe's words: nothing more was asked then.
    pub(super) not_asked: Option<String>,
}

/// One call each. The first goes alone: whether the key may ask at all is known after it.
pub(super) async fn ask(reading: &Reading, wanted: Vec<(String, Form)>) -> Result<Said, StageError> {
    let mut said = Said::default();
    let total = wanted.len() as u64;
    let mut wanted = wanted.into_iter();
    let Some((first, form)) = wanted.next() else {
        return Ok(said);
    };
    match one(reading, &form).await? {
        Answer::Says(preview) => said.by_old.insert(first, preview),
        Answer::MayNot(why) => {
            said.not_asked = Some(why);
            return Ok(said);
        }
    };
    let asked = stream::iter(wanted).map(|(id, form)| async move {
        let answer = one(reading, &form).await?;
        Ok::<_, StageError>((id, answer))
    });
    let mut answers = asked.buffer_unordered(LANES);
    while let Some((id, answer)) = answers.try_next().await? {
        match answer {
            Answer::Says(preview) => {
                said.by_old.insert(id, preview);
            }
            Answer::MayNot(why) => said.not_asked = Some(why),
        }
        let done = said.by_old.len() as u64;
        let what = "asking the new account what bills will be";
        reading.watch.progress(what, done, Some(total));
    }
    Ok(said)
}

enum Answer {
    Says(Preview),
    MayNot(String),
}

async fn one(reading: &Reading, form: &Form) -> Result<Answer, StageError> {
    let role = Role::Destination;
    match reading.reader(role)?.preview::<InvoicePreview>(form).await {
        Ok(fetched) => {
            let invoice = fetched.value;
            reading.of_this_mode(role, "a preview", Some(invoice.livemode))?;
            Ok(Answer::Says(says(&invoice)))
        }
        Err(failure) => match failure.api().map(|api| (api.meta.status, &api.message)) {
            Some((403, words)) => Ok(Answer::MayNot(safe(words).to_string())),
            Some((400 | 402 | 404, words)) => Ok(Answer::Says(Preview::Refused(safe(words).to_string()))),
            _ => Err(failed(role, &failure)),
        },
    }
}

/// Of a currency nobody knows nothing is said.
pub(super) fn says(invoice: &InvoicePreview) -> Preview {
    let Ok(currency) = Currency::parse(&invoice.currency) else {
        return Preview::Refused(format!("its currency is `{}`", safe(&invoice.currency)));
    };
    let Some(without_tax) = invoice.total_excluding_tax else {
        return Preview::Refused("it does not say what is due without tax".to_owned());
    };
    Preview::Says {
        without_tax: Money::new(without_tax, currency),
        total: Money::new(invoice.total, currency),
    }
}

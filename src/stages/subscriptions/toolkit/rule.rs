//! Every rule there is: its name, where it comes from, how bad a breach is, and what to do about one.

use serde::Serialize;

/// How bad a breach is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The row is rejected: Stripe would refuse it, or it would do something else than it says.
    Error,
    /// The row is accepted, and somebody should look.
    Warning,
}

/// Defines [`Rule`] and its table in one place, so that none can be without a remedy.
macro_rules! rules {
    ($($variant:ident $name:literal $severity:ident, $source:literal, $means:literal, $remedy:literal;)+) => {
        /// A rule. Its name is what scripts rely on: it does not change.
        #[allow(clippy::doc_markdown, reason = "the texts are shown to people as they stand")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Rule {
            $(#[doc = $means] $variant,)+
        }

        impl Rule {
            /// All of them, in the order of this page.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// How bad a breach is.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)+ }
            }

            /// What Stripe's page says, in our words; what the rule rests on where the page is silent.
            #[must_use]
            pub const fn source(self) -> &'static str {
                match self { $(Self::$variant => $source,)+ }
            }

            /// What is wrong with a value that breaks it.
            #[must_use]
            pub const fn means(self) -> &'static str {
                match self { $(Self::$variant => $means,)+ }
            }

            /// What to do.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy,)+ }
            }
        }
    };
}

rules! {
    // The record as such.
    WrongCellCount "wrong_cell_count" Error, "a CSV record has as many cells as the header",
        "has not as many cells as the header", "add or remove cells; text with a comma belongs in quotation marks";
    BadQuotes "bad_quotes" Error, "a CSV cell is quoted whole or not at all",
        "has a quotation mark in the middle of a cell, which readers of CSV understand differently",
        "put the whole cell in quotation marks and write the mark itself twice";
    UnclosedQuote "unclosed_quote" Error, "a CSV cell that begins with a quotation mark ends with one",
        "begins with a quotation mark that is never closed, so that all that follows is one cell",
        "close or remove the mark, then lint again: the rows behind it have not been looked at";
    OverlongRow "overlong_row" Error, "fifty metadata values of 500 characters fit in half of this",
        "is longer than 256 KiB, which no row can be", "look for a quotation mark that is not closed, or shorten the row";
    EmptyRow "empty_row" Error, "every record has the required fields",
        "has no values at all", "delete the row";
    BlankLine "blank_line" Warning, "readers of CSV skip blank lines",
        "is blank; it is no row and stays where it was", "delete the line";
    Nul "nul" Error, "text has no NUL", "holds a NUL byte", "write the file again as UTF-8 text";
    NotUtf8 "not_utf8" Error, "the API takes UTF-8", "is not UTF-8", "save the file as CSV UTF-8";
    ControlCharacter "control_character" Warning, "a person does not type control characters",
        "holds a control character", "remove it, unless it is meant";
    Shifted "shifted" Error, "values stand below the name of their column",
        "has its values in the wrong columns; nothing else is said of this row",
        "put every value below its column: a cell too many or too few stands before this one";
    SampleDisagrees "sample_disagrees" Warning, "an example of Stripe's page contradicts its own text",
        "stands on Stripe's page as an example, and that example contradicts itself", "follow the rule, not the example";

    // What must be there.
    MissingValue "missing_value" Error, "every record has the required fields",
        "is empty, and every row needs it", "fill it in";
    NoPrice "no_price" Error, "a row has a price, items.0.price, or adhoc_items.0 with amount, product, interval, currency",
        "names nothing to be sold", "fill in price, or items.0.price, or the adhoc_items.0 columns";
    PriceAndItems "price_and_items" Error, "for several items use items.N instead of price",
        "stands beside items.N.price, and only one of the two may be filled", "move everything into items.N, or empty them";
    MixedPricing "mixed_pricing" Warning, "the page shows prices and ad-hoc amounts in templates of their own",
        "stands beside ad-hoc items; the page does not say that one row may have both", "try such a row in a sandbox first";
    ItemsGap "items_gap" Error, "items are numbered 0, 1, 2 …",
        "is filled while the item before it is empty", "number the items without a gap, from 0";
    IncompleteItem "incomplete_item" Error, "an item needs all its required columns",
        "is empty, and the item it belongs to needs it", "fill it in, or empty the item's other columns";
    AdhocProductTemplate "adhoc_product_template" Warning,
        "the specification requires adhoc_items.N.product; the ad-hoc template lists none for the second item",
        "has no column, though the specification requires it; Stripe's ad-hoc template lacks it too",
        "add the column: without a product there is nothing to be billed";
    TooManyItems "too_many_items" Error, "the API: at most 20 items, and 20 invoice items",
        "is one more item than the 20 a subscription may have", "create this subscription by the API or split it";
    PriceTwice "price_twice" Warning, "the API: a subscription has a price once",
        "is in this row already", "add the quantities up and keep one item";
    MixedIntervals "mixed_intervals" Warning, "classic billing: all items of a subscription have one interval",
        "differs from the interval of the item before it", "split the subscription, or try such a row in a sandbox first";

    // Times.
    TimeInMilliseconds "time_in_milliseconds" Error, "dates are epoch seconds",
        "counts milliseconds or smaller", "give whole seconds";
    TimeAsDate "time_as_date" Error, "dates are epoch seconds",
        "is a date in words", "give the seconds since 1970-01-01 00:00 UTC; mind the time zone";
    SpreadsheetDamage "spreadsheet_damage" Error, "values stand as Stripe's page writes them",
        "was changed by a spreadsheet", "fetch the value again and format the column as text before saving";
    NotATime "not_a_time" Error, "dates are epoch seconds",
        "is not a time in epoch seconds", "give the seconds since 1970-01-01 00:00 UTC, ten digits";
    StartTooSoon "start_too_soon" Error, "start_date lies 24 hours or more (a sandbox: 1 hour) after the upload",
        "is too close to the upload", "give a later start, and let the old account bill until then";
    StartFarAhead "start_far_ahead" Warning, "a migration does not start years ahead",
        "is more than two years ahead", "check the digits";
    BackdateNotPast "backdate_not_past" Error, "backdate_start_date lies in the past",
        "does not lie in the past", "give the original start of the subscription, or empty the cell";
    BackdateNeedsNone "backdate_needs_none" Error, "with backdate_start_date, proration_behavior is none",
        "is not `none` though backdate_start_date is set", "write none, or empty backdate_start_date";
    BackdateProrated "backdate_prorated" Warning,
        "the specification wants proration none with a backdate; the example of a past-due subscription prorates with one",
        "is create_prorations beside a backdate: the column's description forbids it, the page's past-due example does it",
        "write none unless the unpaid rest of the period is to be billed here, and never where the old account bills it";
    TrialNotAfterStart "trial_not_after_start" Error, "a trial runs from the start to trial_end",
        "is not after start_date", "give an end after the start, or empty the cell";
    TrialAfterCycle "trial_after_cycle" Error, "trial_end lies before the end of the cycle",
        "lies after the end of the first cycle", "give an end before it, or create the subscription by the API";
    TrialWithBackdate "trial_with_backdate" Warning,
        "the example of a trial starts on January 1 by its text and on December 25 by its backdate",
        "is set beside trial_end: the page's trial example has both, and its text knows of no earlier start",
        "empty backdate_start_date unless the subscription really began before its trial";
    AnchorBeforeStart "anchor_before_start" Error, "billing_cycle_anchor is the next date to bill",
        "lies before start_date", "give the first bill on or after the start";
    AnchorBeyondCycle "anchor_beyond_cycle" Warning, "the API: the anchor is not later than the first natural renewal",
        "lies more than one cycle after start_date", "give the next renewal";
    FreeCycle "free_cycle" Warning, "an anchor after the start, backdated, without proration: nothing is billed until the anchor",
        "is later than start_date, with a backdate and no proration: nothing is billed from the start to the anchor",
        "right only if the old account has billed this period; otherwise start at the anchor";
    AnchorWithoutProration "anchor_without_proration" Warning,
        "the renewal example says that such a row is charged immediately; the mid-period example says that proration none \
         avoids a charge",
        "is later than start_date and proration is none: one example of the page says this charges at once, another that \
         nothing is charged until the anchor",
        "to bill at the start leave the anchor empty; to bill at the anchor start there";
    CancelAtAnchor "cancel_at_anchor" Warning,
        "the example of a cancellation says January 31; its own anchor ends the period on January 25",
        "ends the subscription at the anchor, the end of its first period: the page's example names a later day in its text",
        "check that the customer has paid to that day and no further";
    WholeHourOffset "whole_hour_offset" Warning, "pay attention to time zones when making epoch times",
        "is off by a whole time-zone offset", "take times in UTC from the source; a local time bills hours early or late";

    // Words and numbers.
    NotAChoice "not_a_choice" Error, "the column takes certain words only",
        "is not a word of this column", "write one of them, exactly as it stands here";
    NotABoolean "not_a_boolean" Error, "the column takes true or false",
        "is not true or false", "write TRUE or FALSE";
    SurroundingSpace "surrounding_space" Error, "values are compared exactly",
        "has spaces around it", "remove them";
    NotAWholeNumber "not_a_whole_number" Error, "the column takes a whole number",
        "is not a whole number", "write digits only";
    ZeroQuantity "zero_quantity" Warning, "a quantity of 0 bills nothing",
        "is 0: this item bills nothing", "check that this is meant";
    AmountFormat "amount_format" Error, "a positive number in full units with decimals, such as 21.50",
        "is not an amount", "write it like 21.50, without separators, signs or a currency";
    AmountNotPositive "amount_not_positive" Error, "an amount is a positive number",
        "is not above zero", "give an amount above zero, or empty the item";
    AmountDecimals "amount_decimals" Error, "full units with the decimals of the currency",
        "has more decimals than its currency", "round it to the currency's smallest unit";
    AmountLarge "amount_large" Warning, "the API: amounts have at most eight digits in minor units",
        "is larger than Stripe charges at once", "check that it is in full units";
    AmountThirdDecimal "amount_third_decimal" Warning, "the API: the last digit of a three-decimal amount is 0",
        "has a third decimal other than 0, which Stripe rounds or refuses", "round it to two decimals";
    CurrencyCase "currency_case" Error, "a three-letter ISO code in lowercase",
        "is not in lowercase", "write it in lowercase";
    UnknownCurrency "unknown_currency" Error, "a supported currency",
        "is not a currency Stripe supports", "write a three-letter code such as usd";
    MixedCurrencies "mixed_currencies" Error, "the API: a subscription has one currency",
        "differs from another currency in this row", "bring the row to one currency";

    // Who pays how.
    InvoiceWithoutDays "invoice_without_days" Error, "send_invoice needs days_until_due",
        "is empty though collection_method is send_invoice", "give the days until an invoice is due";
    DaysWithoutInvoice "days_without_invoice" Error, "days_until_due is valid with send_invoice only",
        "is set though collection_method is not send_invoice", "empty it, or write send_invoice";
    TwoTaxes "two_taxes" Error, "default_tax_rate is incompatible with automatic_tax",
        "is set though automatic_tax is true", "keep one of the two";
    SeveralCoupons "several_coupons" Error, "only one coupon per subscription",
        "names several coupons", "keep one, or create the subscription by the API";
    SeveralTaxRates "several_tax_rates" Error, "the column takes one tax rate",
        "names several tax rates", "keep one, or create the subscription by the API";
    CouponName "coupon_name" Warning,
        "the specification wants the identifier of the coupon; the example of a discount says to use its name",
        "looks like a name: the column's description asks for the id, the page's discount example says name",
        "write the coupon's id";

    // Ids.
    WrongId "wrong_id" Error, "the column takes an id of its kind",
        "is not an id of this column's kind", "write the id of the object in the new account";
    UnusualId "unusual_id" Warning, "ids of this kind usually begin otherwise",
        "does not look like an id of this kind", "check that it exists in the new account";

    // Metadata.
    MetadataTooLong "metadata_too_long" Error, "the API: a metadata value has at most 500 characters",
        "is longer than 500 characters", "shorten it";
    MetadataSource "metadata_source" Warning, "a Stripe-to-Stripe migration says internal:Stripe",
        "is not internal:Stripe", "write internal:Stripe when both accounts are Stripe's";
    SourceNotNamed "source_not_named" Warning,
        "the specification wants metadata_source with internal:Stripe; the Stripe-to-Stripe example has no such column",
        "is missing: the specification asks for it, the page's Stripe-to-Stripe example leaves it out",
        "add metadata_source with internal:Stripe";
    NoOldId "no_old_id" Warning, "progress is followed by metadata.old_Stripe_sub_id",
        "is empty: nothing will say which old subscription this is", "fill in the old subscription's id";
    FormulaCell "formula_cell" Warning, "spreadsheets calculate cells that begin with =, +, - or @",
        "begins like a formula; it goes to Stripe as it is", "do not open the file in a spreadsheet";

    // Columns and the file.
    UnknownColumn "unknown_column" Warning, "the specification lists the columns",
        "is not a column of the toolkit; its values have no effect", "remove or rename it";
    ColumnGap "column_gap" Warning, "items are numbered 0, 1, 2 …",
        "follows a number that has no column", "number the items without a gap, from 0";
    ByteOrderMark "byte_order_mark" Warning, "a reader may take the mark for part of the first column's name",
        "begins with a byte order mark, which both files keep", "save it as UTF-8 without the mark";

    // Across rows.
    DuplicateOldId "duplicate_old_id" Error, "one old subscription becomes one new one",
        "was in a row above: this would bill the customer twice", "keep one of the two rows";
    SameTerms "same_terms" Warning, "the same customer, prices and start under other ids",
        "has the same customer, prices and start as a row above", "check that the customer really has two";
}

impl Rule {
    /// Whether a breach rejects the row.
    #[must_use]
    pub const fn rejects(self) -> bool {
        matches!(self.severity(), Severity::Error)
    }
}

impl Serialize for Rule {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_rule_has_a_name_of_its_own_and_says_what_to_do() {
        let names: BTreeSet<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
        assert_eq!(names.len(), Rule::ALL.len());
        for (at, rule) in Rule::ALL.iter().enumerate() {
            assert_eq!(*rule as usize, at);
            assert!(
                rule.name()
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'_' || b == b'8'),
                "{rule:?}"
            );
            for text in [rule.source(), rule.means(), rule.remedy()] {
                assert!(
                    !text.is_empty() && !text.ends_with('.') && !text.contains('"'),
                    "{rule:?}: {text}"
                );
            }
        }
    }
}

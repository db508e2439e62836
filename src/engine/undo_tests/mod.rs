//! A stage is taken back: whole, in reverse, under disturbance, and only by the right words.

mod fake;
mod night;

use std::sync::Arc;

use proptest::prelude::*;

use self::fake::{COUPONS, FAULTS, Fault, Pools, stuck};
use self::night::{Night, PHRASE, T0, pools};
use super::command::CommandRefused;
use super::machine::undo::{self, Words};
use super::state::{KEPT, LEFT};
use super::undoing;
use super::writer::Finished;
use crate::domain::approval::{Refusal, VALID_MS};
use crate::domain::change::Verdict;
use crate::domain::record::{Record, RowEnd};

#[tokio::test]
async fn what_was_written_is_taken_back_the_last_first_and_then_there_is_nothing_left() {
    let night = Night::written(pools()).await;
    assert_eq!(night.sitting(PHRASE, None).await, Ok(Finished::Complete));
    night.is_all_back("undisturbed").await;
    let writes = night.fake.lock().unwrap().writes.clone();
    assert_eq!(writes.len(), 4, "{writes:?}");
    let at = |wanted: &str| writes.iter().position(|write| write == wanted).unwrap();
    assert!(
        at("DELETE /v1/coupons/c1") < at("POST /v1/promotion_codes/p1"),
        "{writes:?}"
    );
    assert!(
        at("DELETE /v1/coupons/c1") < at("POST /v1/promotion_codes/p2"),
        "{writes:?}"
    );
}

#[tokio::test]
async fn only_the_right_words_undo_and_the_wrong_ones_leave_no_trace() {
    let night = Night::written(pools()).await;
    let before = night.records.lock().unwrap().len();
    for wrong in ["", "4", "3 9fT0", "3 9fT0 2 2bR1", "4 rows", "1 2bR1 3 9fT0"] {
        let refused = night.sitting(wrong, None).await;
        let Err(CommandRefused::Approval(Refusal::Phrase { wanted })) = refused else {
            panic!("{wrong}: {refused:?}");
        };
        assert_eq!(wanted, PHRASE);
    }
    assert_eq!(night.records.lock().unwrap().len(), before);
    assert_eq!(night.fake.lock().unwrap().writes, [""; 0]);
}

#[tokio::test]
async fn killed_at_any_record_it_is_taken_up_again_to_the_same_end() {
    let mut cut = 0;
    loop {
        let night = Night::written(pools()).await;
        let finished = night.sitting(PHRASE, Some(cut)).await.unwrap();
        if finished == Finished::Complete {
            break;
        }
        night.to_the_end().await;
        night.is_all_back(&format!("killed at {cut}")).await;
        cut += 1;
    }
    // The undo itself, an intent, an outcome and an end for each of four rows, and the end of all: before and after.
    assert_eq!(cut, 2 * (1 + 4 * 3 + 1));
}

#[tokio::test]
async fn whatever_is_lost_or_unclear_is_settled_and_nothing_is_taken_back_by_guesses() {
    for nth in 0..4 {
        for fault in FAULTS.into_iter().filter(|fault| *fault != Fault::Refused) {
            let night = Night::written(pools()).await.goes_wrong(&[(nth, fault)]);
            night.to_the_end().await;
            night.is_all_back(&format!("{fault:?} at {nth}")).await;
        }
    }
}

#[tokio::test]
async fn what_is_refused_stays_as_it_is_with_its_reason_and_can_be_tried_again() {
    for nth in 0..4 {
        let night = Night::written(pools()).await.goes_wrong(&[(nth, Fault::Refused)]);
        assert_eq!(night.sitting(PHRASE, None).await, Ok(Finished::Complete));
        let stage = night.stage();
        let ends = [RowEnd::Undone, RowEnd::Done].map(|end| stage.tally.count(end));
        assert_eq!((ends, stage.pending()), ([3, 1], 0));
        let left = night.findings(LEFT);
        assert!(
            matches!(left.as_slice(), [why] if why.contains("not_now")),
            "{left:?}"
        );
        let one_row = ["1 9fT0", "1 2bR1"];
        let mut tried = Vec::new();
        for phrase in one_row {
            tried.push(night.sitting(phrase, None).await);
        }
        assert_eq!(
            tried
                .iter()
                .filter(|tried| **tried == Ok(Finished::Complete))
                .count(),
            1
        );
        night.is_all_back(&format!("refused at {nth}")).await;
    }
}

#[tokio::test]
async fn what_somebody_else_took_away_is_said_and_the_rest_is_taken_back() {
    let night = Night::written(pools()).await;
    night.fake.lock().unwrap().coupons.clear();
    assert_eq!(night.sitting(PHRASE, None).await, Ok(Finished::Complete));
    assert_eq!(night.stage().tally.count(RowEnd::Undone), 3);
    let left = night.findings(LEFT);
    assert!(
        matches!(left.as_slice(), [why] if why.contains("coupon/c1")),
        "{left:?}"
    );
}

#[tokio::test]
async fn nothing_is_undone_while_it_is_written_but_writing_that_was_put_down_can_be() {
    let changes = pools();
    let night = Night::planned(changes.clone()).await;
    night.intends(&changes[0]);
    night.wrote(&changes[0]);
    night.row(&changes[0].key, RowEnd::Done);
    let (state, book) = night.fold();
    let words = Words {
        digest: None,
        note: "",
        phrase: "1 2bR1",
        witness: None,
        by: "op",
    };
    let refused = undo::undo(&night.view(&state, &book), COUPONS, Some(Arc::new(Pools)), &words);
    assert!(matches!(refused, Err(CommandRefused::NotNow(_))), "{refused:?}");
    // The next process finds it cut off, and puts it down.
    assert_eq!(night.sitting("1 2bR1", None).await, Ok(Finished::Complete));
    let stage = night.stage();
    assert_eq!((stage.tally.count(RowEnd::Undone), stage.pending()), (1, 3));
}

#[tokio::test]
async fn a_row_of_which_it_is_not_known_what_it_made_is_left_alone() {
    let changes = pools();
    let night = Night::planned(changes.clone()).await;
    for change in &changes {
        night.intends(change);
    }
    for change in &changes[1..] {
        night.wrote(change);
        night.row(&change.key, RowEnd::Failed);
    }
    assert_eq!(night.sitting("3 9fT0", None).await, Ok(Finished::Complete));
    let left = night.findings(LEFT);
    assert!(
        matches!(left.as_slice(), [why] if why.contains("create_coupon of coupon/c1")),
        "{left:?}"
    );
    assert_eq!(night.stage().tally.count(RowEnd::Undone), 3);
}

#[tokio::test]
async fn where_nothing_can_be_taken_back_nothing_is_begun() {
    let night = Night::written(vec![stuck("p9")]).await;
    assert!(matches!(
        night.sitting("", None).await,
        Err(CommandRefused::NotNow(_))
    ));
    let night = Night::planned(pools()).await;
    assert!(matches!(
        night.sitting("", None).await,
        Err(CommandRefused::NotNow(_))
    ));
    let mut rows = pools();
    rows.push(stuck("p9"));
    let night = Night::written(rows).await;
    assert_eq!(night.sitting(PHRASE, None).await, Ok(Finished::Complete));
    assert!(matches!(night.findings(KEPT).as_slice(), [why] if why.contains("stuck/p9")));
    assert_eq!(night.findings(LEFT), [""; 0]);
}

#[tokio::test]
async fn rows_that_were_not_written_have_no_undo_and_the_plan_names_what_it_takes_back() {
    let mut rows = pools();
    rows[3].verdict = Verdict::LeftOut;
    rows[3].planned_as = Verdict::LeftOut;
    let night = Night::written(rows).await;
    let (state, book) = night.fold();
    let stage = state.stage(COUPONS).unwrap();
    let made = || undoing::plan(&Pools, stage, &book, T0).unwrap().unwrap().plan;
    let undo = made();
    let keys: Vec<&str> = undo
        .changes()
        .iter()
        .map(|change| change.key.0.as_str())
        .collect();
    assert_eq!(keys, ["code/p1", "code/p2", "coupon/c1"]);
    let of = stage.plan.as_ref().unwrap().digest();
    assert_eq!(undo.header().policy[undoing::UNDO_OF], of.hex());
    assert_ne!(undo.digest(), of);
    assert_eq!(
        undo.digest(),
        made().digest(),
        "the same journal gives the same plan"
    );
}

#[tokio::test]
async fn what_is_shown_is_what_is_taken_back_or_nothing_is() {
    let night = Night::written(pools()).await;
    let (state, book) = night.fold();
    let script: Option<Arc<dyn crate::stages::Stage>> = Some(Arc::new(Pools));
    let offered = undo::offer(&night.view(&state, &book), COUPONS, script.clone()).unwrap();
    let [crate::engine::machine::Act::OfferUndo(COUPONS, offer)] = &offered[..] else {
        panic!("{offered:?}")
    };
    assert_eq!(offer.plan.changes().len(), 4);
    let words = |digest| Words {
        digest: Some(digest),
        note: "",
        phrase: PHRASE,
        witness: None,
        by: "op",
    };
    let view = night.view(&state, &book);
    let other = state.stage(COUPONS).unwrap().plan.as_ref().unwrap().digest();
    let refused = undo::undo(&view, COUPONS, script.clone(), &words(other));
    assert!(matches!(refused, Err(CommandRefused::NotNow(_))), "{refused:?}");
    assert!(undo::undo(&view, COUPONS, script.clone(), &words(offer.plan.digest())).is_ok());
    assert_eq!(night.sitting(PHRASE, None).await, Ok(Finished::Complete));
    let (state, book) = night.fold();
    let over = undo::offer(&night.view(&state, &book), COUPONS, script);
    let Err(CommandRefused::NotNow(why)) = over else {
        panic!("{over:?}")
    };
    assert!(why.contains("taken back already (4 rows)"), "{why}");
}

#[tokio::test]
async fn an_undo_whose_approval_is_too_old_is_approved_anew() {
    let night = Night::written(pools()).await;
    assert!(matches!(
        night.sitting(PHRASE, Some(5)).await,
        Ok(Finished::Journal(_))
    ));
    let first = night.stage().undo.unwrap().plan.digest();
    night.clock.advance_to(night.clock.now().plus_ms(VALID_MS + 1));
    night.to_the_end().await;
    assert_ne!(night.stage().undo.unwrap().plan.digest(), first);
    night.is_all_back("approved anew").await;
}

#[tokio::test]
async fn what_is_written_again_after_an_undo_has_keys_of_its_own() {
    let night = Night::written(pools()).await;
    let before = night.fold().1.generations_before(COUPONS);
    assert_eq!(night.sitting(PHRASE, None).await, Ok(Finished::Complete));
    night.says(Record::Gathering { stage: COUPONS });
    assert!(night.fold().1.generations_before(COUPONS) > before);
    let stage = night.stage();
    let [pass] = stage.passes.as_slice() else {
        panic!("{:?}", stage.passes)
    };
    assert_eq!((pass.planned, pass.tally.count(RowEnd::Undone)), (4, 4));
    assert!(stage.plan.is_none(), "what was is not what is");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Killed again and again, with answers lost on the way.
    #[test]
    fn no_disturbance_changes_how_it_ends(
        cuts in prop::collection::vec(0usize..26, 0..4),
        faults in prop::collection::vec((0usize..8, 0usize..4), 0..3),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let faults: Vec<(usize, Fault)> = faults.iter().map(|(nth, fault)| (*nth, FAULTS[*fault])).collect();
            let night = Night::written(pools()).await.goes_wrong(&faults);
            for cut in &cuts {
                if night.stage().undo.is_some_and(|undo| undo.is_over) {
                    break;
                }
                night.sitting(PHRASE, Some(*cut)).await.unwrap();
            }
            night.to_the_end().await;
            night.is_all_back(&format!("{cuts:?} {faults:?}")).await;
        });
    }
}

//! Any bytes: refused, or parted so that both halves together are the input. The same property is a proptest in
//! `src/stages/subscriptions/toolkit/tests/halves.rs`.

#![no_main]

use std::ops::ControlFlow;

use cutover::stages::subscriptions::toolkit::{Mode, Output, Report, Rules, lint};
use libfuzzer_sys::fuzz_target;

fn run(input: &[u8], threads: usize) -> Option<(Report, Vec<u8>, Vec<u8>)> {
    let rules = Rules {
        keep: usize::MAX,
        threads,
        ..Rules::new(1_703_548_800, Mode::Live)
    };
    let (mut accepted, mut errors) = (Vec::new(), Vec::new());
    let out = Output {
        accepted: Some(&mut accepted),
        errors: Some(&mut errors),
        rows: None,
    };
    let report = lint(input, &rules, out, &mut |_| ControlFlow::Continue(())).ok()?;
    Some((report, accepted, errors))
}

fn check(input: &[u8]) {
    let Some((report, accepted, errors)) = run(input, 1) else {
        assert!(run(input, 2).is_none());
        return;
    };
    assert_eq!(report.rows, report.accepted + report.rejected);
    assert_eq!(run(input, 2), Some((report.clone(), accepted.clone(), errors.clone())));
    // Bytes that were added: `,processing_error` to the header, and to each rejected row a comma and a text in quotation
    // marks that has none inside. What is left has as many bytes of every kind as the input and the header once more.
    let added: usize = accepted.len() + errors.len();
    assert!(added >= input.len());
    if report.rejected == 0 {
        assert_eq!(accepted, input);
    }
    // The errors half reads back with as many rows, all of them wrong still, unless what was wrong was in the other half.
    if report.rejected > 0 && !report.counts.keys().any(|rule| rule.name() == "duplicate_old_id") {
        let again = run(&errors, 1).map(|(again, ..)| (again.rows, again.rejected));
        assert_eq!(again, Some((report.rejected, report.rejected)));
    }
}

fuzz_target!(|input: &[u8]| {
    check(input);
    // Most bytes are no header; these are rows below one.
    let header = b"customer,start_date,price,coupon,metadata.old_Stripe_sub_id\n".as_slice();
    check(&[header, input].concat());
});

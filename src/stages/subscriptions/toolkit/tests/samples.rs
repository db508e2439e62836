//! The example tables of Stripe's page, typed anew as data, each with the verdict it deserves.

use super::*;

/// Name, rules that reject it, rules that warn, header, row.
fn fixtures() -> Vec<[&'static str; 5]> {
    let text = include_str!("../../../../../tests/toolkit/examples.txt");
    let blocks = text.split("\n\n").filter(|block| !block.trim().is_empty());
    blocks
        .map(|block| {
            let lines: Vec<&str> = block
                .trim_matches('\n')
                .lines()
                .filter(|line| !line.starts_with('#'))
                .collect();
            lines.try_into().unwrap_or_else(|lines| panic!("{lines:?}"))
        })
        .collect()
}

#[test]
fn every_example_of_the_page_has_its_verdict() {
    let names = |line: &str| {
        line.split_once(':')
            .unwrap()
            .1
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    };
    let fixtures = fixtures();
    assert_eq!(fixtures.len(), 17);
    for [name, errors, warnings, header, row] in fixtures {
        let report = linted(format!("{header}\n{row}\n")).report;
        let rules = |findings: &[Finding]| findings.iter().map(|one| one.rule.name().to_owned()).collect();
        let verdict: (BTreeSet<String>, BTreeSet<String>) = (rules(&report.errors), rules(&report.warnings));
        assert_eq!(verdict, (names(errors), names(warnings)), "{name}");
    }
}

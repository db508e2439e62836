use super::super::Route;
use super::super::facts::{BECAME, HANDOVER, Read};
use super::super::model_tests::{Kind, accounts, change, phase, row, writes};
use super::super::model_world_tests::{HOUR, NOW, P0, PERIOD, World};
use super::*;
use crate::domain::plan::{Header, OutOfScope};
use crate::domain::scope::ScopeRule;

/// One row, both accounts, and the time.
struct Case {
    row: Row,
    kind: Kind,
    end: RowEnd,
    old: Option<Old>,
    twins: Vec<Twin>,
    at: i64,
}

fn twin(start: i64) -> Twin {
    Twin {
        schedule: Some("sub_sched_1".into()),
        subscription: None,
        of: "sub_1".into(),
        customer: "cus_1".into(),
        begun: false,
        created: NOW,
        start,
        phases: vec![phase(start)],
        ends: false,
        effect: None,
        read: Read::default(),
    }
}

fn old() -> Old {
    let wire: crate::stripe::wire::Subscription =
        serde_json::from_str(&World::new().old_json().to_string()).unwrap();
    Old::of(&wire, Read::default()).unwrap()
}

fn stopped(mut old: Old, handover: i64) -> Old {
    old.metadata.insert(HANDOVER.into(), handover.to_string());
    old.metadata.insert(BECAME.into(), "sub_sched_1".into());
    old
}

impl Case {
    /// Created and stopped, and everything as it should be.
    fn good() -> Self {
        let mut old = stopped(old(), P0);
        old.ends_with_period = true;
        Self {
            row: row(&World::new(), P0),
            kind: Kind::CreateAndEnd,
            end: RowEnd::Done,
            old: Some(old),
            twins: vec![twin(P0)],
            at: NOW,
        }
    }

    /// Created, with a bill of the old account to come.
    fn waits() -> Self {
        Self {
            row: row(&World::new(), P0 + PERIOD),
            kind: Kind::Create,
            old: Some(old()),
            twins: vec![twin(P0 + PERIOD)],
            ..Self::good()
        }
    }

    fn audit(&self) -> Audit {
        let change = change(&self.row, writes(self.kind, &self.row));
        let header = Header {
            stage: StageId::Subscriptions,
            accounts: accounts(),
            scope: ScopeRule::default().digest(),
            policy: BTreeMap::new(),
        };
        let ends = [(change.key.clone(), self.end, None)];
        let plan = Plan::seal(header, OutOfScope::default(), vec![change], Vec::new(), UtcMs(0)).unwrap();
        let old = self.old.iter().map(|old| (old.id.clone(), old.clone())).collect();
        let twins = [("sub_1".to_owned(), self.twins.clone())].into();
        let now = Now {
            old: &old,
            twins: &twins,
            at: self.at,
        };
        compare(&plan, &ends, &now)
    }

    fn found(&self) -> Vec<(String, Severity)> {
        let audit = self.audit();
        assert_eq!(
            audit.compared,
            u64::from(self.end == RowEnd::Done),
            "{:?}",
            audit.findings
        );
        let found = audit.findings.into_iter();
        found.map(|finding| (finding.rule, finding.severity)).collect()
    }
}

fn one(rule: &str, severity: Severity) -> Vec<(String, Severity)> {
    vec![(rule.to_owned(), severity)]
}

#[test]
fn a_row_that_was_handed_over_well_is_compared_and_nothing_is_found() {
    assert_eq!(Case::good().found(), []);
    let mut begun = Case::good();
    let old = begun.old.as_mut().unwrap();
    (old.status, old.ended_at) = (Status::Ended, Some(P0));
    begun.twins[0].begun = true;
    begun.at = P0 + 2 * HOUR;
    assert_eq!(begun.found(), []);
}

type Wrong = fn(&mut Twin);

#[test]
fn two_new_ones_or_none_or_another_one_are_found() {
    let mut two = Case::good();
    two.twins.push(twin(P0));
    assert_eq!(two.found(), one("two_twins", Severity::Differs));
    let mut none = Case::good();
    none.twins.clear();
    let rules: Vec<String> = none.found().into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(rules, ["nobody_bills", "twin_not_there"]);
    let wrong: [Wrong; 5] = [
        |twin| twin.phases[0].items[0].quantity = Some(9),
        |twin| twin.phases[0].items[0].price = "price_x".into(),
        |twin| twin.phases[0].coupons.push("c".into()),
        |twin| twin.customer = "cus_2".into(),
        |twin| twin.phases[0].method = Some("pm_9".into()),
    ];
    for wrong in wrong {
        let mut other = Case::good();
        wrong(&mut other.twins[0]);
        assert_eq!(other.found(), one("twin_differs", Severity::Differs));
        other.twins[0].begun = true;
        assert_eq!(other.found(), one("twin_differs", Severity::Warn));
    }
}

#[test]
fn one_that_was_to_begin_and_has_not_is_found() {
    let mut late = Case::good();
    let old = late.old.as_mut().unwrap();
    (old.status, old.ended_at) = (Status::Ended, Some(P0));
    late.at = P0 + 2 * HOUR;
    assert_eq!(late.found(), one("not_begun", Severity::Differs));
}

#[test]
fn an_old_one_that_goes_on_is_found_and_louder_as_the_handover_comes_nearer() {
    let mut goes_on = Case::good();
    goes_on.old = Some(old());
    assert_eq!(goes_on.found(), one("not_stopped", Severity::Differs));
    goes_on.kind = Kind::Create;
    for (hours, rule, severity) in [
        (30, "waits_for_stop", Severity::Note),
        (14, "waits_for_stop", Severity::Note),
        (13, "stop_is_due", Severity::Warn),
        (2, "stop_is_due", Severity::Warn),
        (1, "stop_is_due", Severity::Differs),
    ] {
        goes_on.at = P0 - hours * HOUR;
        assert_eq!(goes_on.found(), one(rule, severity), "{hours} hours before");
    }
    goes_on.at = P0;
    goes_on.twins[0].begun = true;
    assert_eq!(goes_on.found(), one("both_bill", Severity::Differs));
    goes_on.end = RowEnd::Drifted;
    assert_eq!(
        goes_on.found(),
        one("both_bill", Severity::Differs),
        "whatever became of the row"
    );
}

#[test]
fn rows_that_wait_are_counted_with_until_when() {
    assert_eq!(Case::waits().found(), one("waits_for_bill", Severity::Note));
    let said = Case::waits().audit().findings.remove(0).reason;
    let until = UtcMs::from_secs(P0);
    assert!(
        said.starts_with("1 rows have a bill") && said.contains(&until.day()),
        "{said}"
    );
    let mut paused = Case::good();
    paused.kind = Kind::CreateAndPause;
    let mut old = stopped(old(), P0);
    old.pause = Some("keep_as_draft".into());
    paused.old = Some(old);
    assert_eq!(paused.found(), one("paused_until_window", Severity::Note));
    paused.at = paused.row.window_ends;
    paused.twins[0].begun = true;
    assert_eq!(paused.found(), one("still_paused", Severity::Warn));
}

#[test]
fn a_row_of_the_file_waits_for_its_upload_until_a_day_before_its_start() {
    let mut file = Case::waits();
    file.kind = Kind::File;
    file.row.route = Some(Route::Csv);
    file.row.cells = BTreeMap::from([("customer".to_owned(), "cus_1".to_owned())]);
    file.twins.clear();
    assert_eq!(file.found(), one("waits_for_upload", Severity::Note));
    file.at = P0 + PERIOD - DAY;
    assert_eq!(file.found(), one("too_late_to_upload", Severity::Differs));
    file.twins = vec![twin(P0 + PERIOD)];
    file.at = NOW;
    assert_eq!(
        file.found(),
        one("waits_for_bill", Severity::Note),
        "it was uploaded"
    );
}

#[test]
fn a_stop_for_another_handover_and_an_old_one_that_ended_by_itself_are_found() {
    let mut other = Case::good();
    let old_one = other.old.as_mut().unwrap();
    old_one
        .metadata
        .insert(HANDOVER.into(), (P0 - PERIOD).to_string());
    assert_eq!(other.found(), one("handover_differs", Severity::Differs));
    let mut ended = Case::waits();
    let mut old = old();
    old.cancel_at = Some(P0);
    ended.old = Some(old);
    assert_eq!(ended.found(), one("begins_for_an_ended_one", Severity::Warn));
}

#[test]
fn findings_about_single_rows_are_capped_and_the_worst_are_kept() {
    let now = Now {
        old: &BTreeMap::new(),
        twins: &BTreeMap::new(),
        at: 0,
    };
    let mut audit = Auditing {
        now: &now,
        findings: Vec::new(),
        waiting: BTreeMap::new(),
    };
    let row = row(&World::new(), P0);
    for _ in 0..MOST {
        audit.say(&row, "slight", Severity::Warn, "x");
    }
    audit.say(&row, "grave", Severity::Differs, "x");
    let found = audit.findings();
    assert_eq!((found.len(), found[0].rule.as_str()), (MOST + 1, "grave"));
    assert!(found[MOST].reason.contains("1 findings more"));
}

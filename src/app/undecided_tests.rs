use std::sync::Arc;

use super::*;
use crate::config::decisions::parse;
use crate::domain::change::Verdict;
use crate::tui::sample;

fn plan() -> Arc<Plan> {
    let state = sample::coupons();
    state.stages.last().unwrap().plan.clone().unwrap()
}

fn decided(csv: &str) -> Result<Plan, String> {
    let plan = plan();
    let decisions = parse("d.csv", csv.as_bytes()).map_err(|error| error.to_string())?;
    plan.decide_all(in_order(&plan, decisions))
        .map_err(|error| error.to_string())
}

fn verdict(plan: &Plan, key: &str) -> Verdict {
    plan.changes()[plan.position(&ChangeKey(key.into())).unwrap()].verdict
}

#[test]
fn every_row_that_waits_is_listed_with_its_choices_bounds_leader_and_working() {
    let rows = undecided(&plan());
    let json = serde_json::to_value(&rows).unwrap();
    let keys: Vec<&str> = rows.iter().map(|row| row.key.as_str()).collect();
    assert_eq!(keys, ["code/VIP", "code/VIP-ANNA", "coupon/VIP"]);
    assert_eq!(json[1]["with"], "coupon/VIP");
    let of_code = json[1]["choices"].as_array().unwrap();
    assert_eq!((of_code.len(), &of_code[0]["choice"]), (1, &"leave_out".into()));
    assert!(json[2].get("with").is_none());
    let split = &json[2]["choices"][2];
    assert_eq!(
        (&split["choice"], &split["needs_note"]),
        (&"split".into(), &true.into())
    );
    assert_eq!(
        (&split["number"]["least"], &split["number"]["most"]),
        (&1.into(), &2.into())
    );
    assert_eq!(json[2]["working"].as_array().unwrap().len(), 4);
    let said = lines(&rows).join("\n");
    assert!(said.contains("10 allowed - 7 used = 3 left"), "{said}");
    assert!(
        said.contains("number: uses on the new account, 1 to 2, usually 2"),
        "{said}"
    );
}

#[test]
fn every_choice_that_is_listed_is_taken_when_a_file_makes_it() {
    for row in undecided(&plan()) {
        for offered in &row.choices {
            let number = offered
                .number
                .as_ref()
                .map_or(String::new(), |asked| asked.usual.to_string());
            let csv = format!(
                "key,choice,number,note,by\n{},{},{number},by phone,Ada\n",
                row.key, offered.choice
            );
            let after = decided(&csv).unwrap();
            assert_ne!(verdict(&after, &row.key), Verdict::Blocked, "{csv}");
        }
    }
}

#[test]
fn a_number_out_of_bounds_or_a_choice_made_at_another_row_is_refused() {
    let head = "key,choice,number,note,by\n";
    let said = decided(&format!("{head}coupon/VIP,split,3,by phone,Ada\n")).unwrap_err();
    assert!(said.contains("needs a number from 1 to 2"), "{said}");
    let said = decided(&format!("{head}code/VIP,move,,,Ada\n")).unwrap_err();
    assert!(said.contains("is decided at row coupon/VIP"), "{said}");
}

#[test]
fn what_is_said_of_one_row_alone_holds_wherever_it_stands_in_the_file() {
    let lines = ["code/VIP,leave_out,,,Ada\n", "coupon/VIP,split,1,by phone,Ada\n"];
    for order in [[0, 1], [1, 0]] {
        let csv: String = order.iter().map(|at| lines[*at]).collect();
        let after = decided(&format!("key,choice,number,note,by\n{csv}")).unwrap();
        assert_eq!(verdict(&after, "code/VIP"), Verdict::LeftOut, "{order:?}");
        assert_eq!(verdict(&after, "code/VIP-ANNA"), Verdict::Planned);
    }
}

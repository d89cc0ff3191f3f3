use super::{said, scenario};
use crate::scenario::{Repetitions, Until};

const TWO: &str = "[matrix]\nconsumers = [1, 2]";

fn read(value: &str) -> Repetitions {
    scenario(&format!("repetitions = {value}\n{TWO}")).repetitions
}

#[test]
fn blocks_are_a_number_or_go_on_until_something_holds() {
    let until = Repetitions::until_holds;
    assert_eq!(read("12"), Repetitions::Fixed(12));
    assert_eq!(read("{ until = 'decided' }"), until(Until::Decided, 40));
    assert_eq!(read("{ until = 'decided', at_most = 25 }"), until(Until::Decided, 25));
    assert_eq!(read("{ until = '2.5%' }"), until(Until::HalfWidth(0.025), 40));
}

#[test]
fn blocks_that_cannot_be_are_errors() {
    let values = [
        "{ until = 'decidet' }",
        "{ until = '60%' }",
        "{ until = '1' }",
        "{ until = '.5%' }",
        "{ until = 'decided', at_most = 5 }",
        "{ until = 'decided', atmost = 20 }",
        "{ at_most = 20 }",
        "'decided'",
    ];
    let mut files: Vec<String> = values
        .iter()
        .map(|value| format!("repetitions = {value}\n{TWO}"))
        .collect();
    files.push("repetitions = { until = 'decided' }".to_owned());
    files.push("repetitions = { until = 'decided', at_most = 6 }\n[matrix]\nconsumers = [1, 2, 4, 8]".to_owned());
    files.push(format!(
        "repetitions = {{ until = 'decided' }}\n[load]\nrate = 100\n[capacity]\np99_ms = 50\n{TWO}"
    ));
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    insta::assert_snapshot!(said(&files));
}

#[test]
fn a_number_stored_before_there_was_anything_else_is_still_read() {
    let stored = serde_json::to_value(scenario(&format!("repetitions = 12\n{TWO}"))).unwrap();
    assert_eq!(stored["repetitions"], 12);
    for value in ["12", "{ until = 'decided' }", "{ until = '1%', at_most = 20 }"] {
        let text = serde_json::to_string(&read(value)).unwrap();
        assert_eq!(
            serde_json::from_str::<Repetitions>(&text).unwrap(),
            read(value),
            "{text}"
        );
    }
}

#[test]
fn another_rule_replaces_that_of_the_file() {
    let file = scenario(&format!("repetitions = {{ until = 'decided', at_most = 25 }}\n{TWO}"));
    assert_eq!(file.clone().with_repetitions(8).repetitions, Repetitions::Fixed(8));
    let narrow = file.until(Until::HalfWidth(0.01)).unwrap().repetitions;
    assert_eq!((narrow.until(), narrow.at_most()), (Some(Until::HalfWidth(0.01)), 25));
    let alone = scenario("").until(Until::Decided).unwrap_err().to_string();
    assert!(alone.contains("nothing is compared"), "{alone}");
}

#[test]
fn a_file_that_does_not_say_goes_on_until_decided_where_something_is_compared() {
    let usual = Repetitions::until_holds(Until::Decided, 20);
    assert_eq!(scenario(TWO).repetitions(), usual);
    let capacity = format!("[load]\nrate = 100\n[capacity]\np99_ms = 50\n{TWO}");
    for alone in ["", "[matrix]\nsize = [100, 1_000]", &capacity] {
        assert_eq!(scenario(alone).repetitions(), Repetitions::Fixed(10), "{alone}");
    }
    // What another cluster or a selection changes counts.
    let alone = scenario(TWO).only(&["consumers=1".to_owned()]).unwrap();
    assert_eq!(alone.repetitions(), Repetitions::Fixed(10));
    let on_both = scenario("[cluster]\nbootstrap = 'a:9092'")
        .with_variants(Some("b:9092"), &[])
        .unwrap();
    assert_eq!(on_both.repetitions(), usual);
    assert!(scenario(TWO).warnings.is_empty());
}

#[test]
fn a_limit_below_what_a_selection_needs_is_warned_of() {
    let text = format!("repetitions = {{ until = 'decided', at_most = 6 }}\n[cluster]\nbootstrap = 'a:9092'\n{TWO}");
    let on_both = scenario(&text).with_variants(Some("b:9092"), &[]).unwrap();
    let [warning] = &on_both.warnings[..] else {
        panic!("{:?}", on_both.warnings);
    };
    assert!(warning.contains("set its at_most = 7 or more"), "{warning}");
}

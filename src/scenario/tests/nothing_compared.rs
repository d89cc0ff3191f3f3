//! What is said of scenarios that compare nothing.

use super::scenario;

fn said(texts: &[&str]) -> String {
    let sentence = |text: &&str| {
        scenario(text)
            .nothing_compared()
            .unwrap_or_else(|| "(compares)".to_owned())
    };
    texts.iter().map(|text| sentence(text) + "\n").collect()
}

#[test]
fn a_scenario_that_compares_nothing_says_why_and_what_would_compare() {
    const TWO_CASES: &str = "[[case]]\nname = 'a'\n[[case]]\nname = 'b'\nwork = 'cpu 5us'";
    insta::assert_snapshot!(said(&[
        "",
        "[matrix]\ncompression = ['none', 'lz4']\nsize = [100, 1_000]",
        "[load]\n[matrix]\nmib_per_second = [1, 2]",
        "[load]\nrate = 100\n[matrix]\nmode = ['backlog', 'live']",
        TWO_CASES,
        &format!("[matrix]\nprocesses = [1, 2]\n{TWO_CASES}"),
    ]), @r#"
    nothing will be compared, because there is one configuration: add a [[case]], or a list of values to [matrix], such as processes = [1, 2]
    nothing will be compared, because configurations that differ in `size` or `compression` are not compared with each other: set compare_across = ["size", "compression"], or add a [[case]], or another key to [matrix], such as processes = [1, 2]
    nothing will be compared, because configurations that differ in `rate` are not compared with each other: set compare_across = ["rate"], or add a [[case]], or another key to [matrix], such as processes = [1, 2]
    nothing will be compared, because configurations that differ in `mode` are not compared with each other: add a [[case]], or another key to [matrix], such as processes = [1, 2]
    nothing will be compared, because configurations that differ in `work` are not compared with each other: set compare_across = ["work"], or add a [[case]], or another key to [matrix], such as processes = [1, 2]
    nothing will be compared, because every configuration differs in `work` from its baseline: set compare_across = ["work"], or set `baseline` to the name of a configuration
    "#);
}

#[test]
fn a_scenario_that_compares_says_nothing() {
    let split = "[matrix]\ncompression = ['none', 'lz4']\nprocesses = [1, 2]";
    let named = "baseline = 'a processes=1'\n[matrix]\nprocesses = [1, 2]\n[[case]]\nname = 'a'\n[[case]]\nname = 'b'\n\
                 work = 'cpu 5us'";
    for text in [split, named] {
        assert_eq!(scenario(text).nothing_compared(), None, "{text}");
    }
    let other = scenario("[cluster]\nbootstrap = 'a:9092'")
        .with_variants(Some("b:9092"), &[])
        .unwrap();
    assert_eq!(other.nothing_compared(), None);
}

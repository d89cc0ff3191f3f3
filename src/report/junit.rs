//! Comparisons as JUnit XML, which services for continuous integration show: a test case for each.
//!
//! The form is that of Jenkins' `junit-10.xsd`. Figures stand in the output of each case, because that schema has
//! properties for suites only.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::format::{p_value, printable};
use super::tables;
use crate::summary::condition::{Alarm, Condition, Judged, JudgedBy};
use crate::summary::{CheckedRequirement, Met, Metric, Verdict};

/// The comparisons of one command.
#[derive(Debug, Clone, Copy)]
pub struct JunitSuite<'a> {
    /// The question, name of the suite.
    pub question: &'a str,
    /// Name of the scenario, the class of every case.
    pub scenario: &'a str,
    /// Names and folders of the runs.
    pub properties: &'a [(String, String)],
    /// What was compared.
    pub judged: &'a [Judged],
    /// What the scenario requires of figures.
    pub requirements: &'a [CheckedRequirement],
    /// What makes a case a failure.
    pub conditions: &'a [Condition],
    /// Where a single run is judged: what is wrong with its measurement, a case of its own.
    pub wrong: Option<&'a [String]>,
    /// Why nothing could be compared.
    pub error: Option<&'a str>,
}

/// The case that says whether everything was measured as it should.
const MEASUREMENT: &str = "measurement";

/// How a case that did not pass ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Failure,
    Error,
    Skipped,
}

impl Ended {
    /// The element that says so.
    fn element(self) -> &'static str {
        match self {
            Ended::Failure => "failure",
            Ended::Error => "error",
            Ended::Skipped => "skipped",
        }
    }
}

struct Case {
    name: String,
    /// With a type and a message; `None` where the case passed.
    outcome: Option<(Ended, String, String)>,
    output: String,
}

/// The suite as a document.
pub fn junit(suite: &JunitSuite) -> String {
    let cases = cases(suite);
    let mut out = Vec::new();
    // A vector accepts every byte.
    let _ = write(&mut Writer::new_with_indent(&mut out, b' ', 2), suite, &cases);
    out.push(b'\n');
    String::from_utf8_lossy(&out).into_owned()
}

fn cases(suite: &JunitSuite) -> Vec<Case> {
    let error = suite.error.iter().map(|error| Case {
        name: "comparison".to_owned(),
        outcome: Some((Ended::Error, "not comparable".to_owned(), (*error).to_owned())),
        output: String::new(),
    });
    let judged = suite.judged.iter().map(|judged| Case {
        name: judged.name.clone(),
        outcome: outcome(judged, suite.conditions),
        output: sentence(judged),
    });
    let measured = suite.wrong.iter().map(|wrong| Case {
        name: MEASUREMENT.to_owned(),
        outcome: wrong.split_first().map(|(first, more)| {
            let more = match more.len() {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            (Ended::Failure, MEASUREMENT.to_owned(), format!("{first}{more}"))
        }),
        output: wrong.join("\n"),
    });
    let required = suite.requirements.iter().map(|checked| Case {
        name: format!(
            "{} of {} {}",
            checked.requirement.figure.figure().name,
            checked.name,
            tables::bound(&checked.requirement)
        ),
        outcome: match checked.outcome {
            Met::Yes => None,
            _ if checked.fails() => Some(Ended::Failure),
            _ => Some(Ended::Skipped),
        }
        .map(|ended| (ended, "require".to_owned(), tables::requirement_sentence(checked))),
        output: tables::requirement_sentence(checked),
    });
    error.chain(judged).chain(required).chain(measured).collect()
}

fn outcome(judged: &Judged, conditions: &[Condition]) -> Option<(Ended, String, String)> {
    let alarms = conditions.iter().filter_map(|c| Some((c, c.alarm(judged)?)));
    let alarms: Vec<(&Condition, Alarm)> = alarms.collect();
    // A condition that holds says more than one that cannot be judged.
    let holding = alarms.iter().find(|(_, alarm)| *alarm == Alarm::Holds);
    let sentence = sentence(judged);
    match (holding.or(alarms.first()), judged.verdict) {
        (Some((condition, Alarm::Holds)), _) => Some((Ended::Failure, condition.to_string(), sentence)),
        (Some((condition, Alarm::CannotBeJudged)), _) => {
            let message = format!("too few trials have a figure to judge: {sentence}");
            Some((Ended::Failure, condition.to_string(), message))
        }
        (None, None) => Some((Ended::Skipped, "not compared".to_owned(), sentence)),
        (None, Some(Verdict::Undecided)) => Some((Ended::Skipped, "undecided".to_owned(), sentence)),
        (None, Some(_)) => None,
    }
}

/// `slower than A by read time: 0.50× [0.49, 0.51], p (Holm) < 0.001`.
fn sentence(judged: &Judged) -> String {
    let note = judged.note.as_ref().map_or(String::new(), |note| format!(" ({note})"));
    let (Some(verdict), Some(by)) = (judged.verdict, judged.by) else {
        return format!("not compared with {}{note}", judged.baseline);
    };
    let (metric, noun) = match by {
        JudgedBy::Metric(metric) => (Some(metric), &*metric.comparing().noun),
        JudgedBy::Capacity => (None, "capacity"),
    };
    let comparing = metric.map(Metric::comparing);
    // What is neither a time nor a speed is named by the verdict.
    let by = match (verdict, comparing) {
        (Verdict::Faster | Verdict::Slower, Some(comparing)) if !comparing.is_of_time() => String::new(),
        _ => format!(" by {noun}"),
    };
    let decided = |is_better| {
        let usual = ["slower", "faster"][usize::from(is_better)];
        let words = comparing.map_or(usual.to_owned(), |comparing| comparing.verdict(is_better));
        format!("{words} than")
    };
    let verdict = match verdict {
        Verdict::Same => "the same as".to_owned(),
        Verdict::Faster => decided(true),
        Verdict::Slower => decided(false),
        Verdict::Undecided => "undecided against".to_owned(),
    };
    let figures = [
        judged.effect.map(|effect| tables::effect_text(metric, effect)),
        judged.p_holm.map(|p| format!("p (Holm) {}", p_value(p))),
    ];
    let figures: Vec<String> = figures.into_iter().flatten().collect();
    let colon = if figures.is_empty() { "" } else { ": " };
    format!("{verdict} {}{by}{colon}{}{note}", judged.baseline, figures.join(", "))
}

fn write(xml: &mut Writer<&mut Vec<u8>>, suite: &JunitSuite, cases: &[Case]) -> io::Result<()> {
    let [failures, errors, skipped] = [Ended::Failure, Ended::Error, Ended::Skipped].map(|kind| {
        let outcomes = cases.iter().filter_map(|case| case.outcome.as_ref());
        outcomes.filter(|(ended, ..)| *ended == kind).count().to_string()
    });
    let tests = cases.len().to_string();
    let name = printable(suite.question);
    let counts = [("tests", &*tests), ("failures", &*failures), ("errors", &*errors)];
    let class = printable(suite.scenario);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let suites = xml.create_element("testsuites").with_attribute(("name", "tandem"));
    suites.with_attributes(counts).write_inner_content(|xml| {
        let suite_element = xml.create_element("testsuite").with_attribute(("name", &*name));
        let suite_element = suite_element
            .with_attributes(counts)
            .with_attribute(("skipped", &*skipped));
        suite_element.write_inner_content(|xml| {
            properties(xml, suite)?;
            cases.iter().try_for_each(|case| write_case(xml, &class, case))
        })?;
        Ok(())
    })?;
    Ok(())
}

fn properties(xml: &mut Writer<&mut Vec<u8>>, suite: &JunitSuite) -> io::Result<()> {
    if suite.properties.is_empty() {
        return Ok(());
    }
    xml.create_element("properties").write_inner_content(|xml| {
        for (name, value) in suite.properties {
            let property = xml.create_element("property").with_attribute(("name", &**name));
            property.with_attribute(("value", &*printable(value))).write_empty()?;
        }
        Ok(())
    })?;
    Ok(())
}

fn write_case(xml: &mut Writer<&mut Vec<u8>>, class: &str, case: &Case) -> io::Result<()> {
    let name = printable(&case.name);
    let element = xml.create_element("testcase").with_attribute(("name", &*name));
    let element = element.with_attribute(("classname", class));
    element.write_inner_content(|xml| {
        if let Some((ended, kind, message)) = &case.outcome {
            let message = printable(message);
            let ended = xml
                .create_element(ended.element())
                .with_attribute(("message", &*message));
            ended.with_attribute(("type", &*printable(kind))).write_empty()?;
        }
        if !case.output.is_empty() {
            let lines: Vec<String> = case.output.lines().map(printable).collect();
            let output = xml.create_element("system-out");
            output.write_text_content(BytesText::new(&lines.join("\n")))?;
        }
        Ok(())
    })?;
    Ok(())
}

//! The words of a metric: what a configuration does, and how one that does better is called.

use crate::verdict::Metric;

/// `"two processes" reads 1.42 times as fast as "one process"`, `... has a 6.84 times shorter p99 than ...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::summary) struct Terms {
    /// `reads`, `has a`.
    pub(in crate::summary) does: &'static str,
    /// `as fast` with `as`, `shorter` with `than`.
    pub(in crate::summary) better: (&'static str, &'static str),
    /// The same of one that does worse; its ratio is turned.
    pub(in crate::summary) worse: (&'static str, &'static str),
    /// What it has; empty where the verb says it.
    pub(in crate::summary) object: &'static str,
    /// What stands between two that are the same.
    pub(in crate::summary) same: String,
    /// `fastest`.
    pub(in crate::summary) best: String,
    /// Of several: `faster`, `slower`.
    pub(in crate::summary) are: [&'static str; 2],
}

impl Terms {
    pub(in crate::summary) fn of(metric: Metric) -> Self {
        let comparing = metric.comparing();
        let are = [comparing.adjective(true), comparing.adjective(false)];
        let noun = match metric {
            Metric::RESPONSE_P99 => "p99",
            _ => &comparing.noun,
        };
        match metric {
            Metric::READ_TIME | Metric::STOPWATCH => Terms::of_verb("reads", ("as fast", "as"), "fast", are),
            Metric::CATCH_UP => Terms::of_verb("catches up", ("sooner", "than"), "soon", ["sooner", "later"]),
            _ => Terms {
                does: if comparing.is_countable() { "has a" } else { "has" },
                better: (are[0], "than"),
                worse: (are[1], "than"),
                object: noun,
                same: format!("has the same {noun} as"),
                best: format!("{} {noun}", superlative(are[0])),
                are,
            },
        }
    }
}

impl Terms {
    /// Of a metric that a verb says: `reads as fast as`.
    pub(in crate::summary) fn of_verb(
        does: &'static str,
        better: (&'static str, &'static str),
        positive: &str,
        are: [&'static str; 2],
    ) -> Self {
        Terms {
            does,
            better,
            worse: (are[1], "than"),
            object: "",
            same: format!("{does} as {positive} as"),
            best: format!("{positive}est"),
            are,
        }
    }
}

/// `shortest` of `shorter`.
fn superlative(comparative: &str) -> String {
    match comparative {
        "less" => "least".to_owned(),
        "more" => "most".to_owned(),
        regular => format!("{}est", regular.trim_end_matches("er")),
    }
}

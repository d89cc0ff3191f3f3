//! The conclusion of the comparisons by one metric, in one sentence, and what must be said beside it.

use super::clause::{Amount, Clause, predicate, size};
use super::facts::{Facts, distinct, fits};
use super::list::{is_elliptic, list, what_changes, with_context};
use super::reasons::{bars, more_blocks, spaced, too_few_blocks};
use super::terms::Terms;
use crate::figures::{FigureId, RESPONSE_P99};
use crate::summary::numbers::{percent, time};
use crate::summary::undecided::Undecided;
use crate::verdict::{Comparison, Metric, Verdict};
use crate::wording::capitalised;

/// Statements in one sentence; of more, the best of each context or counts.
const STATEMENTS_MAX: usize = 4;

/// The comparisons by one metric, with what each baseline is compared with together.
pub(super) struct Compared<'a> {
    pub(super) facts: &'a Facts<'a>,
    pub(super) metric: Metric,
    pub(super) groups: Vec<Vec<Clause<'a>>>,
}

impl Compared<'_> {
    /// Conclusion first, then what start-up adds, then what keeps comparisons from a verdict.
    pub(super) fn sentences(&self) -> Vec<String> {
        let all: Vec<&Clause> = self.groups.iter().flatten().collect();
        if all.is_empty() {
            return Vec::new();
        }
        let terms = Terms::of(self.metric);
        let (conclusion, reported) = self.conclusion(&all, &terms);
        let mut sentences = vec![conclusion];
        sentences.extend(self.stopwatch(&reported, &terms));
        sentences.extend(self.by_time_of_groups(&all));
        sentences.extend(bars(&all, &terms));
        if let [_] = all[..] {
            sentences.extend(more_blocks(&all));
        } else {
            sentences.extend(too_few_blocks(&all).filter(|_| too_early(&all, &terms).is_none()));
            sentences.extend(more_blocks(&all));
        }
        sentences
    }

    /// The sentence, and the comparisons that it reports one by one.
    fn conclusion<'c>(&self, all: &[&'c Clause<'c>], terms: &Terms) -> (String, Vec<&'c Clause<'c>>) {
        if let [only] = all[..] {
            return (self.single(only, terms), vec![only]);
        }
        if let Some(sentence) = too_early(all, terms) {
            return (sentence, Vec::new());
        }
        if let Some(sentence) = baseline_is_best(all, terms) {
            return (sentence, all.to_vec());
        }
        if all.len() <= STATEMENTS_MAX {
            let sentence = capitalised(&list(all, terms));
            if fits(&sentence) {
                return (sentence, all.to_vec());
            }
        }
        let best = Self::best_of_each(all);
        if !best.iter().any(|clause| clause.is_better()) {
            return (counted(all, terms, None), Vec::new());
        }
        let has_rivals = self.groups.iter().any(|group| group.len() > 1);
        // Another that the intervals do not tell from it may be the best one, too.
        let is_alone = |clause: &Clause| {
            let is_other = |other: &Clause| other.context == clause.context && other.subject != clause.subject;
            !all.iter().any(|other| is_other(other) && other.rivals(clause))
        };
        let lead = match (has_rivals, best.iter().all(|clause| is_alone(clause))) {
            (false, _) => String::new(),
            (true, true) => format!("{}: ", terms.best),
            (true, false) => format!("among the {}: ", terms.best),
        };
        let sentence = if let [only] = best[..] {
            format!("{lead}{}.", with_context(&only.context, &only.measured(terms, true)))
        } else {
            format!("{lead}{}", list(&best, terms))
        };
        if best.len() <= STATEMENTS_MAX && fits(&sentence) {
            return (capitalised(&sentence), best);
        }
        let highest = best.iter().max_by(|a, b| a.point().total_cmp(&b.point()));
        (counted(all, terms, highest.copied()), Vec::new())
    }

    /// Of each baseline the best configuration. Where one is as good as the best everywhere, as far as the intervals can
    /// say, that one, so that noise does not name another in every context.
    fn best_of_each<'c>(all: &[&'c Clause<'c>]) -> Vec<&'c Clause<'c>> {
        let contexts = distinct(all.iter().map(|clause| &*clause.context));
        let clauses_in = |context: &str| -> Vec<&'c Clause<'c>> {
            all.iter().copied().filter(|clause| clause.context == context).collect()
        };
        let best_of = |context: &str| {
            clauses_in(context)
                .into_iter()
                .max_by(|a, b| rank(a).total_cmp(&rank(b)))
        };
        let rival_in = |context: &str, subject: &str| {
            let best = best_of(context)?;
            clauses_in(context)
                .into_iter()
                .find(|c| c.subject == subject && c.rivals(best))
        };
        let everywhere = |subject: &&str| contexts.iter().all(|context| rival_in(context, subject).is_some());
        let together = |subject: &&str| -> f64 {
            let own = contexts.iter().filter_map(|context| rival_in(context, subject));
            own.map(Clause::point).sum()
        };
        let subjects = distinct(all.iter().map(|clause| &*clause.subject));
        let chosen = subjects
            .into_iter()
            .filter(everywhere)
            .max_by(|a, b| together(a).total_cmp(&together(b)));
        let pick = |context: &&str| chosen.map_or_else(|| best_of(context), |subject| rival_in(context, subject));
        contexts.iter().filter_map(pick).collect()
    }

    /// The only comparison, with its interval.
    fn single(&self, clause: &Clause, terms: &Terms) -> String {
        if clause.comparison.effect.is_none() {
            let (subject, base) = (&clause.subject, &clause.base);
            let lead = spaced("No answer", &clause.context);
            return format!("{lead}: no complete block has usable trials of both {subject} and {base}.");
        }
        let measured = match self.between(clause, terms) {
            Some(between) => between,
            None => clause.measured(terms, true),
        };
        match (clause.comparison.verdict, clause.why) {
            (Verdict::Faster | Verdict::Slower, _) => {
                let weakly = self.weakly(clause.comparison);
                format!("{}{weakly}.", capitalised(&with_context(&clause.context, &measured)))
            }
            (Verdict::Same, _) => format!("{}: {measured}.", spaced("No difference worth having", &clause.context)),
            (Verdict::Undecided, Some(Undecided::TooFewBlocks { more })) => {
                let lead = format!("Not enough blocks yet ({more} more)");
                format!("{}: {measured}.", spaced(&lead, &clause.context))
            }
            (Verdict::Undecided, Some(Undecided::TooClose { .. }) | None) => {
                format!("{}: {measured}.", spaced("Too close to call", &clause.context))
            }
            (Verdict::Undecided, _) => format!("{}: {measured}.", spaced("No verdict", &clause.context)),
        }
    }

    /// What keeps a difference from being surely worth having.
    fn weakly(&self, comparison: &Comparison) -> String {
        let scenario = self.facts.names.scenario;
        if comparison.interval().is_none() || comparison.is_material(scenario) {
            return String::new();
        }
        let threshold = match comparison.ratio() {
            Some(_) => format!("{} %", percent(scenario.threshold)),
            None => size(comparison.metric, comparison.metric.edge(scenario)),
        };
        format!(", though perhaps by less than {threshold}")
    }

    /// `p99 falls from 41.1 ms with "one" to 6.01 ms with "two": 6.84 times shorter [6.72, 6.95]`, of a length of time.
    fn between(&self, clause: &Clause, terms: &Terms) -> Option<String> {
        let id = match self.metric {
            Metric::RESPONSE_P99 => RESPONSE_P99,
            Metric::CATCH_UP => FigureId::CatchUpSeconds,
            _ => return None,
        };
        let text = |configuration: usize| {
            let found = self.facts.names.summaries[configuration].estimate(id)?;
            Some(time(if self.metric == Metric::CATCH_UP {
                found.point * 1e3
            } else {
                found.point
            }))
        };
        let comparison = clause.comparison;
        let (before, after) = (text(comparison.baseline)?, text(comparison.configuration)?);
        let (subject, base) = (&clause.subject, &clause.base);
        let amount = Amount::of(comparison, terms)?;
        let changed = format!("{} {}{}", amount.size, amount.word.0, amount.interval);
        Some(if self.metric == Metric::CATCH_UP {
            format!("the lag is gone after {before} with {base} and after {after} with {subject}: {changed}")
        } else {
            let moves = match comparison.verdict {
                Verdict::Faster => "falls",
                Verdict::Slower => "rises",
                Verdict::Same => return Some(format!("p99 is {before} with {base} and {after} with {subject}")),
                Verdict::Undecided => {
                    return Some(format!(
                        "p99 is {before} with {base} and {after} with {subject}, {changed}"
                    ));
                }
            };
            format!("p99 {moves} from {before} with {base} to {after} with {subject}: {changed}")
        })
    }

    /// What a stopwatch says of the same pairs: it holds starting and joining, too.
    fn stopwatch(&self, reported: &[&Clause], terms: &Terms) -> Option<String> {
        let pairs: Vec<(&Clause, &Comparison)> = reported
            .iter()
            .filter_map(|clause| Some((*clause, clause.stopwatch?)))
            .collect();
        let lead = "Counting start-up,";
        let text =
            |comparison: &Comparison, before| predicate(comparison, self.facts.why(comparison), terms, before, true);
        if let [(_, only)] = pairs[..] {
            let is_clear = matches!(only.verdict, Verdict::Faster | Verdict::Slower);
            let amount = Amount::of(only, terms).filter(|_| is_clear);
            let interval = amount.map_or(String::new(), |amount| amount.interval);
            return Some(format!("{lead} it {}{interval}.", text(only, None)));
        }
        let texts = distinct(pairs.iter().map(|(_, comparison)| text(comparison, None)));
        match &texts[..] {
            [] => return None,
            [_] if pairs[0].1.verdict == Verdict::Same => return Some(format!("{lead} there is no difference.")),
            [same] => return Some(format!("{lead} each {same}.")),
            _ => {}
        }
        let mut before = None;
        let statements = pairs.iter().enumerate().map(|(place, (clause, comparison))| {
            let previous = place.checked_sub(1).map(|place| pairs[place].0);
            let is_elliptic = is_elliptic(before, comparison);
            let text = text(comparison, before);
            before = Some(comparison.verdict);
            let clauses = pairs.iter().map(|(clause, _)| *clause);
            what_changes(clause, previous, is_elliptic, &clauses) + &text
        });
        let sentence = format!("{lead} {}.", statements.collect::<Vec<String>>().join("; "));
        let better = pairs
            .iter()
            .filter(|(_, comparison)| comparison.verdict == Verdict::Faster)
            .count();
        let counted = || format!("{lead} {better} of {} are {}.", pairs.len(), terms.are[0]);
        Some(if fits(&sentence) { sentence } else { counted() })
    }

    /// With another number of groups another number of records is delivered: the time is compared, not that.
    fn by_time_of_groups(&self, all: &[&Clause]) -> Option<String> {
        let groups = |c: usize| self.facts.names.configuration(c).groups;
        let differ = |clause: &&&Clause| groups(clause.comparison.configuration) != groups(clause.comparison.baseline);
        all.iter().find(differ)?;
        Some("Compared is the time until every group has read everything.".to_owned())
    }
}

/// `Least client CPU: compression=none; compression=lz4 1.20 times more`, where every other is worse than one baseline.
fn baseline_is_best(all: &[&Clause], terms: &Terms) -> Option<String> {
    let first = all.first()?;
    let is_worse = |clause: &&Clause| clause.comparison.verdict == Verdict::Slower && clause.context == first.context;
    if !all.iter().all(is_worse) {
        return None;
    }
    let others = all.iter().enumerate().filter_map(|(place, clause)| {
        let amount = Amount::of(clause.comparison, terms)?;
        let (word, with) = match place {
            0 => (format!(" {}", amount.word.0), clause.brief()),
            _ => (String::new(), clause.value().unwrap_or(&clause.subject)),
        };
        Some(format!("{}{word} with {with}", amount.size))
    });
    let best = format!("{}: {}", terms.best, spaced(&first.base, &first.context));
    let sentence = format!("{best}; {}.", others.collect::<Vec<String>>().join(", "));
    let least = all.iter().max_by(|a, b| a.point().total_cmp(&b.point()))?;
    let nearest = Amount::of(least.comparison, terms)?;
    let short = format!("{best}; the nearest {} {}.", nearest.size, nearest.word.0);
    Some(capitalised(if fits(&sentence) { &sentence } else { &short }))
}

/// Where no comparison has the blocks that a verdict takes: how many are missing, and what was measured so far.
fn too_early(all: &[&Clause], terms: &Terms) -> Option<String> {
    let more = all.iter().map(|clause| match clause.why? {
        Undecided::TooFewBlocks { more } => Some(more),
        _ => None,
    });
    let more = more.collect::<Option<Vec<u32>>>()?.into_iter().max()?;
    let lead = format!("Not enough blocks yet ({more} more)");
    let best = all.iter().max_by(|a, b| a.point().total_cmp(&b.point()))?;
    let measured = with_context(&best.context, &best.measured(terms, false));
    let highest = if all.len() > 1 { "so far at most, " } else { "" };
    let sentence = format!("{lead}: {highest}{measured}.");
    Some(if fits(&sentence) { sentence } else { format!("{lead}.") })
}

/// Too many comparisons for a statement each: how many came out how, and the largest difference.
fn counted(all: &[&Clause], terms: &Terms, highest: Option<&Clause>) -> String {
    let bases = distinct(all.iter().map(|clause| clause.base.as_str()));
    let with = match bases[..] {
        [only] => format!(" with {only}"),
        _ => String::new(),
    };
    let number = |verdict| all.iter().filter(|c| c.comparison.verdict == verdict).count();
    let kinds = [
        (number(Verdict::Faster), terms.are[0]),
        (number(Verdict::Slower), terms.are[1]),
        (number(Verdict::Same), "the same"),
        (number(Verdict::Undecided), "undecided"),
    ];
    let kinds = kinds.iter().filter(|(number, _)| *number > 0);
    let kinds: Vec<String> = kinds.map(|(number, word)| format!("{number} {word}")).collect();
    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    if number(Verdict::Same) == all.len() {
        return format!("No difference in any of {} comparisons{with}.", all.len());
    }
    let counts = format!("Of {} comparisons{with}: {}", all.len(), crate::wording::listed(&kinds));
    let Some(highest) = highest else {
        return format!("{counts}; nothing is surely {}.", terms.are[0]);
    };
    let amount = Amount::of(highest.comparison, terms);
    let amount = amount.map_or_else(String::new, |amount| format!("{} {}", amount.size, amount.word.0));
    let most = format!("{counts}; at most {amount}");
    let with_all = format!("{most}, {}.", spaced(&highest.subject, &highest.context));
    let with_subject = format!("{most}, {}.", highest.subject);
    [with_all, with_subject]
        .into_iter()
        .find(|text| fits(text))
        .unwrap_or(format!("{most}."))
}

/// Orders comparisons with a verdict that they are better before all others.
fn rank(clause: &Clause) -> f64 {
    if clause.is_better() {
        clause.point()
    } else {
        clause.point() - 1e9
    }
}

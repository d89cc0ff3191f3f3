//! Several statements as one sentence, in which each leaves out what the one before has said.

use super::clause::{Clause, predicate};
use super::names::listed_labels;
use super::terms::Terms;
use crate::verdict::{Comparison, Verdict};

/// Statements of which all but the first leave out what the one before has said.
pub(super) fn list(clauses: &[&Clause], terms: &Terms) -> String {
    let Some((first, mut rest)) = clauses.split_first() else {
        return String::new();
    };
    let mut previous = *first;
    let mut statements = vec![with_context(&first.context, &first.stated(terms))];
    while let Some((clause, others)) = rest.split_first() {
        let alike = others.iter().take_while(|next| is_said_together(clause, next)).count();
        let (together, after) = rest.split_at(1 + alike);
        statements.push(if alike > 0 {
            let names: Vec<String> = together.iter().map(|clause| clause.brief().to_owned()).collect();
            let text = predicate(clause.comparison, clause.why, terms, None, false);
            let context = if clause.context == previous.context {
                ""
            } else {
                &clause.context
            };
            with_context(context, &format!("{} {text}", listed_labels(&names)))
        } else {
            let before = previous.comparison.verdict;
            let text = predicate(clause.comparison, clause.why, terms, Some(before), true);
            let is_elliptic = is_elliptic(Some(before), clause.comparison);
            what_changes(clause, Some(previous), is_elliptic, &clauses.iter().copied()) + &text
        });
        previous = clause;
        rest = after;
    }
    format!("{}.", statements.join("; "))
}

/// Whether the same words are true of both: words without a figure.
fn is_said_together(one: &Clause, other: &Clause) -> bool {
    let is_worded = matches!(one.comparison.verdict, Verdict::Same | Verdict::Undecided);
    let why = |clause: &Clause| clause.why.map(|why| std::mem::discriminant(&why));
    is_worded
        && (one.comparison.verdict, why(one)) == (other.comparison.verdict, why(other))
        && (&one.context, &one.base) == (&other.context, &other.base)
}

/// Whether a size is said without the verb and the word that the statement before has.
pub(super) fn is_elliptic(before: Option<Verdict>, comparison: &Comparison) -> bool {
    let has_size = matches!(comparison.verdict, Verdict::Faster | Verdict::Slower);
    has_size && before == Some(comparison.verdict)
}

/// The context or the subject, or both, in front of what is said of it: what differs from the statement before, and
/// in front of the first what differs between any. A verb has a subject.
pub(super) fn what_changes<'a>(
    clause: &Clause,
    before: Option<&Clause>,
    is_elliptic: bool,
    all: &(impl Iterator<Item = &'a Clause<'a>> + Clone),
) -> String {
    let context = match before {
        Some(before) => clause.context != before.context,
        None => all.clone().any(|other| other.context != clause.context),
    };
    let subject = match before {
        Some(before) => clause.subject != before.subject,
        None => all.clone().any(|other| other.subject != clause.subject),
    };
    let subject = match (subject, before) {
        (true, Some(_)) => clause.brief(),
        (true, None) => &clause.subject,
        (false, _) if is_elliptic => "",
        (false, _) => "it",
    };
    let mut text = String::new();
    for part in [if context { &*clause.context } else { "" }, subject] {
        if !part.is_empty() {
            text.push_str(part);
            text.push(' ');
        }
    }
    text
}

/// `with work=none, "two" reads ...`.
pub(super) fn with_context(context: &str, statement: &str) -> String {
    if context.is_empty() {
        statement.to_owned()
    } else {
        format!("{context} {statement}")
    }
}

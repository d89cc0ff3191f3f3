//! What the configurations of a file must not be together.

use crate::scenario::draft::Draft;
use crate::scenario::model::DatasetSpec;
use crate::scenario::problem::Problem;
use crate::wording::with_commas;

/// Configurations of one scenario.
const CONFIGURATIONS_MAX: u128 = 10_000;

/// Data sets that lie there side by side cannot have one name.
pub(crate) fn one_name(draft: &Draft, datasets: &[DatasetSpec]) -> Option<Problem> {
    let named = datasets
        .iter()
        .filter(|dataset| dataset.name.is_some() && dataset.records > 0);
    let given = draft.defaults.iter().find(|setting| setting.key == "name")?;
    (named.count() > 1).then(|| {
        let allowed = "the configurations read several data sets, which differ in their records or partitions";
        Problem::new(given.span.clone(), "`name` cannot name several topics", allowed)
    })
}

/// Counts before anything is built: a matrix multiplies fast.
pub(crate) fn too_many(draft: &Draft) -> Option<Problem> {
    let values = draft.axes.iter().map(|axis| axis.values.len() as u128);
    let count = values.fold(draft.cases.len() as u128, u128::saturating_mul);
    (count > CONFIGURATIONS_MAX).then(|| {
        let span = draft
            .axes
            .first()
            .map_or(draft.cases[0].span.clone(), |axis| axis.key_span.clone());
        let message = format!("cases and matrix make {} configurations", with_commas(count));
        Problem::new(
            span,
            message,
            format!("must be at most {}", with_commas(CONFIGURATIONS_MAX)),
        )
        .help("each runs once per block; leave out values, or split the question over several files")
    })
}

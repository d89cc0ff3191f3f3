//! Words for messages: the name that was probably meant, and lists of choices.

/// The name among `names` that was probably meant, as a sentence.
pub(super) fn did_you_mean<'a>(found: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(found, names).map(|name| format!("did you mean `{name}`?"))
}

/// The same for values, which stand in quotes.
pub(super) fn did_you_mean_value<'a>(found: &str, values: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(found, values).map(|value| format!("did you mean \"{value}\"?"))
}

/// The name most like `found`, if any is like it enough.
pub(super) fn nearest<'a>(found: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = found.to_lowercase();
    names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&lower, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// `a, b or c`, each in backquotes: names of things.
pub(super) fn any_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    either(&names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>())
}

/// `"a", "b" or "c"`: values as they are written.
pub(super) fn any_value<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    either(
        &values
            .into_iter()
            .map(|value| format!("\"{value}\""))
            .collect::<Vec<_>>(),
    )
}

/// `a, b or c`.
pub(super) fn either(choices: &[String]) -> String {
    match choices.split_last() {
        None => "nothing".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

//! Values of flags as TOML: the values of a list, and the form in which a key takes a value.

use toml::de::DeTable;

use crate::scenario::document::Node;

/// Splits at the commas that are in no quotes and no brackets.
pub(super) fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0_u32);
    let mut quote = None;
    for (place, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(&text[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.into_iter().map(str::trim).collect()
}

/// The value as TOML, in the first form that `takes` accepts: as it was given, or as text. If there is none, as it was
/// given, for the reader to refuse.
pub(super) fn one(text: &str, takes: &dyn Fn(&Node<'_>) -> bool) -> String {
    let forms = [as_given(text), Some(quoted(text))];
    first_taken(forms.into_iter().flatten().collect(), takes)
}

/// The same for a key that does not vary: several values, or one with commas, may be a list.
pub(super) fn one_or_list(texts: &[&str], takes: &dyn Fn(&Node<'_>) -> bool) -> String {
    let single = match texts {
        [text] => [as_given(text), Some(quoted(text))],
        _ => [None, None],
    };
    let items = texts.iter().flat_map(|text| split(text)).map(quoted);
    let list = format!("[{}]", items.collect::<Vec<_>>().join(", "));
    let forms = single.into_iter().flatten().chain([list]);
    first_taken(forms.collect(), takes)
}

fn first_taken(mut forms: Vec<String>, takes: &dyn Fn(&Node<'_>) -> bool) -> String {
    let taken = forms.iter().position(|form| is_taken(form, takes)).unwrap_or(0);
    forms.swap_remove(taken)
}

/// True for TOML that `takes` accepts.
pub(super) fn is_taken(toml: &str, takes: &dyn Fn(&Node<'_>) -> bool) -> bool {
    with_node(toml, |node, _| takes(node)).unwrap_or(false)
}

/// The text where it is a TOML value, without comments and blanks around it.
fn as_given(text: &str) -> Option<String> {
    with_node(text, |_, value| value.to_owned())
}

/// A text as a TOML string.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Calls `look` with the one value that the text is, and its place in the text.
fn with_node<R>(text: &str, look: impl FnOnce(&Node<'_>, &str) -> R) -> Option<R> {
    let document = format!("x = {text}");
    let (table, errors) = DeTable::parse_recoverable(&document);
    let table = table.get_ref();
    let node = table.get("x").filter(|_| errors.is_empty() && table.len() == 1)?;
    Some(look(node, &document[node.span()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_quotes_and_brackets_do_not_split() {
        assert_eq!(split("6,12, 24"), ["6", "12", "24"]);
        assert_eq!(split("[0.5, 0.5],[0.9, 0.1]"), ["[0.5, 0.5]", "[0.9, 0.1]"]);
        assert_eq!(
            split("{ min = 1, max = 2 },'a,b',\"c]\",d"),
            ["{ min = 1, max = 2 }", "'a,b'", "\"c]\"", "d"]
        );
        assert_eq!(split("6,"), ["6", ""]);
    }

    #[test]
    fn a_value_is_toml_where_the_key_takes_that_and_else_text() {
        let number = |node: &Node<'_>| node.get_ref().is_integer();
        let text = |node: &Node<'_>| node.get_ref().is_str();
        let list = |node: &Node<'_>| node.get_ref().is_array();
        assert_eq!(one("2_000", &number), "2_000");
        assert_eq!(one("2000", &text), "\"2000\"");
        assert_eq!(one("'2000'", &text), "'2000'");
        assert_eq!(one("wait 3ms", &text), "\"wait 3ms\"");
        assert_eq!(one("1 # one", &number), "1");
        // Nothing but one value comes in.
        assert!(one("1\ny = 2", &number).starts_with("\"\"\""));
        assert_eq!(one("two", &number), "\"two\"");
        assert_eq!(one("1.5", &number), "1.5");
        assert_eq!(one_or_list(&["a,b"], &list), "[\"a\", \"b\"]");
        assert_eq!(one_or_list(&["['a,b']"], &list), "['a,b']");
        assert_eq!(one_or_list(&["a", "b"], &list), "[\"a\", \"b\"]");
        assert_eq!(one_or_list(&["Really, a or b?"], &text), "\"Really, a or b?\"");
    }
}

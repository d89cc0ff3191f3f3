//! What to say of a scenario in which nothing is compared.

use super::across::may_be_named;
use super::families;
use super::model::Scenario;
use super::suggest::any_of;

impl Scenario {
    /// One sentence for a scenario that compares nothing: why, and what would make it compare.
    pub fn nothing_compared(&self) -> Option<String> {
        const EXAMPLE: &str = "such as processes = [1, 2]";
        if self
            .configurations
            .iter()
            .any(|configuration| configuration.baseline.is_some())
        {
            return None;
        }
        let why = if self.configurations.len() == 1 {
            format!("there is one configuration: add a [[case]], or a list of values to [matrix], {EXAMPLE}")
        } else {
            let (splitting, _) = families::varying_keys(self);
            let keys = any_of(splitting.iter().copied());
            let across = self
                .across(&splitting)
                .map_or(String::new(), |list| format!("{list}, or "));
            if self.families.iter().all(|family| family.configurations.len() == 1) {
                format!(
                    "configurations that differ in {keys} are not compared with each other: {across}add a [[case]], or \
                     another key to [matrix], {EXAMPLE}"
                )
            } else {
                format!(
                    "every configuration differs in {keys} from its baseline: {across}set `baseline` to the name of \
                     a configuration"
                )
            }
        };
        Some(format!("nothing will be compared, because {why}"))
    }

    /// `set compare_across = ["compression"]`, with those named already; `None` where that would compare nothing.
    fn across(&self, splitting: &[&str]) -> Option<String> {
        let all_may = splitting.iter().all(|key| may_be_named(key));
        let named = self.compare_across.iter().map(String::as_str);
        let quoted = named.chain(splitting.iter().copied()).map(|key| format!("\"{key}\""));
        all_may.then(|| format!("set compare_across = [{}]", quoted.collect::<Vec<_>>().join(", ")))
    }
}

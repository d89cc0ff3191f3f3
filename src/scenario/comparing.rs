//! What to say of a scenario in which nothing is compared.

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
            let keys = any_of(families::splitting_keys(self));
            if self.families.iter().all(|family| family.configurations.len() == 1) {
                format!(
                    "configurations that differ in {keys} are not compared with each other: add a [[case]], or another \
                     key to [matrix], {EXAMPLE}"
                )
            } else {
                format!(
                    "every configuration differs in {keys} from its baseline: set `baseline` to the name of a \
                     configuration"
                )
            }
        };
        Some(format!("nothing will be compared, because {why}"))
    }
}

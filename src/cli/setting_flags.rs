//! The flags that make a scenario without a file: clap's arguments from the declarations of the keys.

use std::path::Path;
use std::sync::LazyLock;

use anyhow::{Result, bail};
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Args, Command, FromArgMatches, Id};

use crate::scenario::{GivenFlag, SettingFlag, WrittenScenario, setting_flags};

/// The group of these flags, by which others refer to all of them.
pub(super) const GROUP: &str = "settings";

/// The settings that the command line gives, in its order.
#[derive(Clone, Default)]
pub(super) struct SettingFlags {
    given: Vec<GivenFlag>,
}

impl SettingFlags {
    /// The scenario that the flags make; `None` if none was given.
    pub(super) fn written(&self) -> Result<Option<WrittenScenario>> {
        if self.given.is_empty() {
            return Ok(None);
        }
        Ok(Some(WrittenScenario::of(&self.given)?))
    }

    /// Fails if there are flags for a scenario beside a scenario file.
    pub(super) fn refuse_beside(&self, file: &Path) -> Result<()> {
        if let Some(first) = self.given.first() {
            let (flag, file) = (first.flag.name(), file.display());
            bail!(
                "{file} and --{flag}: a scenario comes from a file or from such flags, not from both; change the file, or \
                 leave it out and give every setting as a flag"
            );
        }
        Ok(())
    }

    /// Fails if there are flags for a scenario beside a run that goes on.
    pub(super) fn refuse_beside_run(&self, dir: &Path) -> Result<()> {
        if let Some(first) = self.given.first() {
            let (flag, dir) = (first.flag.name(), dir.display());
            bail!(
                "--resume {dir} and --{flag}: a run goes on with the scenario that it began with; leave --{flag} out"
            );
        }
        Ok(())
    }
}

/// A flag with what clap must have of it for as long as the program runs.
struct Declared {
    flag: SettingFlag,
    /// Among the ids of the command's arguments: no other argument's.
    id: String,
    /// The heading in help texts.
    heading: String,
}

static DECLARED: LazyLock<Vec<Declared>> = LazyLock::new(|| {
    let declared = |flag: SettingFlag| Declared {
        id: format!("setting:{}", flag.name()),
        heading: format!("Instead of FILE, keys of {}", flag.table().header()),
        flag,
    };
    setting_flags().into_iter().map(declared).collect()
});

impl Args for SettingFlags {
    fn group_id() -> Option<Id> {
        Some(Id::from(GROUP))
    }

    /// Adds a flag for each key whose name is not yet that of another flag of the command.
    fn augment_args(command: Command) -> Command {
        let taken: Vec<String> = command
            .get_arguments()
            .filter_map(|argument| argument.get_long().map(str::to_owned))
            .collect();
        let free = DECLARED
            .iter()
            .filter(|each| !taken.iter().any(|long| long == each.flag.name()));
        let arguments: Vec<Arg> = free
            .map(|Declared { flag, id, heading }| {
                Arg::new(id.as_str())
                    .long(flag.name())
                    .aliases(flag.alias())
                    .value_name(flag.value_name())
                    .help(flag.help())
                    .help_heading(heading.as_str())
                    .hide_short_help(true)
                    .action(ArgAction::Append)
            })
            .collect();
        let ids: Vec<Id> = arguments.iter().map(|argument| argument.get_id().clone()).collect();
        command
            .args(arguments)
            .group(ArgGroup::new(GROUP).multiple(true).args(ids))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut placed: Vec<(usize, GivenFlag)> = Vec::new();
        for Declared { flag, id, .. } in DECLARED.iter() {
            // A key whose name another flag has is none of the arguments.
            let Ok(Some(values)) = matches.try_get_many::<String>(id) else {
                continue;
            };
            let given = values.map(|value| GivenFlag {
                flag: flag.clone(),
                value: value.clone(),
            });
            placed.extend(matches.indices_of(id).into_iter().flatten().zip(given));
        }
        placed.sort_by_key(|(place, _)| *place);
        Ok(SettingFlags {
            given: placed.into_iter().map(|(_, given)| given).collect(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Hides values: one may be a secret that was given in the wrong place.
impl std::fmt::Debug for SettingFlags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.given.iter().map(|given| given.flag.name());
        f.debug_list().entries(names).finish()
    }
}

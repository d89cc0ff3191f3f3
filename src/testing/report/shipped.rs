//! The shipped scenarios, each with a run made up for it.

use super::Fixture;
use super::live::{blocks, finished, search};
use crate::scenario::{Repetitions, parse};

const BLOCKS: u32 = 8;

impl Fixture {
    /// Every scenario of scenarios/ with eight blocks, in the order of their names.
    pub(crate) fn shipped() -> Vec<Self> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let mut files: Vec<_> = files
            .filter(|path| path.extension().is_some_and(|end| end == "toml"))
            .collect();
        files.sort();
        let fixture = |path: &std::path::PathBuf| {
            let name = path.file_stem().unwrap().to_string_lossy();
            let text = std::fs::read_to_string(path).unwrap();
            let mut scenario = parse(&name, &name, &text).unwrap_or_else(|errors| panic!("{}", errors.plain()));
            scenario.repetitions = Repetitions::Fixed(BLOCKS);
            let mut fixture = if let Some(capacity) = scenario.capacity {
                let mut trials = Vec::new();
                for index in 0..scenario.configurations.len() {
                    search(&scenario, capacity, index, &mut trials);
                }
                finished(scenario, trials)
            } else if scenario.configurations[0].mode.load().is_some() {
                let trials = blocks(&scenario, BLOCKS);
                finished(scenario, trials)
            } else {
                let read = Fixture::run(scenario, BLOCKS);
                finished(read.scenario, read.trials)
            };
            fixture.source = text;
            fixture
        };
        files.iter().map(fixture).collect()
    }
}

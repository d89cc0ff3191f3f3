//! Runs one simulated trial: lets engine, world and checks talk to each other, and judges what comes of it.

use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::chance::MS;
use super::checks::Checker;
use super::engine::Engine;
use super::mischief::{Error, What};
use super::plan::Plan;
use super::tamper::{Layer, Tamper};
use super::truth::{check_account, check_clocks, check_members, check_times};
use super::world::{Next, World};
use crate::measure::judge::{ExclusionRules, judge};
use crate::measure::{Failure, Measurement};
use crate::protocol::Capability;
use crate::testing::script::BEGIN_NS;
use crate::trial::{Action, ActorId, Event, Phase};

/// Characters of a line of the log.
const LINE: usize = 400;

/// How a trial ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    Good,
    Excluded(String),
    Failed(Failure),
}

/// A trial that was simulated.
#[derive(Debug)]
pub struct Simulated {
    /// How it ended; the error is what must not be.
    pub ending: Result<Ending, String>,
    pub events: u64,
    /// The layer of [`Tamper`] changed something.
    pub has_changed: bool,
    /// A line for each event and each action, if they were asked for.
    pub log: Vec<String>,
}

/// Simulates a trial.
pub fn simulate(plan: &Plan, tamper: Tamper, with_log: bool) -> Simulated {
    let mut trial = None;
    let ending = catch_unwind(AssertUnwindSafe(|| {
        trial.insert(Trial::new(plan, tamper, with_log)).run()
    }));
    let ending = ending.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("a panic: {}", text.unwrap_or_default()))
    });
    Simulated {
        ending,
        events: trial.as_ref().map_or(0, |trial| trial.checker.events()),
        has_changed: trial.as_ref().is_some_and(|trial| trial.layer.has_changed),
        log: trial.map(|trial| trial.log).unwrap_or_default(),
    }
}

/// The simplest plan found that fails as well.
pub fn simplest(plan: &Plan, tamper: Tamper) -> Plan {
    let mut simplest = plan.clone();
    loop {
        let fails = |plan: &Plan| simulate(plan, tamper, false).ending.is_err();
        let Some(simpler) = simplest.simpler().into_iter().find(fails) else {
            return simplest;
        };
        simplest = simpler;
    }
}

/// A trial on its way.
struct Trial {
    engine: Option<Engine>,
    world: World,
    checker: Checker,
    layer: Layer,
    log: Vec<String>,
    with_log: bool,
}

impl Trial {
    fn new(plan: &Plan, tamper: Tamper, with_log: bool) -> Self {
        let world = World::new(plan);
        let (engine, facts) = Engine::new(plan, &world.cluster);
        Trial {
            engine: Some(engine),
            checker: Checker::new(facts, BEGIN_NS),
            layer: Layer::new(tamper),
            world,
            log: Vec::new(),
            with_log,
        }
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        if self.with_log {
            let mut text = String::new();
            let after_ms = (self.world.now_ns - BEGIN_NS) as f64 / 1e6;
            let _ = write!(text, "{after_ms:10.3} ms  ");
            text.extend(line().chars().take(LINE));
            self.log.push(text);
        }
    }

    fn run(&mut self) -> Result<Ending, String> {
        let Some(mut engine) = self.engine.take() else {
            return Err("it was run before".to_owned());
        };
        while engine.phase() != Phase::Over {
            if let Some(event) = self.layer.invented.pop_front() {
                self.hear(&mut engine, event)?;
                continue;
            }
            match self.world.next(engine.wake_ns()) {
                Next::Wake => self.happens(&mut engine, Event::Tick, None)?,
                Next::Event(event, look) => self.happens(&mut engine, event, look)?,
            }
        }
        self.judge(engine)
    }

    /// An event of the world.
    fn happens(&mut self, engine: &mut Engine, event: Event, look: Option<u64>) -> Result<(), String> {
        self.checker.event(&event, look);
        self.note(|| format!("<- {event:?}"));
        let event = self.layer.event(event, self.checker.facts());
        self.hear(engine, event)
    }

    /// The engine hears of an event and acts.
    fn hear(&mut self, engine: &mut Engine, event: Event) -> Result<(), String> {
        let actions = engine.on(self.world.now_ns, event);
        for action in &actions {
            self.note(|| format!("-> {action:?}"));
        }
        self.layer.actions(&actions, self.checker.facts());
        self.checker.actions(self.world.now_ns, engine.phase(), &actions)?;
        for action in actions {
            let group = match &action {
                Action::Describe(group) => Some(*group),
                Action::Send(..)
                | Action::Act(..)
                | Action::Find(..)
                | Action::AskEnds
                | Action::AskStill(_)
                | Action::Started(_)
                | Action::Ended => None,
            };
            self.world.perform(action);
            if let Some(group) = group {
                self.checker.asked(group, self.world.looks());
            }
        }
        Ok(())
    }

    /// What the trial came to, and whether that is the truth.
    fn judge(&mut self, engine: Engine) -> Result<Ending, String> {
        let failure = engine.failure().cloned();
        self.note(|| format!("over: {failure:?}"));
        if let Some(failure) = failure {
            return self.explained(failure);
        }
        let is_planned = |actor: &&ActorId| self.world.plan.deeds.iter().any(|deed| deed.is_on(**actor));
        let mut murdered = self.world.murdered.intersection(&self.checker.gone);
        if let Some(actor) = murdered.find(|actor| !is_planned(actor)) {
            return Err(format!("{actor:?} died and the trial did not fail"));
        }
        let cluster = &self.world.cluster;
        let measured = engine.measure(self.world.now_ns, |targets| cluster.delivered_of(targets, false));
        let (measurement, failure) = measured.ok_or("a trial without a failure has no measurement")?;
        let (_, excluded) = judge(&measurement, &ExclusionRules::default());
        self.note(|| format!("measured: {failure:?}, excluded: {excluded:?}"));
        let is_good = failure.is_none() && excluded.is_none();
        check_account(&self.world, &self.checker, &measurement, is_good)?;
        if let Some(failure) = failure {
            return self.explained(failure);
        }
        match excluded {
            Some(reason) if self.must_be_good() => Err(format!("what was planned excluded it: {reason}")),
            Some(reason) => Ok(Ending::Excluded(reason)),
            None => self.good(&measurement),
        }
    }

    /// A failure must have a cause.
    fn explained(&self, failure: Failure) -> Result<Ending, String> {
        if self.world.causes.explain(&failure) {
            return Ok(Ending::Failed(failure));
        }
        Err(format!(
            "nothing that happened explains {failure:?}; it was {:?}",
            self.world.causes
        ))
    }

    /// True if nothing happened but what was planned, and everything of it can be observed.
    fn must_be_good(&self) -> bool {
        let plan = &self.world.plan;
        let mut readers = plan.capabilities.iter();
        let can_all = readers.all(|capabilities| capabilities.len() == Capability::ALL.len());
        // An idle member that assigns by hand is not waited for.
        can_all && plan.mischiefs.is_empty() && plan.removed == 0 && !plan.manual && !plan.has_hosts()
    }

    fn good(&self, measurement: &Measurement) -> Result<Ending, String> {
        if !self.world.plan.deeds.is_empty() {
            return Ok(Ending::Good);
        }
        let slack_ns = if self.world.plan.has_hosts() {
            self.world.plan.delay_ns + MS
        } else {
            0
        };
        check_times(measurement, slack_ns)?;
        check_clocks(&self.world, measurement)?;
        // A result that came early or was cut, or that says what was not read, differs. A trial can be good all the same where
        // only the number of records is known.
        let is_other = |what: &What| {
            matches!(
                what,
                What::Breaks(..) | What::Errs(_, Error::Miscounts | Error::Beyond | Error::Foreign)
            )
        };
        if !self.world.plan.has(is_other) {
            check_members(&self.world, measurement)?;
        }
        Ok(Ending::Good)
    }
}

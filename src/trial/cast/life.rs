//! Actors: what each is, and where it is in its life.

use std::fmt::Debug;
use std::mem;

use crate::measure::Participant;
use crate::protocol::{Capability, Hello, ToWorker};
use crate::trial::demands::Demands;

/// What is wrong with a result that nobody asked for.
pub(super) const EARLY_RESULT: &str = "it sent its result before it was asked";

/// What an actor is: its order, and the stages that it goes through once it is ready.
pub trait Role: Debug {
    /// Where it is from ready to its result; it begins with the default.
    type Stage: Debug + Default;

    /// Who it is in what is recorded, and by name for people.
    fn who(&self) -> Participant;
    /// What its process must be able to do.
    fn demands(&self) -> Demands;
    /// What it is sent when it has introduced itself; `None` for one that does not speak the protocol.
    fn order(&self) -> Option<ToWorker>;
}

/// Where an actor is in its life, with what is known from there on.
#[derive(Debug, Default)]
pub enum Life<Stage> {
    /// Its process has not been started.
    #[default]
    Planned,
    /// Its process was started and has not introduced itself.
    Starting { spawn_ns: u64 },
    /// It introduced itself and was sent its order.
    Preparing(Introduction),
    /// It said that it is ready, and does what its role is.
    Ready {
        introduction: Introduction,
        ready_ns: u64,
        stage: Stage,
    },
    /// Its process has ended.
    Gone {
        /// In words.
        how: String,
        /// True where that was an act of the script, and so no failure.
        planned: bool,
        /// What it was until then.
        was: Box<Life<Stage>>,
    },
}

impl<Stage> Life<Stage> {
    /// What it was to its end.
    pub fn lived(&self) -> &Self {
        match self {
            Life::Gone { was, .. } => was.lived(),
            Life::Planned | Life::Starting { .. } | Life::Preparing(_) | Life::Ready { .. } => self,
        }
    }

    /// What it does, or did to its end, once it was ready.
    pub fn stage(&self) -> Option<&Stage> {
        match self.lived() {
            Life::Ready { stage, .. } => Some(stage),
            _ => None,
        }
    }
}

/// How a process introduced itself.
#[derive(Debug)]
pub struct Introduction {
    /// When it was started.
    pub spawn_ns: u64,
    pub hello_ns: u64,
    pub hello: Hello,
}

/// One who takes part in a trial.
#[derive(Debug)]
pub struct Actor<R: Role> {
    pub role: R,
    pub life: Life<R::Stage>,
    /// Lives that were over when it was started again, in order.
    pub past: Vec<Life<R::Stage>>,
}

impl<R: Role> Actor<R> {
    /// One whose process has not been started.
    pub fn new(role: R) -> Self {
        let (life, past) = (Life::Planned, Vec::new());
        Actor { role, life, past }
    }

    /// What it does, or did to its end, once it was ready.
    pub fn stage(&self) -> Option<&R::Stage> {
        self.life.stage()
    }

    /// All its lives, each with its number, from 0.
    pub fn lives(&self) -> impl Iterator<Item = (u32, &Life<R::Stage>)> {
        (0u32..).zip(self.past.iter().chain([&self.life]))
    }

    /// Goes on to another stage; one that is not ready has none.
    pub fn enter(&mut self, next: R::Stage) {
        if let Life::Ready { stage, .. } = &mut self.life {
            *stage = next;
        }
    }
}

/// What every actor has, whatever its role.
pub trait AnyActor {
    /// As [`Role::who`].
    fn who(&self) -> Participant;
    /// As [`Role::demands`].
    fn demands(&self) -> Demands;
    /// As [`Role::order`].
    fn order(&self) -> Option<ToWorker>;
    /// How it introduced itself, once it has.
    fn introduction(&self) -> Option<&Introduction>;
    /// True from when it said that it is ready to its end.
    fn is_ready(&self) -> bool;
    /// True from the start of its process to its end.
    fn is_present(&self) -> bool;
    /// Its process was started.
    fn start(&mut self, spawn_ns: u64);
    /// Its process introduced itself.
    fn introduce(&mut self, hello_ns: u64, hello: Hello);
    /// It said that it is ready; false where it was not preparing.
    fn get_ready(&mut self, ready_ns: u64) -> bool;
    /// Its process ended.
    fn go(&mut self, how: String, planned: bool);

    /// Its name for people.
    fn name(&self) -> String {
        self.who().to_string()
    }

    /// True where it said that it can do this.
    fn can(&self, capability: Capability) -> bool {
        let introduction = self.introduction();
        introduction.is_some_and(|introduction| introduction.hello.capabilities.contains(&capability))
    }
}

impl<R: Role> AnyActor for Actor<R> {
    fn who(&self) -> Participant {
        self.role.who()
    }

    fn demands(&self) -> Demands {
        self.role.demands()
    }

    fn order(&self) -> Option<ToWorker> {
        self.role.order()
    }

    fn introduction(&self) -> Option<&Introduction> {
        match self.life.lived() {
            Life::Preparing(introduction) | Life::Ready { introduction, .. } => Some(introduction),
            _ => None,
        }
    }

    fn is_ready(&self) -> bool {
        matches!(self.life, Life::Ready { .. })
    }

    fn is_present(&self) -> bool {
        !matches!(self.life, Life::Planned | Life::Gone { .. })
    }

    fn start(&mut self, spawn_ns: u64) {
        let before = mem::replace(&mut self.life, Life::Starting { spawn_ns });
        self.past.extend(matches!(before, Life::Gone { .. }).then_some(before));
    }

    fn go(&mut self, how: String, planned: bool) {
        let was = Box::new(mem::take(&mut self.life));
        self.life = Life::Gone { how, planned, was };
    }

    fn introduce(&mut self, hello_ns: u64, hello: Hello) {
        if let Life::Starting { spawn_ns } = self.life {
            self.life = Life::Preparing(Introduction {
                spawn_ns,
                hello_ns,
                hello,
            });
        }
    }

    fn get_ready(&mut self, ready_ns: u64) -> bool {
        match mem::take(&mut self.life) {
            Life::Preparing(introduction) => {
                let stage = R::Stage::default();
                self.life = Life::Ready {
                    introduction,
                    ready_ns,
                    stage,
                };
                true
            }
            other => {
                self.life = other;
                false
            }
        }
    }
}

//! Actors: what each is, and where it is in its life.

use std::fmt::Debug;
use std::mem;
use std::sync::Arc;

use crate::protocol::{Capability, Hello, ToWorker};
use crate::trial::demands::Demands;

/// What is wrong with a result that nobody asked for.
pub(super) const EARLY_RESULT: &str = "it sent its result before it was asked";

/// What is wrong with another result.
pub(super) const SECOND_RESULT: &str = "it sent its result a second time";

/// What an actor is: its order, and the stages that it goes through once it is ready.
pub trait Role: Debug {
    /// Where it is from ready to its result; it begins with the default.
    type Stage: Debug + Default;

    /// Its name for people.
    fn name(&self) -> String;
    /// What its process must be able to do.
    fn demands(&self) -> Demands;
    /// What it is sent when it has introduced itself.
    fn order(&self) -> ToWorker;
}

/// Where an actor is in its life.
#[derive(Debug, Default)]
pub enum Life<Stage> {
    /// Its process has not been started.
    #[default]
    Planned,
    /// Its process was started and has not introduced itself.
    Starting,
    /// It introduced itself; it is sent its order once the clock of its host is known.
    Preparing(Arc<Hello>),
    /// It said that it is ready, and does what its role is.
    Ready { hello: Arc<Hello>, stage: Stage },
}

/// One who takes part in a trial.
#[derive(Debug)]
pub struct Actor<R: Role> {
    pub role: R,
    pub life: Life<R::Stage>,
}

impl<R: Role> Actor<R> {
    /// One whose process has not been started.
    pub fn new(role: R) -> Self {
        let life = Life::Planned;
        Actor { role, life }
    }

    /// What it does, once it is ready.
    pub fn stage(&self) -> Option<&R::Stage> {
        match &self.life {
            Life::Ready { stage, .. } => Some(stage),
            Life::Planned | Life::Starting | Life::Preparing(_) => None,
        }
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
    /// As [`Role::name`].
    fn name(&self) -> String;
    /// As [`Role::demands`].
    fn demands(&self) -> Demands;
    /// As [`Role::order`].
    fn order(&self) -> ToWorker;
    /// How it introduced itself, once it has.
    fn hello(&self) -> Option<&Hello>;
    /// True from when it said that it is ready.
    fn is_ready(&self) -> bool;
    /// Its process was started.
    fn start(&mut self);
    /// Its process introduced itself.
    fn introduce(&mut self, hello: Arc<Hello>);
    /// It said that it is ready; false where it was not preparing.
    fn get_ready(&mut self) -> bool;

    /// True where it said that it can do this.
    fn can(&self, capability: Capability) -> bool {
        self.hello()
            .is_some_and(|hello| hello.capabilities.contains(&capability))
    }
}

impl<R: Role> AnyActor for Actor<R> {
    fn name(&self) -> String {
        self.role.name()
    }

    fn demands(&self) -> Demands {
        self.role.demands()
    }

    fn order(&self) -> ToWorker {
        self.role.order()
    }

    fn hello(&self) -> Option<&Hello> {
        match &self.life {
            Life::Planned | Life::Starting => None,
            Life::Preparing(hello) | Life::Ready { hello, .. } => Some(hello),
        }
    }

    fn is_ready(&self) -> bool {
        self.stage().is_some()
    }

    fn start(&mut self) {
        self.life = Life::Starting;
    }

    fn introduce(&mut self, hello: Arc<Hello>) {
        if let Life::Starting = self.life {
            self.life = Life::Preparing(hello);
        }
    }

    fn get_ready(&mut self) -> bool {
        match mem::take(&mut self.life) {
            Life::Preparing(hello) => {
                let stage = R::Stage::default();
                self.life = Life::Ready { hello, stage };
                true
            }
            other => {
                self.life = other;
                false
            }
        }
    }
}

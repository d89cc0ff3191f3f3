//! Actors: what each is, and where it is in its life.

use std::fmt::Debug;
use std::mem;
use std::sync::Arc;

use crate::measure::Participant;
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

    /// Who it is in what is recorded, and by name for people.
    fn who(&self) -> Participant;
    /// What its process must be able to do.
    fn demands(&self) -> Demands;
    /// What it is sent when it has introduced itself; `None` for one that does not speak the protocol.
    fn order(&self) -> Option<ToWorker>;
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
    /// Its process ended, having been this. The log has how, and whether that was planned.
    Gone(Box<Life<Stage>>),
}

/// One who takes part in a trial.
#[derive(Debug)]
pub struct Actor<R: Role> {
    pub role: R,
    pub life: Life<R::Stage>,
}

impl<R: Role + Default> Default for Actor<R> {
    fn default() -> Self {
        Actor::new(R::default())
    }
}

impl<R: Role> Actor<R> {
    /// One whose process has not been started.
    pub fn new(role: R) -> Self {
        let life = Life::Planned;
        Actor { role, life }
    }

    /// What it does, or did to its end, once it was ready.
    pub fn stage(&self) -> Option<&R::Stage> {
        match self.lived() {
            Life::Ready { stage, .. } => Some(stage),
            _ => None,
        }
    }

    /// Where it is in its life, or was at its end.
    fn lived(&self) -> &Life<R::Stage> {
        match &self.life {
            Life::Gone(was) => was,
            life => life,
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
    /// As [`Role::who`].
    fn who(&self) -> Participant;
    /// As [`Role::demands`].
    fn demands(&self) -> Demands;
    /// As [`Role::order`].
    fn order(&self) -> Option<ToWorker>;
    /// How it introduced itself, once it has.
    fn hello(&self) -> Option<&Hello>;
    /// True from when it said that it is ready to its end.
    fn is_ready(&self) -> bool;
    /// True from the start of its process to its end.
    fn is_present(&self) -> bool;
    /// True once its process has ended, until it is started again.
    fn is_gone(&self) -> bool;
    /// Its process was started.
    fn start(&mut self);
    /// Its process introduced itself.
    fn introduce(&mut self, hello: Arc<Hello>);
    /// It said that it is ready; false where it was not preparing.
    fn get_ready(&mut self) -> bool;
    /// Its process ended.
    fn go(&mut self);

    /// Its name for people.
    fn name(&self) -> String {
        self.who().to_string()
    }

    /// True where it said that it can do this.
    fn can(&self, capability: Capability) -> bool {
        self.hello()
            .is_some_and(|hello| hello.capabilities.contains(&capability))
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

    fn hello(&self) -> Option<&Hello> {
        match self.lived() {
            Life::Preparing(hello) | Life::Ready { hello, .. } => Some(hello),
            _ => None,
        }
    }

    fn is_ready(&self) -> bool {
        matches!(self.life, Life::Ready { .. })
    }

    fn is_present(&self) -> bool {
        !matches!(self.life, Life::Planned | Life::Gone(_))
    }

    fn is_gone(&self) -> bool {
        matches!(self.life, Life::Gone(_))
    }

    fn go(&mut self) {
        self.life = Life::Gone(Box::new(mem::take(&mut self.life)));
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

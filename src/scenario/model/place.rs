//! Where worker processes can be started.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::app::App;
use super::kubernetes::KubernetesPlace;
use super::place_limits::PlaceLimits;
use crate::scenario::choice::Choice;
use crate::scenario::secrets::{HIDDEN, secrets_of_command, serialize_command};

/// The name of the place that always exists: this machine.
pub(crate) const HERE: &str = "here";

/// A place where worker processes can be started: how they are started there, and under which limits. What runs there is
/// an [`App`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// As `place = "..."` names it; `here` is this machine.
    pub name: String,
    /// Command that starts a worker speaking the protocol on its standard streams; `{tandem}` stands for this
    /// program. Empty for this program itself. The role (`consumer`) is added as the last argument. Secrets in it are not
    /// stored ([`Place::lacks_secrets`]).
    #[serde(serialize_with = "serialize_command")]
    pub launcher: Vec<String>,
    /// The host, as OpenSSH names it; `None` for this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<String>,
    /// The containers; `None` for a place that has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<ContainerPlace>,
    /// The pods; `None` for a place that has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<KubernetesPlace>,
    /// Path of this program there; `None` for a copy of it, or for the one that the image has in its search path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tandem: Option<String>,
    /// Processors to run on ([`processors`]).
    pub cpus: Option<String>,
    /// What each worker process may use at most.
    #[serde(flatten)]
    pub limits: PlaceLimits,
    /// Name of the brokers' listener whose address the workers use.
    pub listener: Option<String>,
}

/// How worker processes are started at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach<'a> {
    /// Here, by this program.
    Here,
    /// By a command that says where.
    Launcher(&'a [String]),
    /// On the host that OpenSSH reaches by this name.
    Ssh(&'a str),
    /// Each in a container of its own.
    Container(&'a ContainerPlace),
    /// In pods.
    Kubernetes(&'a KubernetesPlace),
}

/// A place whose worker processes are containers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerPlace {
    /// The image, as the engine names it.
    pub image: String,
    /// Whose containers they are.
    pub engine: Engine,
}

/// What runs containers: a program with the command line of Docker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// Docker.
    Docker,
    /// Podman.
    Podman,
}

impl Choice for Engine {
    /// The name of each is that of its program.
    const ALL: &'static [(&'static str, Self)] = &[("docker", Engine::Docker), ("podman", Engine::Podman)];
}

impl Engine {
    /// The name of its program.
    pub fn program(self) -> &'static str {
        self.name()
    }
}

/// The processors in a list such as `0`, `0,2` or `0-3`; `None` for any other text.
pub fn processors(list: &str) -> Option<BTreeSet<u32>> {
    let number = |part: &str| {
        let plain = (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| part.parse().ok()).flatten()
    };
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (number(first)?, number(last)?);
        (first <= last).then_some(first..=last)
    };
    let ranges: Option<Vec<_>> = list.split(',').map(range).collect();
    Some(ranges?.into_iter().flatten().collect())
}

impl Place {
    /// How worker processes are started here.
    pub fn reach(&self) -> Reach<'_> {
        if let Some(pods) = &self.kubernetes {
            return Reach::Kubernetes(pods);
        }
        match (&self.container, &self.ssh, &self.launcher[..]) {
            (Some(container), _, _) => Reach::Container(container),
            (None, Some(target), _) => Reach::Ssh(target),
            (None, None, []) => Reach::Here,
            (None, None, launcher) => Reach::Launcher(launcher),
        }
    }

    /// True if tandem itself starts the workers somewhere that may be another machine.
    pub fn is_managed(&self) -> bool {
        match self.reach() {
            Reach::Here | Reach::Launcher(_) => false,
            Reach::Ssh(_) | Reach::Container(_) | Reach::Kubernetes(_) => true,
        }
    }

    /// True if workers there, on this machine, have its network: 127.0.0.1 is the same there.
    pub fn shares_network(&self) -> bool {
        match self.reach() {
            Reach::Here | Reach::Launcher(_) | Reach::Ssh(_) => true,
            Reach::Container(_) => self.listener.is_none(),
            Reach::Kubernetes(pods) => pods.host_network,
        }
    }

    /// What runs here: tandem's own worker, or the program that the launcher names.
    pub fn app(&self) -> App<'_> {
        App::of_launcher(&self.name, &self.launcher)
    }

    /// The processors to run on; `None` for all.
    pub fn processors(&self) -> Option<BTreeSet<u32>> {
        processors(self.cpus.as_deref()?)
    }

    /// The secrets in the launcher: values of variables and options with such names.
    pub fn secrets(&self) -> Vec<String> {
        secrets_of_command(&self.launcher)
    }

    /// True where the launcher was read from a file that keeps no secrets, so that it cannot be started.
    pub fn lacks_secrets(&self) -> bool {
        self.launcher.iter().any(|word| word.contains(HIDDEN))
    }
}

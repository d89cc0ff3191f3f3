//! A configuration with what it refers to, as keys look at it.

use crate::scenario::choice::Choice as _;
use crate::scenario::kinds::{Container, Cores, Kind as _, Labels, Memory, Resources};
use crate::scenario::model::{
    Configuration, DatasetSpec, ExistingTopics, GroupProtocol, KubernetesPlace, Load, Membership, Mode, Place,
    PlaceLimits, Scenario, StoreSpec, TrialLength, Work,
};
use crate::scenario::secrets::masked_command;

/// A configuration of a scenario.
#[derive(Clone, Copy)]
pub(crate) struct Configured<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) configuration: &'a Configuration,
    pub(crate) dataset: &'a DatasetSpec,
}

impl<'a> Configured<'a> {
    pub(crate) fn new(scenario: &'a Scenario, configuration: &'a Configuration) -> Self {
        Configured {
            scenario,
            configuration,
            dataset: &scenario.datasets[configuration.dataset],
        }
    }

    /// The data set where the run fills it.
    pub(crate) fn filled(&self) -> Option<&'a DatasetSpec> {
        self.existing().is_none().then_some(self.dataset)
    }

    /// The topics where they exist already.
    pub(crate) fn existing(&self) -> Option<&'a ExistingTopics> {
        self.dataset.existing()
    }

    /// The records that arrive, where any do.
    pub(crate) fn load(&self) -> Option<&'a Load> {
        self.configuration.mode.load()
    }

    /// The store, where its records end there.
    pub(crate) fn store(&self) -> Option<&'a StoreSpec> {
        let store = self.scenario.store.as_ref();
        store.filter(|_| self.configuration.work == Work::Store)
    }

    /// True where nothing arrives.
    pub(crate) fn is_backlog(&self) -> bool {
        self.configuration.mode == Mode::Backlog
    }

    /// The length of the trials that read a backlog alone.
    pub(crate) fn trial(&self) -> Option<TrialLength> {
        self.is_backlog().then_some(self.scenario.trial)
    }

    /// The protocol of the group, where one assigns partitions.
    pub(super) fn protocol(&self) -> Option<&'a GroupProtocol> {
        match &self.configuration.membership {
            Membership::Group(protocol) => Some(protocol),
            Membership::Manual => None,
        }
    }

    /// What runs in the workers, with what makes it differ from others of its name.
    pub(super) fn app_text(&self) -> Option<String> {
        Some(self.scenario.apps.get(self.configuration.app)?.text())
    }

    /// The places of the workers, each with what it has of its own.
    pub(super) fn place_texts(&self) -> Option<Vec<String>> {
        let places = self.configuration.places.iter();
        places
            .map(|place| Some(place_text(self.scenario.places.get(*place)?)))
            .collect()
    }
}

/// A place with what it has of its own.
fn place_text(place: &Place) -> String {
    let Place {
        name,
        launcher,
        ssh,
        container,
        kubernetes,
        tandem,
        cpus,
        limits,
        listener,
    } = place;
    let launcher = (!launcher.is_empty()).then(|| format!("launcher {}", masked_command(launcher).join(" ")));
    let ssh = ssh.as_ref().map(|ssh| format!("ssh {ssh}"));
    let container = container.as_ref().map(Container::text);
    let pods = kubernetes.as_ref().map(pods_text);
    let tandem = tandem.as_ref().map(|tandem| format!("tandem {tandem}"));
    let cpus = cpus.as_ref().map(|cpus| format!("cpus {cpus}"));
    let cpu_limit = limits
        .cpu_millicores
        .map(|limit| format!("cpu_limit {}", Cores::text(&limit)));
    let memory_limit = limits
        .memory_bytes
        .map(|limit| format!("memory_limit {}", Memory::text(&limit)));
    let listener = listener.as_ref().map(|listener| format!("listener {listener}"));
    let limits = [cpus, cpu_limit, memory_limit];
    let parts = [Some(name.clone()), launcher, ssh, container, pods, tandem]
        .into_iter()
        .chain(limits);
    parts.chain([listener]).flatten().collect::<Vec<_>>().join(", ")
}

/// What pods have of their own.
fn pods_text(pods: &KubernetesPlace) -> String {
    let KubernetesPlace {
        image,
        pull,
        namespace,
        context,
        node_selector,
        requests,
        limits,
        anti_affinity,
        pods,
        host_network,
    } = pods;
    let named = |name: &str, text: Option<String>| text.map(|text| format!("{name} {text}"));
    let amount = |of: &PlaceLimits| (!of.is_empty()).then(|| Resources::text(of));
    let parts = [
        Some(format!("pods of {image}")),
        named("image_pull_policy", pull.map(|pull| pull.name().to_owned())),
        named("namespace", namespace.clone()),
        named("context", context.clone()),
        named(
            "node_selector",
            (!node_selector.is_empty()).then(|| Labels::text(node_selector)),
        ),
        named("requests", amount(requests)),
        named("limits", amount(limits)),
        anti_affinity.then(|| "anti_affinity".to_owned()),
        named("pods", pods.map(|pods| pods.to_string())),
        host_network.then(|| "host_network".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

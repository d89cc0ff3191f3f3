//! A place whose worker processes run in pods of a Kubernetes cluster.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::place_limits::PlaceLimits;
use crate::scenario::choice::Choice;

/// The pods of a place. `kubectl` reaches their cluster by the user's own configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KubernetesPlace {
    /// Image of the pods, which has tandem's program in it.
    pub image: String,
    /// When nodes get the image; `None` for what the cluster does by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull: Option<PullPolicy>,
    /// `None` for that of the context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Context of the user's configuration; `None` for the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Labels that a node must have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub node_selector: BTreeMap<String, String>,
    /// What each pod is scheduled by.
    #[serde(default, skip_serializing_if = "is_none")]
    pub requests: PlaceLimits,
    /// What each pod may use at most.
    #[serde(default, skip_serializing_if = "is_none")]
    pub limits: PlaceLimits,
    /// True if each pod has a node to itself, as far as the run's other pods are concerned.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub anti_affinity: bool,
    /// Number of pods, over which worker processes are spread in turn; `None` for one pod for each process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pods: Option<u32>,
    /// True if the pods use the network of their node.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub host_network: bool,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes what it may skip by reference"
)]
fn is_none(limits: &PlaceLimits) -> bool {
    limits.is_empty()
}

/// When a node gets an image from its registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PullPolicy {
    /// Each time that a pod starts.
    Always,
    /// Where the node does not have it yet.
    IfNotPresent,
    /// Never: the node must have it.
    Never,
}

impl PullPolicy {
    /// As Kubernetes writes it.
    pub fn policy(self) -> &'static str {
        self.name()
    }
}

impl Choice for PullPolicy {
    const ALL: &'static [(&'static str, Self)] = &[
        ("Always", PullPolicy::Always),
        ("IfNotPresent", PullPolicy::IfNotPresent),
        ("Never", PullPolicy::Never),
    ];
}

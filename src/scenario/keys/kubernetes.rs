//! The keys of `[place.kubernetes]`, which is also written `kubernetes = { ... }` in `[[place]]`.

use super::key::keys;
use super::table::Table;
use crate::scenario::kinds::{Count, Formed, ImageName, Kind, Labels, Line, Namespace, OneOf, Resources, Switch};
use crate::scenario::model::PullPolicy;

/// The name of the table in `[[place]]`.
pub(crate) const KUBERNETES: &str = "kubernetes";

const TABLES: &[Table] = &[Table::Kubernetes];

keys! {
    /// `[place.kubernetes]`
    KubernetesKeys {}

    "image" => image: Formed<ImageName>, TABLES, required(),
        "Image of the pods; it has tandem's program, and the program of an [[app]] that runs there.";
    "image_pull_policy" => pull: OneOf<PullPolicy>, TABLES, absent("the cluster's"),
        "When a node gets the image from its registry.";
    "namespace" => namespace: Formed<Namespace>, TABLES, absent("that of the context"),
        "Namespace of the Job.";
    "context" => context: Line, TABLES, absent("the current one"),
        "Context of kubectl's configuration.";
    "node_selector" => node_selector: Labels, TABLES, absent("any node"),
        "Labels that the nodes of the pods must have.";
    "requests" => requests: Resources, TABLES, absent("none"),
        "CPU and memory by which each pod is scheduled.";
    "limits" => limits: Resources, TABLES, absent("none"),
        "CPU and memory that each pod may use at most, together with all that runs in it.";
    "anti_affinity" => anti_affinity: Switch, TABLES, default(false),
        "Whether no two pods of a run may share a node.";
    "pods" => pods: Count<1, 1_000>, TABLES, absent("one for each process"),
        "Number of pods; processes are spread over them in turn.";
    "host_network" => host_network: Switch, TABLES, default(false),
        "Whether the pods use the network of their node instead of one of their own.";
}

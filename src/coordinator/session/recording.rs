//! What is recorded beside a trial in which something is done on purpose: what the coordinators of its groups say, and which
//! broker is what.

use crate::coordinator::cluster::Cluster;
use crate::coordinator::group_watch::{GroupWatch, WatchedGroup};
use crate::coordinator::roles::{EpochsWatch, RolesWatch};
use crate::measure::{Measurement, MemberPlace};
use crate::protocol::Prepare;
use crate::trial::{TrialSpec, topic_sizes};

/// Watches over a trial with a script.
pub(super) struct Recording {
    groups: Option<GroupWatch>,
    roles: Option<RolesWatch>,
    epochs: Option<EpochsWatch>,
}

impl Recording {
    /// Begins to record what the script of a trial may change.
    pub(super) fn start(spec: &TrialSpec, cluster: &Cluster) -> Self {
        let (terms, script) = (&spec.terms, &spec.terms.script);
        let has_groups = !script.steps.is_empty() && !terms.manual;
        let mut orders = spec.cast.readers.iter().map(|reader| &reader.role.prepare);
        let is_consumer = orders.any(Prepare::has_consumer_protocol);
        let topics: Vec<String> = topic_sizes(&terms.topics).into_iter().map(|(name, _)| name).collect();
        Recording {
            groups: has_groups.then(|| GroupWatch::start(&cluster.admin, watched(spec))),
            roles: script
                .acts_on_brokers()
                .then(|| RolesWatch::start(&cluster.own(), &topics, &terms.groups)),
            epochs: (has_groups && is_consumer).then(|| EpochsWatch::start(&cluster.own(), &terms.groups)),
        }
    }

    /// Ends, and adds what was recorded to a measurement.
    pub(super) fn end(self, measurement: Option<&mut Measurement>) {
        let (groups, roles) = (self.groups.map(GroupWatch::end), self.roles.map(RolesWatch::end));
        let epochs = self.epochs.map(EpochsWatch::end);
        if let Some(measurement) = measurement {
            measurement.group_looks = groups.unwrap_or_default();
            measurement.group_epochs = epochs.unwrap_or_default();
            measurement.roles = roles;
        }
    }
}

/// The groups of a trial, with the names of their members.
fn watched(spec: &TrialSpec) -> Vec<WatchedGroup> {
    let groups = spec.terms.groups.iter().enumerate();
    let watched = groups.map(|(group, id)| {
        let readers = spec.cast.readers.iter().map(|reader| &reader.role);
        let of_group = readers.filter(|reader| reader.group == group);
        let members = of_group.flat_map(|reader| {
            let process = reader.process;
            let consumers = (0..).zip(&reader.prepare.consumers);
            consumers.map(move |(consumer, order)| (order.client_id.clone(), MemberPlace { process, consumer }))
        });
        let topics = spec.terms.topics.iter().map(|topic| topic.name.clone());
        WatchedGroup {
            id: id.clone(),
            members: members.collect(),
            topics: topics.filter(|_| spec.cast.is_observed()).collect(),
        }
    });
    watched.collect()
}

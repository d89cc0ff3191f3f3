//! Asks the coordinators of a trial's groups again and again who is in them, and records every change: when a member was
//! missed, and when a group began to divide its partitions anew. Knows nothing of trials.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::kafka::admin::Admin;
use crate::measure::{GroupDescription, GroupLook, GroupMember, HeldBy, MemberPlace, TopicPartition, clock};

/// Pause between two questions.
const ASK_INTERVAL: Duration = Duration::from_millis(50);

/// A group that is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedGroup {
    /// Its `group.id`.
    pub id: String,
    /// Its members by the `client.id` that they were given.
    pub members: BTreeMap<String, MemberPlace>,
    /// The topics of the trial, where it is to be recorded which partitions each member has; empty otherwise.
    pub topics: Vec<String>,
}

/// A watch over groups.
pub struct GroupWatch {
    looks: Arc<Mutex<Vec<GroupLook>>>,
    tasks: Vec<JoinHandle<()>>,
}

impl GroupWatch {
    /// Begins to ask, until it is ended or dropped.
    pub fn start(admin: &Admin, groups: Vec<WatchedGroup>) -> Self {
        let looks = Arc::<Mutex<Vec<GroupLook>>>::default();
        let numbered = (0..).zip(groups);
        let tasks = numbered.map(|(number, group)| tokio::spawn(ask(admin.clone(), number, group, Arc::clone(&looks))));
        GroupWatch {
            tasks: tasks.collect(),
            looks,
        }
    }

    /// Ends, with what was said, in order.
    pub fn end(self) -> Vec<GroupLook> {
        std::mem::take(&mut self.looks.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for GroupWatch {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn ask(admin: Admin, number: u32, group: WatchedGroup, looks: Arc<Mutex<Vec<GroupLook>>>) {
    let mut last: Option<GroupLook> = None;
    loop {
        let asked_ns = clock::now_ns();
        // One whose broker is away cannot be asked.
        if let Ok(description) = admin.describe_group(&group.id).await {
            let look = look(number, &group, &description, (asked_ns, clock::now_ns()));
            if last.as_ref().is_none_or(|last| !last.says_the_same(&look)) {
                looks.lock().unwrap_or_else(PoisonError::into_inner).push(look.clone());
                last = Some(look);
            }
        }
        sleep(ASK_INTERVAL).await;
    }
}

fn look(number: u32, group: &WatchedGroup, description: &GroupDescription, (asked_ns, at_ns): (u64, u64)) -> GroupLook {
    let places = description
        .members
        .iter()
        .filter_map(|member| group.members.get(&member.client_id));
    let mut members: Vec<MemberPlace> = places.copied().collect();
    members.sort_unstable();
    GroupLook {
        asked_ns,
        at_ns,
        group: number,
        state: description.state,
        others: u32::try_from(description.members.len() - members.len()).unwrap_or(u32::MAX),
        members,
        held: held(group, description),
    }
}

/// Which partitions of the trial each member has, as far as that is to be recorded.
fn held(group: &WatchedGroup, description: &GroupDescription) -> Vec<HeldBy> {
    let partition = |(name, partition): &(String, i32)| {
        let topic = group.topics.iter().position(|topic| topic == name)?;
        let (topic, partition) = (u32::try_from(topic).ok()?, *partition);
        Some(TopicPartition { topic, partition })
    };
    let held_by = |member: &GroupMember| {
        let partitions: Vec<TopicPartition> = member.assignment.iter().filter_map(partition).collect();
        let member = *group.members.get(&member.client_id)?;
        (!partitions.is_empty()).then_some(HeldBy { member, partitions })
    };
    let mut held: Vec<HeldBy> = description.members.iter().filter_map(held_by).collect();
    held.sort_by_key(|held| held.member);
    held
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::GroupState;

    #[test]
    fn members_are_known_by_their_client_id_twice_where_two_have_it_and_others_are_counted() {
        let place = |process| MemberPlace { process, consumer: 0 };
        let group = WatchedGroup {
            id: "g".to_owned(),
            members: [("p1".to_owned(), place(0)), ("p2".to_owned(), place(1))].into(),
            topics: vec!["t".to_owned(), "u".to_owned()],
        };
        let member = |client_id: &str| GroupMember {
            client_id: client_id.to_owned(),
            host: "/127.0.0.1".to_owned(),
            assignment: if client_id == "p1" {
                vec![("u".to_owned(), 4)]
            } else {
                Vec::new()
            },
            target: None,
        };
        let description = GroupDescription {
            state: GroupState::PreparingRebalance,
            members: ["p2", "other", "p1", "p2"].map(member).to_vec(),
        };
        let look = look(3, &group, &description, (5, 7));
        assert_eq!(
            (look.members.clone(), look.others),
            (vec![place(0), place(1), place(1)], 1)
        );
        assert_eq!((look.group, look.asked_ns, look.at_ns), (3, 5, 7));
        let partitions = vec![TopicPartition { topic: 1, partition: 4 }];
        let member = place(0);
        assert_eq!(look.held, [HeldBy { member, partitions }]);
        let later = GroupLook {
            at_ns: 9,
            ..look.clone()
        };
        assert!(look.says_the_same(&later));
    }
}

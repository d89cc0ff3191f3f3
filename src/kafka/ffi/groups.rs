//! Describes a consumer group with the target of each member.

use std::ffi::CString;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::bindings as rd;
use rdkafka::client::Client;

use super::handles::{Event, NO_LIMIT, Options, Queue, text};
use crate::measure::{GroupDescription, GroupMember, GroupState};

/// Asks the brokers for the state and the members of a group. Blocks for at most about `timeout`.
pub(in crate::kafka) fn describe_group<C: ClientContext>(
    client: &Client<C>,
    group_id: &str,
    timeout: Duration,
) -> Result<GroupDescription, String> {
    let name = CString::new(group_id).map_err(|_| format!("group name {group_id:?} contains a null character"))?;
    let queue = Queue::new(client)?;
    let operation = rd::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS;
    let options = Options::of(client, operation, NO_LIMIT)?;
    let mut names = [name.as_ptr()];
    // SAFETY: client, options and queue are valid for the call; `names` holds one pointer to a null-terminated
    // text, and the library copies it before it returns.
    unsafe {
        rd::rd_kafka_DescribeConsumerGroups(client.native_ptr(), names.as_mut_ptr(), names.len(), options.0, queue.0);
    }
    let no_answer = || format!("no answer to the description of a group within {timeout:?}");
    let event = queue.poll(timeout).ok_or_else(no_answer)?;
    if let Some(error) = event.error() {
        return Err(error);
    }
    read_description(&event)
}

/// Copies the description out of the event.
fn read_description(event: &Event) -> Result<GroupDescription, String> {
    // SAFETY: the event is valid and outlives every pointer taken here, all of which it lends; the accessors return
    // null for an event of another kind, which is checked; the array has `count` entries, of which the first is read
    // only where there is one; member indices stay under the member count.
    unsafe {
        let result = rd::rd_kafka_event_DescribeConsumerGroups_result(event.0);
        if result.is_null() {
            return Err("an unexpected answer to the description of a group".to_owned());
        }
        let mut count = 0;
        let groups = rd::rd_kafka_DescribeConsumerGroups_result_groups(result, &raw mut count);
        if groups.is_null() || count == 0 {
            return Err("an empty answer to the description of a group".to_owned());
        }
        let group = *groups;
        let error = rd::rd_kafka_ConsumerGroupDescription_error(group);
        if !error.is_null() {
            let code = rd::rd_kafka_error_code(error);
            if code == rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND {
                return Ok(GroupDescription {
                    state: GroupState::Dead,
                    members: Vec::new(),
                });
            }
            if code != rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                return Err(text(rd::rd_kafka_error_string(error)));
            }
        }
        let members = rd::rd_kafka_ConsumerGroupDescription_member_count(group);
        Ok(GroupDescription {
            state: read_state(rd::rd_kafka_ConsumerGroupDescription_state(group)),
            members: (0..members)
                .map(|index| read_member(rd::rd_kafka_ConsumerGroupDescription_member(group, index)))
                .collect(),
        })
    }
}

fn read_state(state: rd::rd_kafka_consumer_group_state_t) -> GroupState {
    use rd::rd_kafka_consumer_group_state_t as State;
    match state {
        State::RD_KAFKA_CONSUMER_GROUP_STATE_PREPARING_REBALANCE => GroupState::PreparingRebalance,
        State::RD_KAFKA_CONSUMER_GROUP_STATE_COMPLETING_REBALANCE => GroupState::CompletingRebalance,
        State::RD_KAFKA_CONSUMER_GROUP_STATE_STABLE => GroupState::Stable,
        State::RD_KAFKA_CONSUMER_GROUP_STATE_DEAD => GroupState::Dead,
        State::RD_KAFKA_CONSUMER_GROUP_STATE_EMPTY => GroupState::Empty,
        _ => GroupState::Unknown,
    }
}

/// # Safety
/// `member` is a valid member description for the time of the call.
unsafe fn read_member(member: *const rd::rd_kafka_MemberDescription_t) -> GroupMember {
    // SAFETY: the caller vouches for `member`; both assignments belong to it and may be null, which is checked.
    unsafe {
        let target = rd::rd_kafka_MemberDescription_target_assignment(member);
        GroupMember {
            client_id: text(rd::rd_kafka_MemberDescription_client_id(member)),
            host: text(rd::rd_kafka_MemberDescription_host(member)),
            assignment: read_assignment(rd::rd_kafka_MemberDescription_assignment(member)),
            target: (!target.is_null()).then(|| read_assignment(target)),
        }
    }
}

/// # Safety
/// `assignment` is null or a valid assignment for the time of the call.
unsafe fn read_assignment(assignment: *const rd::rd_kafka_MemberAssignment_t) -> Vec<(String, i32)> {
    if assignment.is_null() {
        return Vec::new();
    }
    // SAFETY: not null, and the caller vouches for it; the list belongs to it, and its `elems` points to `cnt`
    // entries whose topics are null-terminated.
    unsafe {
        let list = rd::rd_kafka_MemberAssignment_partitions(assignment);
        if list.is_null() || (*list).elems.is_null() {
            return Vec::new();
        }
        let count = usize::try_from((*list).cnt).unwrap_or(0);
        let entries = std::slice::from_raw_parts((*list).elems, count);
        let mut partitions: Vec<_> = entries
            .iter()
            .map(|entry| (text(entry.topic), entry.partition))
            .collect();
        partitions.sort();
        partitions
    }
}

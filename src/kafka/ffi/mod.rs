//! Calls of the client library that rdkafka has no safe wrapper for: describing a consumer group with its target
//! assignment, the ends of partitions, what a user may do, the lines that wait in a client's main queue, and producing from a shared text. The only unsafe code
//! of this room.
#![allow(unsafe_code, reason = "bindings to librdkafka; every block states its invariant")]

mod offsets;
mod operations;
mod produce;

use std::ffi::{CStr, CString, c_char};
use std::ptr;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::bindings as rd;
use rdkafka::client::Client;

use super::group::{GroupDescription, GroupMember, GroupState};

pub(super) use offsets::{end_offsets, start_offsets};
pub(super) use operations::{cluster_operations, topic_operations};
pub use produce::{TextProducer, TextRecord};

/// A queue of a client; destroyed when dropped.
struct Queue(*mut rd::rd_kafka_queue_t);

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: the pointer came from rd_kafka_queue_new or rd_kafka_queue_get_main, was checked for null, and
        // each of these references is given back exactly once, here.
        unsafe { rd::rd_kafka_queue_destroy(self.0) }
    }
}

impl Queue {
    /// A new queue of the client.
    fn new<C: ClientContext>(client: &Client<C>) -> Result<Self, String> {
        // SAFETY: the client is alive for the whole call, so its native pointer is valid.
        let queue = unsafe { rd::rd_kafka_queue_new(client.native_ptr()) };
        Self::checked(queue)
    }

    /// The client's main queue, to which its logs and errors go.
    fn main<C: ClientContext>(client: &Client<C>) -> Result<Self, String> {
        // SAFETY: as in `new`.
        let queue = unsafe { rd::rd_kafka_queue_get_main(client.native_ptr()) };
        Self::checked(queue)
    }

    fn checked(queue: *mut rd::rd_kafka_queue_t) -> Result<Self, String> {
        if queue.is_null() {
            Err("the client library gave no queue".to_owned())
        } else {
            Ok(Queue(queue))
        }
    }

    /// The next event, waiting at most `timeout`.
    fn poll(&self, timeout: Duration) -> Option<Event> {
        let timeout_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the queue is valid until this value is dropped.
        let event = unsafe { rd::rd_kafka_queue_poll(self.0, timeout_ms) };
        if event.is_null() { None } else { Some(Event(event)) }
    }
}

/// An event taken from a queue; destroyed when dropped, with all that it lends.
struct Event(*mut rd::rd_kafka_event_t);

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: the pointer came from rd_kafka_queue_poll, which hands the event over, and was checked for null.
        unsafe { rd::rd_kafka_event_destroy(self.0) }
    }
}

impl Event {
    fn kind(&self) -> i32 {
        // SAFETY: the event is valid until this value is dropped.
        unsafe { rd::rd_kafka_event_type(self.0) }
    }

    /// The message of an error event or of a failed operation; `None` where there is no error.
    fn error(&self) -> Option<String> {
        // SAFETY: the event is valid, and the text lives as long as it; it is copied at once.
        unsafe {
            let failed = rd::rd_kafka_event_error(self.0) != rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
            failed.then(|| text(rd::rd_kafka_event_error_string(self.0)))
        }
    }

    /// How many of the records that a delivery report is about were not delivered.
    fn undelivered(&self) -> u64 {
        let mut count = 0;
        loop {
            // SAFETY: the event is valid, and the message that it lends lives as long; after the last there is null.
            let message = unsafe { rd::rd_kafka_event_message_next(self.0) };
            if message.is_null() {
                return count;
            }
            // SAFETY: not null, and the event that owns it is still there.
            let error = unsafe { (*message).err };
            count += u64::from(error != rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR);
        }
    }

    /// The text of a log event.
    fn log(&self) -> Option<String> {
        let (mut facility, mut line, mut level) = (ptr::null(), ptr::null(), 0);
        // SAFETY: the event is valid, the three out-pointers are too, and the texts they get live as long as the
        // event; the line is copied at once.
        unsafe {
            let found = rd::rd_kafka_event_log(self.0, &raw mut facility, &raw mut line, &raw mut level) == 0;
            found.then(|| text(line))
        }
    }
}

/// The limit of a question to the coordinator of a group, the longest that the library takes: whoever asks waits for as
/// long as they like and goes on without the answer.
///
/// A question that runs out of time within the library (2.12.1; its issue 4605) is freed and sent all the same once there
/// is a coordinator, at which an assertion ends the process.
pub(super) const NO_LIMIT: Duration = Duration::from_secs(3_600);

/// Options of an admin request; destroyed when dropped.
struct Options(*mut rd::rd_kafka_AdminOptions_t);

impl Drop for Options {
    fn drop(&mut self) {
        // SAFETY: the pointer came from rd_kafka_AdminOptions_new and was checked for null.
        unsafe { rd::rd_kafka_AdminOptions_destroy(self.0) }
    }
}

impl Options {
    /// Options of a request that may take `timeout`.
    fn of<C: ClientContext>(
        client: &Client<C>,
        operation: rd::rd_kafka_admin_op_t,
        timeout: Duration,
    ) -> Result<Self, String> {
        // SAFETY: the client is alive for the whole call.
        let options = unsafe { rd::rd_kafka_AdminOptions_new(client.native_ptr(), operation) };
        if options.is_null() {
            return Err("the client library gave no request options".to_owned());
        }
        let options = Options(options);
        let timeout_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        let mut message = [0 as c_char; 256];
        // SAFETY: the options are valid, and the buffer is as long as it is said to be; the library ends what it
        // writes there with a null character.
        unsafe {
            let code = rd::rd_kafka_AdminOptions_set_request_timeout(
                options.0,
                timeout_ms,
                message.as_mut_ptr(),
                message.len(),
            );
            if code != rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                return Err(text(message.as_ptr()));
            }
        }
        Ok(options)
    }

    /// Has the brokers tell what the user may do.
    fn with_operations(&self) -> Result<(), String> {
        // SAFETY: the options are valid; the error, where there is one, is given back once, after its text was copied.
        unsafe {
            let error = rd::rd_kafka_AdminOptions_set_include_authorized_operations(self.0, 1);
            if error.is_null() {
                return Ok(());
            }
            let message = text(rd::rd_kafka_error_string(error));
            rd::rd_kafka_error_destroy(error);
            Err(message)
        }
    }
}

/// Copies a text of the library; empty for a null pointer.
///
/// # Safety
/// `pointer` is null or points to a null-terminated text that stays valid for this call.
unsafe fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: not null, and the caller vouches for the rest.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}

/// The log lines and errors that wait in the client's main queue, oldest first. Nothing else takes them from an
/// admin client's queue.
pub(super) fn waiting_messages<C: ClientContext>(client: &Client<C>) -> Vec<String> {
    let Ok(queue) = Queue::main(client) else {
        return Vec::new();
    };
    let mut messages = Vec::new();
    while let Some(event) = queue.poll(Duration::ZERO) {
        let message = match event.kind() {
            rd::RD_KAFKA_EVENT_LOG => event.log(),
            rd::RD_KAFKA_EVENT_ERROR => event.error(),
            _ => None,
        };
        messages.extend(message);
    }
    messages
}

/// Asks the brokers for the state and the members of a group. Blocks for at most about `timeout`.
pub(super) fn describe_group<C: ClientContext>(
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

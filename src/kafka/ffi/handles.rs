//! Native handles that are destroyed when dropped.

use std::ffi::{CStr, c_char};
use std::ptr;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::bindings as rd;
use rdkafka::client::Client;

/// A queue of a client; destroyed when dropped.
pub(super) struct Queue(pub(super) *mut rd::rd_kafka_queue_t);

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: the pointer came from rd_kafka_queue_new or rd_kafka_queue_get_main, was checked for null, and
        // each of these references is given back exactly once, here.
        unsafe { rd::rd_kafka_queue_destroy(self.0) }
    }
}

impl Queue {
    /// A new queue of the client.
    pub(super) fn new<C: ClientContext>(client: &Client<C>) -> Result<Self, String> {
        // SAFETY: the client is alive during the call, so its native pointer is valid.
        let queue = unsafe { rd::rd_kafka_queue_new(client.native_ptr()) };
        Self::checked(queue)
    }

    /// The client's main queue, to which its logs and errors go.
    pub(super) fn main<C: ClientContext>(client: &Client<C>) -> Result<Self, String> {
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
    pub(super) fn poll(&self, timeout: Duration) -> Option<Event> {
        let timeout_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the queue is valid until this value is dropped.
        let event = unsafe { rd::rd_kafka_queue_poll(self.0, timeout_ms) };
        if event.is_null() { None } else { Some(Event(event)) }
    }
}

/// An event taken from a queue; destroyed when dropped, with all that it lends.
pub(super) struct Event(pub(super) *mut rd::rd_kafka_event_t);

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: the pointer came from rd_kafka_queue_poll, which hands the event over, and was checked for null.
        unsafe { rd::rd_kafka_event_destroy(self.0) }
    }
}

impl Event {
    pub(super) fn kind(&self) -> i32 {
        // SAFETY: the event is valid until this value is dropped.
        unsafe { rd::rd_kafka_event_type(self.0) }
    }

    /// The message of an error event or of a failed operation; `None` where there is no error.
    pub(super) fn error(&self) -> Option<String> {
        // SAFETY: the event is valid, and the text lives as long as it; it is copied at once.
        unsafe {
            let failed = rd::rd_kafka_event_error(self.0) != rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
            failed.then(|| text(rd::rd_kafka_event_error_string(self.0)))
        }
    }

    /// How many of the records that a delivery report is about were not delivered.
    pub(super) fn undelivered(&self) -> u64 {
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
    pub(super) fn log(&self) -> Option<String> {
        let (mut facility, mut line, mut level) = (ptr::null(), ptr::null(), 0);
        // SAFETY: the event is valid, the three out-pointers are too, and the texts they get live as long as the
        // event; the line is copied at once.
        unsafe {
            let found = rd::rd_kafka_event_log(self.0, &raw mut facility, &raw mut line, &raw mut level) == 0;
            found.then(|| text(line))
        }
    }
}

/// Timeout of a request to the coordinator of a group: the longest that the library takes. Callers have their own timeouts.
///
/// When such a request times out within the library (2.12.1; its issue 4605), it is freed and still sent once there is a
/// coordinator, where an assertion aborts the process.
pub(in crate::kafka) const NO_LIMIT: Duration = Duration::from_secs(3_600);

/// Options of an admin request; destroyed when dropped.
pub(super) struct Options(pub(super) *mut rd::rd_kafka_AdminOptions_t);

impl Drop for Options {
    fn drop(&mut self) {
        // SAFETY: the pointer came from rd_kafka_AdminOptions_new and was checked for null.
        unsafe { rd::rd_kafka_AdminOptions_destroy(self.0) }
    }
}

impl Options {
    /// Options of a request that may take `timeout`.
    pub(super) fn of<C: ClientContext>(
        client: &Client<C>,
        operation: rd::rd_kafka_admin_op_t,
        timeout: Duration,
    ) -> Result<Self, String> {
        // SAFETY: the client is alive during the call.
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

    /// Requests what the user may do.
    pub(super) fn with_operations(&self) -> Result<(), String> {
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
pub(super) unsafe fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: not null, and the caller vouches for the rest.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}

/// Removes the log lines and errors from the client's main queue, oldest first. Nothing else removes them from an admin
/// client's queue.
pub(in crate::kafka) fn waiting_messages<C: ClientContext>(client: &Client<C>) -> Vec<String> {
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

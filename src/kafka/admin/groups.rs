//! Groups: who is in them, and their removal.

use std::time::{Duration, Instant};

use rdkafka::admin::AdminOptions;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::time::{sleep, timeout};

use super::connection::{Admin, REQUEST_LIMIT, SETTLE_LIMIT};
use super::error::AdminError;
use crate::kafka::ffi;
use crate::measure::GroupDescription;

/// Pause between two attempts to delete a group whose members are leaving.
const LEAVE_PAUSE: Duration = Duration::from_millis(100);

/// Waits longer than this are reported.
const SILENT_LIMIT: Duration = Duration::from_secs(5);

impl Admin {
    /// Deletes these groups, waiting a while for members that are still leaving. One that does not exist is no error.
    pub async fn delete_groups(&self, names: &[String]) -> Result<(), AdminError> {
        self.delete_groups_within(names, SETTLE_LIMIT, &|_| {}).await
    }

    /// The same with a limit for the members to leave; `report` gets a message when the wait is long.
    pub(super) async fn delete_groups_within(
        &self,
        names: &[String],
        limit: Duration,
        report: &(dyn Fn(&str) + Sync),
    ) -> Result<(), AdminError> {
        let mut left: Vec<String> = names.to_vec();
        let begin = Instant::now();
        let (deadline, mut is_reported) = (begin + limit, false);
        while !left.is_empty() {
            let borrowed: Vec<&str> = left.iter().map(String::as_str).collect();
            let action = format!("delete groups {}", left.join(", "));
            let options = AdminOptions::new().request_timeout(Some(ffi::NO_LIMIT));
            let results = timeout(REQUEST_LIMIT, self.client.delete_groups(&borrowed, &options)).await;
            let late = |_| Err(KafkaError::AdminOp(RDKafkaErrorCode::OperationTimedOut));
            let results = results.unwrap_or_else(late);
            let results = results.map_err(|error| self.request_error(&action, &error))?;
            let members = |result: &Result<_, (_, _)>| matches!(result, Err((_, RDKafkaErrorCode::NonEmptyGroup)));
            if !is_reported && begin.elapsed() > SILENT_LIMIT && results.iter().any(members) {
                is_reported = true;
                report(&format!(
                    "waiting for the cluster to drop the members that could not leave {}",
                    left.join(", ")
                ));
            }
            left = still_there(results, Instant::now() > deadline)?;
            if !left.is_empty() {
                sleep(LEAVE_PAUSE).await;
            }
        }
        Ok(())
    }

    /// Names of the groups that start with `prefix`, sorted.
    pub async fn groups(&self, prefix: &str) -> Result<Vec<String>, AdminError> {
        let prefix = prefix.to_owned();
        self.blocking("list the groups", move |admin| {
            let listed = admin.client.inner().fetch_group_list(None, REQUEST_LIMIT);
            let listed = listed.map_err(|error| admin.request_error("list the groups", &error))?;
            let names = listed.groups().iter().map(|group| group.name().to_owned());
            let mut names: Vec<_> = names.filter(|name| name.starts_with(&prefix)).collect();
            names.sort();
            Ok(names)
        })
        .await
    }

    /// State and members of a group; one that does not exist is `Dead`. Cheap enough to be called every 20 to 50 ms.
    pub async fn describe_group(&self, group_id: &str) -> Result<GroupDescription, AdminError> {
        let group_id = group_id.to_owned();
        self.blocking("describe a group", move |admin| {
            // Nothing else removes what the library logs while a broker is away, and it must not pile up.
            ffi::waiting_messages(admin.client.inner());
            let described = ffi::describe_group(admin.client.inner(), &group_id, REQUEST_LIMIT);
            described.map_err(|cause| AdminError::refused(format!("describe group {group_id}"), &cause))
        })
        .await
    }

    /// True where the coordinator of a group answers; blocks. The first request makes the brokers create their topic of
    /// offsets.
    pub(in crate::kafka) fn groups_work_now(&self, limit: Duration) -> bool {
        ffi::waiting_messages(self.client.inner());
        ffi::describe_group(self.client.inner(), "tandem-ready", limit).is_ok()
    }
}

/// Groups of a deletion that still have members.
fn still_there(
    results: Vec<Result<String, (String, RDKafkaErrorCode)>>,
    last: bool,
) -> Result<Vec<String>, AdminError> {
    let mut left = Vec::new();
    for result in results {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::GroupIdNotFound)) => {}
            Err((
                name,
                RDKafkaErrorCode::NonEmptyGroup
                | RDKafkaErrorCode::CoordinatorLoadInProgress
                | RDKafkaErrorCode::CoordinatorNotAvailable
                | RDKafkaErrorCode::NotCoordinator,
            )) if !last => left.push(name),
            Err((name, code)) => {
                return Err(AdminError::refused(format!("delete group {name}"), &code));
            }
        }
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use rdkafka::mocking::MockCluster;

    use super::*;
    use crate::kafka::admin::CONNECT_LIMIT;
    use crate::secret::Secret;

    /// Uses the library's mock brokers, which can go down and come back. A regression aborts the test program.
    #[test]
    fn a_coordinator_that_appears_after_the_timeout_does_no_harm() {
        let brokers = MockCluster::new(1).unwrap();
        brokers.broker_down(1).unwrap();
        let quick = ["reconnect.backoff.ms", "reconnect.backoff.max.ms"];
        let quick: BTreeMap<_, _> = quick.map(|name| (name.to_owned(), Secret::new("10"))).into();
        let admin = Admin::new(&brokers.bootstrap_servers(), &quick).unwrap();
        for _ in 0..3 {
            assert!(!admin.groups_work_now(Duration::from_millis(200)));
        }
        brokers.broker_up(1).unwrap();
        admin.wait_for_answer(CONNECT_LIMIT).unwrap();
        // The questions from before are sent as soon as the coordinator is known.
        std::thread::sleep(Duration::from_secs(1));
        assert_eq!(admin.brokers_now(CONNECT_LIMIT).unwrap().len(), 1);
    }
}

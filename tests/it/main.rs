//! The program on real brokers with real processes: every test that needs more than one module.
//!
//! Needs Java, Python and Chromium; brokers come from tandem's cache or `KAFKA_HOME`, as for any run.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub)]

mod apps;
mod arrangements;
mod browser;
mod clean;
mod client_causes;
mod clients;
mod compare;
mod container_image;
mod containers;
mod deaths;
mod doctor;
mod existing_topics;
mod first_steps;
mod fixed_group;
mod foreign_settings;
mod gate;
mod guardian;
mod histogram_log;
mod hosts;
mod interface;
mod kafka_tools;
mod keep;
mod killed_changes;
mod lies;
mod limits;
mod live;
mod local_brokers;
mod many;
mod network_host;
mod old_versions;
mod planned_acts;
mod planned_faults;
mod pods;
#[path = "../../src/testing/postgres.rs"]
#[allow(dead_code, reason = "the tests of the library share a server")]
mod postgres;
mod producer;
mod python_and_go;
mod python_worker;
mod quick_run;
mod quota;
mod ready_made;
mod rebalances;
mod refusals;
mod rigged_broker;
mod scenario;
mod scene;
mod secrets;
mod secured;
mod secured_cluster;
mod shared_cluster;
mod silent;
mod spread;
mod ssh;
mod ssh_faults;
mod ssh_places;
mod ssh_server;
mod standing;
mod standstills;
mod starts;
mod store;
mod store_outage;
mod store_worker;
mod until_decided;
mod variants;
mod why;
mod without_file;
mod worker_process;

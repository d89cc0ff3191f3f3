//! One Kafka consumer process or two? tandem measures how the arrangement of consumers changes how fast they read.
//!
//! Data goes one way through the modules of this crate, and each knows only those before it:
//!
//! - [`scenario`]: what the user wrote, parsed and validated;
//! - [`wording`]: numbers and lists in sentences;
//! - [`secret`]: values that are never printed;
//! - [`client_errors`]: what clients report, and which of it is permanent;
//! - [`time`]: times of several hosts;
//! - [`clients`]: the properties of Kafka clients, and what one has instead of another's;
//! - [`measure`]: clocks, resources, and the types of what a trial recorded;
//! - [`contents`]: what records hold;
//! - [`load`]: when records are to be sent, and the stamp that says so;
//! - [`stats`]: statistics on plain numbers;
//! - [`figures`]: the catalogue of figures, and what they are of a trial and over trials;
//! - [`verdict`]: which configurations are compared within blocks, and what is concluded;
//! - [`plan`]: which trial comes next, from the scenario and the trials stored so far;
//! - [`names`]: what topics, groups and clients are called;
//! - [`server`]: processes of servers run here, with their folders and ports;
//! - [`kafka`]: brokers run here, client settings, topics and groups;
//! - [`database`]: the databases in which records can end;
//! - [`protocol`]: the messages between coordinator and worker;
//! - [`work`]: what is done with records, by a handler for each thread;
//! - [`worker`]: a process of consumers, or a producer of load;
//! - [`trial`]: one trial: its cast, how it goes on, what it recorded;
//! - [`coordinator`]: runs trials with worker processes;
//! - [`store`]: the files of a run;
//! - [`summary`], [`report`]: from trials to estimates, answers, text and charts;
//! - [`cli`]: the commands.

pub mod cli;
pub mod client_errors;
pub mod clients;
pub mod contents;
pub mod coordinator;
pub mod database;
pub mod figures;
pub mod kafka;
pub mod load;
pub mod measure;
pub mod names;
pub mod plan;
pub mod protocol;
pub mod report;
pub mod scenario;
pub mod secret;
pub mod server;
pub mod stats;
pub mod store;
pub mod summary;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod testing;
pub mod time;
pub mod trial;
pub mod verdict;
pub mod wording;
pub mod work;
pub mod worker;

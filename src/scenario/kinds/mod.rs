//! The kinds of value that keys take.

mod addresses;
mod app;
mod basic;
mod choices;
mod container;
mod dataset;
mod event;
mod figure;
mod kind;
mod kubernetes;
mod limits;
mod load;
mod place;
mod producers;
mod repetitions;
mod time;
mod variable;
mod work;

pub(crate) use addresses::{Bootstrap, GroupName, HostName, ListenerName, Prefix, Processors, SshTarget, TopicName};
pub(crate) use app::{AppCommand, AppEnv, AppName, Expression};
pub(crate) use basic::{Command, Count, Decimal, Formed, Integer, IntegerOrAll, KeyNames, Line, OneOf, Switch};
pub(crate) use choices::{Assignment, ClientDefaults, Lag, ModeName, Protocol};
pub(crate) use container::Container;
pub(crate) use dataset::{Ratio, Topics, Weights};
pub(crate) use event::{Deed, Expected, Interval, Moment};
pub(crate) use figure::{Amount, FigureName, MetricName, Number, Threshold};
pub(crate) use kind::{Kind, Refusal};
pub(crate) use kubernetes::{ImageName, Labels, Namespace, Resources};
pub(crate) use limits::{Cores, Memory};
pub(crate) use load::{Positive, number_text};
pub(crate) use place::PlaceNames;
pub(crate) use time::{Duration, Milliseconds, Warmup, time_text};
pub(crate) use variable::FromEnvironment;

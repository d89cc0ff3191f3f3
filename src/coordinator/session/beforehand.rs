//! What must hold before a session makes anything: brokers enough for the replicas, the listeners that places name, and
//! workers that can do what the configurations need.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Session;
use crate::coordinator::calibration::{self, Calibrations};
use crate::coordinator::database::Database;
use crate::coordinator::ending::RunError;
use crate::coordinator::environment::Clients;
use crate::coordinator::fleet::ProcessFleet;
use crate::coordinator::place_error::described;
use crate::kafka::local::HOSTS;
use crate::measure::clock;
use crate::protocol::{Hello, WorkCalibration};
use crate::scenario::{App, Configuration, Place, Reach, Work};
use crate::trial::Demands;

impl Session<'_> {
    /// Meets the workers of each build and of each app at each place: what work costs them there, and which clients they have. They must
    /// have the capabilities that their trials need.
    pub(super) async fn meet_workers(&self) -> Result<(Calibrations, Clients<'_>), RunError> {
        let scenario = &self.plan.scenario;
        let mut calibrations = Calibrations::default();
        let mut clients = Clients::own(scenario);
        for build in 0..self.programs.count() {
            let pairs = scenario.configurations.iter().flat_map(|each| {
                let places = each.distinct_places().into_iter();
                places.map(|place| (each.app, place))
            });
            let mut met = BTreeMap::new();
            for (app, place) in pairs.collect::<BTreeSet<_>>() {
                let calibration = self.meet_at(build, app, place, &mut clients).await?;
                met.insert((app, place), calibration);
            }
            calibrations.add_build(met);
        }
        Ok((calibrations, clients))
    }

    /// What work costs a worker of an app, or of a build, at a place. Its client is added to those of the run.
    async fn meet_at(
        &self,
        build: usize,
        app_index: usize,
        index: usize,
        clients: &mut Clients<'_>,
    ) -> Result<WorkCalibration, RunError> {
        let scenario = &self.plan.scenario;
        let (app, place) = (scenario.app_at(app_index, index), &scenario.places[index]);
        let here =
            |c: &&Configuration| (c.app, c.variant.build) == (app_index, build) && c.distinct_places().contains(&index);
        let configurations = || scenario.configurations.iter().filter(here);
        if configurations().next().is_none() {
            return Ok(WorkCalibration::default());
        }
        // Only work of a known time is made from what is measured here.
        let works = configurations().any(|configuration| configuration.work.ns().is_some_and(|ns| ns > 0));
        let is_here = place.reach() == Reach::Here;
        let is_own = scenario.variants.builds.is_empty() && is_here && app == App::Tandem;
        if is_own {
            clients.add_own(place);
        }
        // This program can do everything; another build may not.
        if is_own && !works {
            return Ok(WorkCalibration::default());
        }
        let is_other = matches!(app, App::Other(_));
        let worker = match app {
            App::Other(spec) => format!("the app {:?} at place {}", spec.name, described(place)),
            App::Tandem | App::Launched { .. } => format!("the worker at place {}", place.name),
        };
        if works {
            self.observer.preparing("calibrating the work");
        }
        let mut fleet = ProcessFleet::new(&self.options.run_id, Arc::clone(&self.hidden));
        let met = calibration::meet(&mut fleet, &self.launch(app, place, build, app.role(), (1, 0)), works).await;
        let (hello, measured) = match met {
            Ok(met) => met,
            // Its trials fail with the cause.
            Err(_) if !works && !is_other => return Ok(WorkCalibration::default()),
            Err(cause) if !works => return Err(RunError::Worker { worker, cause }),
            Err(cause) => return Err(RunError::Calibration { worker, cause }),
        };
        configurations().try_for_each(|each| self.check_reach(each, place, &hello))?;
        let unmet = |each: &Configuration| {
            let cause = Demands::of(each).unmet(&hello)?;
            Some(format!("{cause}, as in {:?}", each.name))
        };
        // An observer is asked for nothing but to observe.
        let mut demanding = configurations().filter(|_| app.silent().is_none());
        if let Some(cause) = demanding.find_map(unmet) {
            return Err(RunError::Worker { worker, cause });
        }
        // What builds have is said with each of them.
        if !is_own && scenario.variants.builds.is_empty() {
            clients.add(app_index, index, &hello);
        }
        // A worker that cannot calibrate works uncalibrated and reports so in its trials.
        Ok(measured.unwrap_or_default())
    }

    /// Workers of another machine must not be given servers at 127.0.0.1, which is that machine itself to them.
    fn check_reach(&self, configuration: &Configuration, place: &Place, hello: &Hello) -> Result<(), RunError> {
        let cluster = self.plan.scenario.cluster_of(configuration);
        let boot = |host: Option<String>| host.and_then(|host| Some(host.split(' ').next()?.to_owned()));
        let elsewhere = boot(hello.host.clone()).is_some_and(|there| Some(there) != boot(clock::host()));
        if !place.is_managed() || !elsewhere && place.shares_network() {
            return Ok(());
        }
        let (place_name, configuration_name) = (place.name.clone(), configuration.name.clone());
        if cluster.bootstrap().is_none() && cluster.address().is_none() {
            return Err(RunError::OutOfReach {
                place: place_name,
                configuration: configuration_name,
            });
        }
        if configuration.work == Work::Store && self.database.as_ref().is_some_and(Database::is_private) {
            return Err(RunError::StoreOutOfReach {
                place: place_name,
                configuration: configuration_name,
            });
        }
        Ok(())
    }

    /// The brokers' addresses for a configuration's consumers at a place: of the listener that the place names.
    pub(super) fn address(&self, configuration: &Configuration, place: &Place) -> Result<String, RunError> {
        let cluster = self.cluster(configuration);
        let is_elsewhere =
            !self.places.is_here(place) && self.plan.scenario.cluster_of(configuration).address().is_some();
        let listener = place.listener.as_deref().or(is_elsewhere.then_some(HOSTS));
        let address = cluster.bootstrap(listener);
        address.ok_or_else(|| RunError::Listener {
            place: place.name.clone(),
            listener: place.listener.clone().unwrap_or_default(),
        })
    }

    /// No topic can have more replicas than its cluster has brokers.
    pub(super) async fn check_replication(&self) -> Result<(), RunError> {
        let filled = self
            .plan
            .scenario
            .datasets
            .iter()
            .filter(|spec| spec.existing().is_none());
        let replication = filled.map(|spec| spec.replication).max().unwrap_or(1);
        for cluster in &self.clusters {
            let brokers = cluster.admin.brokers().await?.len();
            if replication as usize > brokers {
                return Err(RunError::Replication {
                    bootstrap: cluster.admin.bootstrap().to_owned(),
                    replication,
                    brokers,
                });
            }
        }
        Ok(())
    }
}

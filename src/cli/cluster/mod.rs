//! `tandem cluster up | status | down`: a cluster on this machine that outlives the command and the shell.

mod describe;
mod keep;
mod standing;
mod status;
mod up;

use anyhow::Result;

use self::up::Up;
use super::exit::DONE;
use crate::coordinator::leftovers::state_folder;
use crate::coordinator::standing_cluster::StandingFolder;

pub(super) use self::standing::{at, standing};
pub(super) use self::status::disk_bytes;

/// What is to be done with the cluster.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Start it, unless it is there; use it with `tandem run --cluster local`
    Up(Up),
    /// Show where it is and what it holds; exit code 1 where there is none, or a broker or its ZooKeeper has ended
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// End it and remove all its data
    Down,
    /// Be the process that keeps it (started by tandem itself)
    #[command(hide = true)]
    Keep(Up),
}

pub(super) fn run(command: &Command) -> Result<u8> {
    let folder = StandingFolder::beside(&state_folder());
    match command {
        Command::Up(up) => up::start(&folder, up),
        Command::Status { json } => status::status(&folder, *json),
        Command::Down => down(&folder),
        Command::Keep(up) => Ok(keep::keep(&folder, up)),
    }
}

fn down(folder: &StandingFolder) -> Result<u8> {
    let _lock = folder.lock()?;
    if folder.down()? {
        say!("the cluster has ended and its data are removed");
    } else {
        say!("there is no cluster");
    }
    Ok(DONE)
}

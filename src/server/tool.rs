//! A program that prepares the files of a server and ends by itself.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::error::FileError;
use super::files::last_lines;
use super::ownership::{Keeper, RUN_VARIABLE};

/// Pause between two looks at one that runs.
const PAUSE: Duration = Duration::from_millis(25);

/// A program that ends by itself; killed when dropped.
pub struct Tool {
    process: Child,
    output: PathBuf,
    keeper: Arc<dyn Keeper>,
}

/// How a tool ended.
#[derive(Debug)]
pub enum ToolEnd {
    /// By itself.
    Exited(ExitStatus),
    /// It was killed because it took too long.
    TimedOut,
    /// It was killed because nobody needs it any more.
    Interrupted,
}

impl Tool {
    /// Starts it. What it prints goes to the file `output`.
    pub fn start(
        command: &mut Command,
        output: &Path,
        run_id: &str,
        keeper: &Arc<dyn Keeper>,
    ) -> Result<Self, FileError> {
        let file = fs::File::create(output).map_err(FileError::new("write", output))?;
        let errors = file.try_clone().map_err(FileError::new("write", output))?;
        let process = command
            .env(RUN_VARIABLE, run_id)
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .map_err(FileError::new("run", Path::new(command.get_program())))?;
        keeper.process_started(process.id());
        Ok(Tool {
            process,
            output: output.to_owned(),
            keeper: Arc::clone(keeper),
        })
    }

    /// Waits for its end.
    pub fn wait(&mut self, deadline: Instant, interrupted: &AtomicBool) -> Result<ToolEnd, FileError> {
        loop {
            let exit = self
                .process
                .try_wait()
                .map_err(FileError::new("wait for", &self.output))?;
            match exit {
                Some(exit) => return Ok(ToolEnd::Exited(exit)),
                None if interrupted.load(Ordering::Relaxed) => return Ok(ToolEnd::Interrupted),
                None if Instant::now() > deadline => return Ok(ToolEnd::TimedOut),
                None => sleep(PAUSE),
            }
        }
    }

    /// The end of what it has printed.
    pub fn last_lines(&self) -> String {
        last_lines(&self.output, 12, |_| true)
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        // Both do nothing where it has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.keeper.process_ended(self.process.id());
    }
}

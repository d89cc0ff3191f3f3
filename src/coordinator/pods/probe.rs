//! Why a worker in a pod has ended, asked of its cluster and of its pod after the end.

use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::state::{Pod, PodState};

/// How long the cluster may take to answer.
const LIMIT: Duration = Duration::from_secs(15);

/// A pod whose worker was killed is asked so often, and this long after another.
const ASKED_MOST: u32 = 4;
const AGAIN: Duration = Duration::from_secs(1);

/// What the kernel counts of a container's memory, in both versions of control groups.
const MEMORY_EVENTS: &str =
    "cat /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control 2>/dev/null; true";

/// Exit code of a process that was killed.
const KILLED: i32 = 137;

/// How a pod is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodProbe {
    /// The command that prints the pod as JSON.
    pub(super) ask: Vec<String>,
    /// The words before a command in the pod.
    pub(super) exec: Vec<String>,
    /// What is said where its memory limit was the cause.
    pub(super) memory_kill: String,
}

impl PodProbe {
    /// Why a worker ended whose `kubectl exec` ended with this code; `None` where neither pod nor kernel knows. Of a process
    /// that was killed the cluster may know only seconds later that its pod has ended too.
    pub async fn explain(self, code: Option<i32>) -> Option<String> {
        for _ in 0..ASKED_MOST {
            let cause = self.cause(code).await;
            if cause.is_some() || code != Some(KILLED) {
                return cause;
            }
            tokio::time::sleep(AGAIN).await;
        }
        None
    }

    async fn cause(&self, code: Option<i32>) -> Option<String> {
        let output = run(&self.ask, &[]).await?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return said.contains("(NotFound)").then(|| "the pod is gone".to_owned());
        }
        let pod = Pod::of(&serde_json::from_slice(&output.stdout).ok()?)?;
        if let PodState::Ended(why) = pod.state {
            return Some(format!("the pod has ended: {why}"));
        }
        if code != Some(KILLED) {
            return None;
        }
        let events = run(&self.exec, &["sh", "-c", MEMORY_EVENTS]).await?;
        let kills = kills(&String::from_utf8_lossy(&events.stdout));
        (kills > 0).then(|| self.memory_kill.clone())
    }
}

/// How often the kernel has killed a process of the container for want of memory.
fn kills(events: &str) -> u64 {
    let counts = events.lines().filter_map(|line| line.strip_prefix("oom_kill "));
    counts.filter_map(|count| count.trim().parse::<u64>().ok()).sum()
}

async fn run(words: &[String], more: &[&str]) -> Option<Output> {
    let mut command = Command::new(words.first()?);
    command
        .args(&words[1..])
        .args(more)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    timeout(LIMIT, command.output()).await.ok()?.ok()
}

#[cfg(test)]
mod tests {
    use super::kills;

    #[test]
    fn kills_are_counted_in_both_versions_of_control_groups() {
        assert_eq!(kills("low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\n"), 1);
        assert_eq!(kills("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"), 2);
        assert_eq!(kills("oom_kill_disable 0\nunder_oom 0\n"), 0);
    }
}

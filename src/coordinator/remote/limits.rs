//! The limits of a place on another host: tandem's program there sets them, and starts the worker under them.

use super::connection::Connection;
use super::error::SshError;
use super::program::{ASK_LIMIT, said};
use crate::coordinator::reached::quoted;
use crate::scenario::Place;

/// The words before the command of a process of this number at a place with limits, `program` being tandem's there; none
/// where the place has no limits.
pub fn limited(place: &Place, program: &str, run_id: &str, number: usize) -> Vec<String> {
    if place.limits.is_empty() {
        return Vec::new();
    }
    let mut words = [
        program,
        "worker",
        "limited",
        "--run",
        run_id,
        "--place",
        &place.name,
        "--number",
    ]
    .map(str::to_owned)
    .to_vec();
    words.push(number.to_string());
    let cpu = place
        .limits
        .cpu_millicores
        .map(|millicores| format!("--cpu-millicores={millicores}"));
    let memory = place.limits.memory_bytes.map(|bytes| format!("--memory-bytes={bytes}"));
    words.extend(cpu.into_iter().chain(memory));
    words.push("--".to_owned());
    words
}

/// Sees that the limits of a place, if it has any, can be set there: something that does nothing is started under them. Blocks.
pub fn check_limits(connection: &Connection, place: &Place, program: &str, run_id: &str) -> Result<(), SshError> {
    let mut words = limited(place, program, run_id, 0);
    if words.is_empty() {
        return Ok(());
    }
    words.push("true".to_owned());
    let script: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    let output = connection.run(&script.join(" "), None, "setting the limits", ASK_LIMIT)?;
    if output.status.success() {
        return Ok(());
    }
    Err(SshError::Limits {
        said: said(&output.stderr, "it said nothing"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::scenario;

    #[test]
    fn a_place_with_limits_has_its_workers_started_by_tandem_there() {
        let scenario = scenario(
            "[[place]]\nname = 'a'\nssh = 'h'\ncpu_limit = 0.5\nmemory_limit = '64MiB'\n\
             [[place]]\nname = 'b'\nssh = 'h'\n",
        );
        let words = |index: usize| limited(&scenario.places[index], "/t", "r1", 2).join(" ");
        let expected =
            "/t worker limited --run r1 --place a --number 2 --cpu-millicores=500 --memory-bytes=67108864 --";
        assert_eq!((words(1).as_str(), words(2).as_str()), (expected, ""));
    }
}

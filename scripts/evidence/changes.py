"""Makes planned changes whose cost Kafka's settings foretell: members that join, leave and crash, brokers that end. Prints
how long partitions stood still in the trials of each, and how long they should have."""

from dataclasses import dataclass, field
from pathlib import Path

import checks
from checks import verdict
from runs import Run

QUESTION, TIME = "Do partitions stand still as long as Kafka's settings say?", "About 2 hours on a quiet machine"
DOCUMENT = Path("docs/changes.md")

# Of what is not set by a setting: processes that are busy, requests on their way, the first fetch.
JOIN_MARGIN, CRASH_MARGIN, BACK_MARGIN = 0.7, 1.0, 1.0
# Most of a gap that may stay unexplained: a share of it, or so many milliseconds if that is more.
UNEXPLAINED_SHARE, UNEXPLAINED_MS = 0.05, 20.0
PROTOCOLS = {"eager": 'protocol = "classic", assignor = "range"',
             "cooperative": 'protocol = "classic", assignor = "cooperative-sticky"',
             "consumer": 'protocol = "consumer"'}


@dataclass
class Change:
    """A planned change: what is done to whom, and how many seconds a partition may then stand still."""

    what: str
    consumer: str
    event: str
    seconds: float
    low: float
    high: float
    figure: str = "unavailable_ms"
    repetitions: int = 10
    values: dict = field(default_factory=dict)

    def row(self, tandem):
        """What was measured, beside what should be."""
        values = {"cluster": "", "replication": "", "partitions": 4, "consumer": self.consumer, "event": self.event,
                  "seconds": self.seconds, "repetitions": self.repetitions, **self.values}
        run = Run(tandem, "changes", values)
        trials = run.trial_rows("complete")
        if len(trials) < self.repetitions:
            failures = {trial["failure"] for trial in run.trial_rows("failed")}
            return self.what, f"{len(trials)} of {self.repetitions} trials", "all", f"**no**: {'; '.join(failures)}"
        gaps = [float(trial[self.figure]) / 1e3 for trial in trials]
        account = sum(int(trial[name]) for trial in trials for name in ("lost", "duplicated"))
        unexplained = all(float(trial["unexplained_ms"]) <= max(UNEXPLAINED_MS, UNEXPLAINED_SHARE * 1e3 * gap)
                          for trial, gap in zip(trials, gaps))
        faults = [text for text, is_so in (("records lost or doubled", account > 0),
                                           ("unexplained parts", not unexplained)) if is_so]
        measured = f"{min(gaps):.2f} to {max(gaps):.2f} s in {len(gaps)} trials" + "".join(f", {fault}" for fault in faults)
        is_right = all(self.low <= gap <= self.high for gap in gaps) and not faults
        return self.what, measured, f"{self.low:g} to {self.high:g} s", verdict(is_right)


def rows(changes):
    """A check that makes these changes."""
    return lambda tandem: [change.row(tandem) for change in changes]


def joining(protocol, interval):
    """A third process joins two; at which moment of a heartbeat interval is drawn."""
    intervals = 2 if protocol == "cooperative" else 1
    return Change(f"a member joins, {protocol}, heartbeats of {interval} s",
                  f'processes = 3, {PROTOCOLS[protocol]}, heartbeat = "{interval}s"',
                  f'at = "4s"\ndo = "start"\nwhat = "process 3"\nspread = "{interval}s"',
                  8 + 3 * interval, 0.0, intervals * interval + JOIN_MARGIN)


def crashing(session, heartbeat, slack):
    return Change(f"a member is killed, session timeout {session} s, heartbeats of {heartbeat} s",
                  f'processes = 2, session_timeout = "{session}s", heartbeat = "{round(heartbeat * 1e3)}ms"',
                  'at = "4s"\ndo = "kill"\nwhat = "process 2"', session + 9, session - slack, session + slack + CRASH_MARGIN)


def leaving(protocol):
    return Change(f"a member leaves, {protocol}, heartbeats of 3 s", f'processes = 2, {PROTOCOLS[protocol]}, heartbeat = "3s"',
                  'at = "4s"\ndo = "leave"\nwhat = "process 2"', 12, 0.0, 3.5)


def coming_back(protocol, how):
    """A static member is back before its session ends."""
    return Change(f"a static member restarts after 3 s, {protocol}, {how}",
                  f'processes = 2, {PROTOCOLS[protocol]}, static = true, session_timeout = "20s"',
                  f'at = "4s"\ndo = "restart"\nhow = "{how}"\nwhat = "process 2"\nfor = "3s"', 16, 3.0, 3.0 + BACK_MARGIN)


def spared(protocol, low, high):
    """What a member that joins costs those whose partitions stay."""
    return Change(f"collateral of a member that joins, {protocol}, heartbeats of 2 s",
                  f'processes = 3, {PROTOCOLS[protocol]}, heartbeat = "2s"',
                  'at = "4s"\ndo = "start"\nwhat = "process 3"\nspread = "2s"', 14, low, high, figure="collateral_ms",
                  values={"partitions": 6})


def broker_ends(what, do, target, low, high, seconds, settings=""):
    return Change(what, "processes = 2", f'at = "4s"\ndo = "{do}"\nwhat = "{target}"', seconds, low, high,
                  values={"cluster": f"cluster = {{ brokers = 3{settings} }}", "replication": ", replication = 2"})


FAST = ', broker = { "broker.session.timeout.ms" = 2000, "broker.heartbeat.interval.ms" = 500 }'
INTERVALS = (1, 2, 4)
CHECKS = {
    "join": rows([joining(protocol, interval) for protocol in PROTOCOLS for interval in INTERVALS]),
    "crash": rows([crashing(session, heartbeat, slack) for heartbeat, slack in ((0.5, 0.5), (3, 3)) for session in (6, 10, 15)
                   if session > 2 * heartbeat]),
    "leave": rows([leaving(protocol) for protocol in PROTOCOLS]),
    "static": rows([coming_back(protocol, how) for protocol, how in
                    (("eager", "clean"), ("eager", "kill"), ("consumer", "clean"))]),
    "collateral": rows([spared("eager", 0.001, 2.7), spared("cooperative", 0.0, 0.0), spared("consumer", 0.0, 0.0)]),
    "broker-failover": rows([
        broker_ends("the leader of a partition is killed, Kafka's defaults", "kill", "leader of 0", 8, 14, 24),
        broker_ends("the same with a broker session of 2 s", "kill", "leader of 0", 2, 5, 16, FAST),
        broker_ends("the active controller is killed, Kafka's defaults", "kill", "controller", 11, 14, 24),
        broker_ends("the same with a broker session of 2 s", "kill", "controller", 4, 5, 16, FAST),
        broker_ends("the leader of a partition ends in order", "stop", "leader of 0", 0, 0.5, 12)]),
}


def arguments(parser):
    checks.arguments(parser, CHECKS, DOCUMENT)


def main(given):
    return checks.run("changes", CHECKS, DOCUMENT, given)

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
# Most by which a join may differ from what the members' own heartbeats foretell: a share of it, or so many seconds if that
# is more. Statistics, which tell of heartbeats, come four times a second.
HEARTBEAT_SHARE, HEARTBEAT_SECONDS = 0.15, 0.1
PROTOCOLS = {"eager": 'protocol = "classic", assignor = "range"',
             "cooperative": 'protocol = "classic", assignor = "cooperative-sticky"',
             "consumer": 'protocol = "consumer"'}


def figure(name):
    """A figure of a trial in seconds, by its column in trials.csv."""
    return lambda row, _: float(row[name]) / 1e3


def joined(_, measured):
    """Seconds from the moment at which the group's coordinator knew of the new member until every partition was read."""
    flowing_ns = max(flow["from_ns"] for member in measured["members"] for partition in member["partitions"]
                     for flow in partition.get("flow", []))
    return (flowing_ns - noticed_ns(measured)) / 1e9


def noticed_ns(measured):
    """When the group was first seen with another member after the event."""
    act_ns = measured["acts"][0]["at_ns"]
    looks = measured["group_looks"]
    before = max((len(look["members"]) for look in looks if look["at_ns"] <= act_ns), default=0)
    return next(look["asked_ns"] for look in looks if look["at_ns"] > act_ns and len(look["members"]) > before)


def by_heartbeats(measured, rounds):
    """The same time as the members' heartbeats foretell it: a member learns of a rebalance by the answer to the first one
    after it began, and under the cooperative protocol of the second rebalance by the next. Where a heartbeat and the
    beginning are too close to tell which was first, there is a second answer. Empty without heartbeats."""
    from_ns = noticed_ns(measured)
    kept = [sorted(member["heartbeats"]) for member in measured["members"]
            if min(member.get("heartbeats", []), default=from_ns) < from_ns]
    close_ns = HEARTBEAT_SECONDS * 1e9
    beginnings = {from_ns} | {at_ns + 1 for times in kept for at_ns in times if 0 <= at_ns - from_ns < close_ns}
    foretold = []
    for beginning_ns in sorted(beginnings):
        after = [[at_ns for at_ns in times if at_ns >= beginning_ns] for times in kept]
        if after and all(len(times) >= rounds for times in after):
            foretold.append((max(times[rounds - 1] for times in after) - from_ns) / 1e9)
    return foretold


def agrees(seconds, foretold):
    """Whether a time is one of those that were foretold."""
    return any(abs(seconds - each) <= max(HEARTBEAT_SECONDS, HEARTBEAT_SHARE * each) for each in foretold)


def was_controller(measured):
    """Whether the broker that the event was done to was the active controller."""
    act = measured["acts"][0]
    known = [since for since in measured["roles"]["controllers"] if since["at_ns"] <= act["at_ns"]]
    return known[-1]["broker"] == act["who"]["broker"]


@dataclass
class Change:
    """A planned change: what is done to whom, and how many seconds a partition may then stand still."""

    what: str
    consumer: str
    event: str
    seconds: float
    low: float
    high: float
    taken: object = figure("unavailable_ms")
    # The same where the broker that it was done to was the active controller.
    of_controller: tuple = None
    repetitions: int = 10
    # So many heartbeats of each member foretell the time; 0 where they do not.
    rounds: int = 0
    values: dict = field(default_factory=dict)

    def row(self, tandem):
        """What was measured, beside what should be."""
        run = Run(tandem, "changes", self.filled())
        trials = [row for row in run.trial_rows if row["status"] == "complete"]
        if len(trials) < self.repetitions:
            failures = {row["failure"] for row in run.trial_rows if row["status"] != "complete"}
            return self.what, f"{len(trials)} of {self.repetitions} trials", "all", f"**no**: {'; '.join(failures)}"
        measured = {trial["order"]["number"]: trial["measurement"] for trial in run.trials}
        gaps = [self.taken(row, measured[int(row["number"])]) for row in trials]
        account = sum(int(trial[name]) for trial in trials for name in ("lost", "duplicated"))
        unexplained = [float(trial["unexplained_ms"]) for trial, gap in zip(trials, gaps)
                       if float(trial["unexplained_ms"]) > max(UNEXPLAINED_MS, UNEXPLAINED_SHARE * 1e3 * gap)]
        faults = [text for text, is_so in (("records lost or doubled", account > 0),
                                           (f"up to {max(unexplained, default=0):.0f} ms unexplained in {len(unexplained)}",
                                            unexplained),
                                           ("other than by its heartbeats", not self.is_foretold(gaps, trials, measured)))
                  if is_so]
        text = f"{min(gaps):.2f} to {max(gaps):.2f} s in {len(gaps)} trials" + "".join(f", {fault}" for fault in faults)
        limits = [self.limits(measured[int(row["number"])]) for row in trials]
        is_right = all(low <= gap <= high for gap, (low, high) in zip(gaps, limits)) and not faults
        said = " or ".join(f"{low:g} to {high:g} s" for low, high in sorted(set(limits)))
        return self.what, text, said, verdict(is_right)

    def filled(self):
        """What its scenario is filled with."""
        return {"cluster": "", "replication": "", "partitions": 4, "commit": "per-batch", "consumer": self.consumer,
                "event": self.event, "seconds": self.seconds, "repetitions": self.repetitions, **self.values}

    def is_foretold(self, gaps, trials, measured):
        """Whether the heartbeats of each trial foretell its time, where they should."""
        return not self.rounds or all(agrees(gap, by_heartbeats(measured[int(trial["number"])], self.rounds))
                                      for gap, trial in zip(gaps, trials))

    def limits(self, measured):
        """The fewest and the most seconds in a trial."""
        if self.of_controller and was_controller(measured):
            return self.of_controller
        return self.low, self.high


def rows(changes):
    """A check that makes these changes."""
    return lambda tandem: (change.row(tandem) for change in changes)


def joining(protocol, interval):
    """A third process joins two; at which moment of a heartbeat interval is drawn."""
    intervals = 2 if protocol == "cooperative" else 1
    return Change(f"a member joins, {protocol}, heartbeats of {interval} s",
                  f'processes = 3, {PROTOCOLS[protocol]}, heartbeat = "{interval}s"',
                  f'at = "4s"\ndo = "start"\nwhat = "process 3"\nspread = "{interval}s"',
                  8 + 3 * interval, 0.0, intervals * interval + JOIN_MARGIN, joined,
                  rounds=0 if protocol == "consumer" else intervals)


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
                  'at = "4s"\ndo = "start"\nwhat = "process 3"\nspread = "2s"', 14, low, high, figure("collateral_ms"),
                  values={"partitions": 6, "commit": "auto"})


def broker_ends(what, do, target, seconds, low, high, of_controller, settings=""):
    """A broker is fenced a session after its last heartbeat, which can be an interval old; a new controller begins a session
    anew. Members do not wait for commits here: that takes as long as the group's coordinator takes to move."""
    return Change(what, "processes = 2", f'at = "4s"\ndo = "{do}"\nwhat = "{target}"', seconds, low, high,
                  of_controller=of_controller,
                  values={"cluster": f"cluster = {{ brokers = 3{settings} }}", "replication": ", replication = 2",
                          "commit": "auto"})


FAST = ', broker = { "broker.session.timeout.ms" = 2000, "broker.heartbeat.interval.ms" = 500 }'
INTERVALS = (1, 2, 4)
CHANGES = {
    "join": [joining(protocol, interval) for protocol in PROTOCOLS for interval in INTERVALS],
    "crash": [crashing(session, heartbeat, slack) for heartbeat, slack in ((0.5, 0.5), (3, 3)) for session in (6, 10, 15)],
    "leave": [leaving(protocol) for protocol in PROTOCOLS],
    "static": [coming_back(protocol, how) for protocol, how in
                    (("eager", "clean"), ("eager", "kill"), ("consumer", "clean"))],
    "collateral": [spared("eager", 0.001, 2.7), spared("cooperative", 0.0, 0.0), spared("consumer", 0.0, 0.0)],
    "broker-failover": [
        broker_ends("the leader of a partition is killed, Kafka's defaults", "kill", "leader of 0", 24, 7, 10, (10.5, 14)),
        broker_ends("the leader of a partition is killed, a broker session of 2 s", "kill", "leader of 0",
                    16, 1.5, 3.5, (3.5, 5), FAST),
        broker_ends("the active controller is killed, Kafka's defaults", "kill", "controller", 24, 10.5, 14, (10.5, 14)),
        broker_ends("the active controller is killed, a broker session of 2 s", "kill", "controller",
                    16, 3.5, 5, (3.5, 5), FAST),
        broker_ends("the leader of a partition ends in order", "stop", "leader of 0", 12, 0, 0.5, (0, 0.5))],
}
CHECKS = {name: rows(changes) for name, changes in CHANGES.items()}


def arguments(parser):
    checks.arguments(parser, CHECKS, DOCUMENT)


def main(given):
    return checks.run("changes", CHECKS, DOCUMENT, given)

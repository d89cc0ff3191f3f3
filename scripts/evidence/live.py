"""Compares live trials with arithmetic, queueing theory and Kafka's end-to-end latency tool, and looks how far one
producer and the workers' memory go."""

import statistics
from pathlib import Path

import checks
import end_to_end
from checks import verdict
from runs import Run

QUESTION, TIME = "Are latencies, lag and capacity what theory gives?", "About 35 minutes on a quiet machine"
DOCUMENT = Path("docs/latency.md")
SOAK_SECONDS = (10, 600)


def trials_of_rate(run, rate):
    return [t for t in run.trials if t["order"]["load"]["rate"] == rate and t["measurement"]]


def mean_work_ns(trial):
    members = trial["measurement"]["members"]
    return sum(m["work_ns"] for m in members) / sum(p["records"] for m in members for p in m["partitions"])


def queueing(tandem):
    """Mean waiting against M/D/1: rate s^2 / (2 (1 - rate s)), s being the mean work (Kleinrock, Queueing Systems,
    volume 1, section 5.6: the Pollaczek-Khinchin mean value formula with a constant service time)."""
    run = Run(tandem, "queueing")
    # By the order of the cases.
    idle, no_work, busy = (sum(run.measured(case, f"{part}_mean_ms") for part in ("transit", "queued")) for case in range(3))
    trial = next(t for t in run.trials if t["order"]["configuration"] == 2)
    work = mean_work_ns(trial) / 1e9
    load = 700 * work
    theory = 1e3 * 700 * work * work / (2 * (1 - load)) if load < 1 else float("inf")
    rows = []
    for floor, what in ((idle, "the same at 10/s"), (no_work, "the same at 700/s without work")):
        measured = busy - floor
        rows.append((f"mean waiting at 700/s, work 1 ms, Poisson arrivals, less {what} ({floor:.2f} ms)",
                     f"{measured:.2f} ms", f"{theory:.2f} ms by M/D/1 with the measured work of {work * 1e3:.3f} ms (load "
                     f"{load:.2f}), within 20 %", verdict(abs(measured / theory - 1) <= 0.2)))
    return rows


def overload(tandem):
    trial = Run(tandem, "overload").trials[0]
    work = mean_work_ns(trial) / 1e9
    found = trial["measurement"]["load"]["overload"]
    theory = trial["measurement"]["load"]["offered_per_second"] - 1 / work
    growth = found["lag_growth_per_second"] if found else 0.0
    return [("growth of the lag at 1,100/s, work 1 ms", f"{growth:.0f} records/s" if found else "not called overloaded",
             f"{theory:.0f} records/s = 1,100 - 1 / (measured work of {work * 1e3:.3f} ms), within 10 %",
             verdict(bool(found) and abs(growth / theory - 1) <= 0.1))]


def capacity(tandem):
    run = Run(tandem, "capacity")
    rows, found = [], []
    for index, summary in enumerate(run.summary["configurations"]):
        members = index + 1
        trials = [t for t in run.trials if t["order"]["configuration"] == index and t["order"]["kind"] == "counted"]
        if not trials or summary["live"]["capacity"]["per_second"] is None:
            rows.append((f"capacity of {summary['name']}", "none found", "", verdict(False)))
            continue
        work = statistics.mean(mean_work_ns(t) for t in trials) / 1e9
        answer = summary["live"]["capacity"]
        share = answer["per_second"] * work / members
        found.append(answer["per_second"])
        rows.append((f"capacity of {summary['name']}, work 1 ms, p99 50 ms",
                     f"{answer['low']:.0f} to {answer['high']:.0f} records/s ({len(run.trials)} trials for both)",
                     f"0.90 to 1.00 of {members} / (measured work of {work * 1e3:.3f} ms): {share:.3f}",
                     verdict(0.9 <= share <= 1.0)))
    if len(found) == 2:
        ratio = found[1] / found[0]
        rows.append(("capacity of two members against one", f"{ratio:.2f} times", "twice, within 5 %",
                     verdict(abs(ratio / 2 - 1) <= 0.05)))
    return rows


def floor(tandem):
    run = Run(tandem, "floor")
    rows = []
    for index, rate in enumerate((10, 500)):
        transit = run.measured(index, "transit_p50_ms")
        wanted = "under 1 ms from sent to received" if rate == 500 else "the floor of the instruments"
        ok = verdict(transit < 1.0) if rate == 500 else ""
        p99 = run.figure(index, "response_p99_ms")
        p99 = f", p99 {p99:.2f}" if p99 is not None else ""
        rows.append((f"no work, {rate}/s, linger.ms=0",
                     f"sent to received p50 {transit:.2f} ms; response p50 "
                     f"{run.measured(index, 'response_p50_ms'):.2f} ms{p99}", wanted, ok))
    return rows


def generator(tandem):
    run = Run(tandem, "generator")
    rows = []
    for rate in (50_000, 100_000, 200_000):
        for trial in trials_of_rate(run, float(rate))[:1]:
            load = trial["measurement"]["load"]
            window = load["producers"][0]["window"]
            busiest = max(window["threads"], key=lambda thread: thread["cpu_ns"])
            share = busiest["cpu_ns"] / window["wall_ns"]
            host = trial["measurement"]["host"]
            idle = sum(host["cpu"][state] for state in ("idle_ns", "iowait_ns")) / (host["wall_ns"] * host["cores"])
            index = trial["order"]["configuration"]
            delay = run.figure(index, "producer_delay_p99_ms")
            late = f"p99 of producer delay {delay:.2f} ms; " if delay is not None else ""
            rows.append((f"one producer, {rate:,}/s of 100 B", f"{load['sent_per_second']:,.0f}/s sent; {late}"
                         f"its busiest thread ({busiest['name']}) at {share:.0%} of a core, {idle:.0%} of the machine idle",
                         "reached, with a reader that keeps up",
                         verdict(load["reached"] and not load["overload"] and not load["unread"])))
    return rows


def soak(tandem):
    peaks = []
    for seconds in SOAK_SECONDS:
        trial = Run(tandem, "soak", {"seconds": seconds}).trials[0]
        m = trial["measurement"]
        peaks.append((m["processes"][0]["window"]["peak_memory_bytes"] / 2**20,
                      m["load"]["producers"][0]["window"]["peak_memory_bytes"] / 2**20))
    (consumer_short, producer_short), (consumer_long, producer_long) = peaks
    return [(f"peak memory at 5,000/s in {SOAK_SECONDS[0]} s and in {SOAK_SECONDS[1]} s",
             f"consumer {consumer_short:.1f} and {consumer_long:.1f} MiB, producer {producer_short:.1f} and "
             f"{producer_long:.1f} MiB", "no growth beyond 10 %",
             verdict(consumer_long < 1.1 * consumer_short and producer_long < 1.1 * producer_short))]


CHECKS = {"floor": floor, "end-to-end": end_to_end.check, "queueing": queueing, "overload": overload,
          "capacity": capacity, "generator": generator, "soak": soak}


def arguments(parser):
    checks.arguments(parser, CHECKS, DOCUMENT)


def main(given):
    return checks.run("live", CHECKS, DOCUMENT, given)

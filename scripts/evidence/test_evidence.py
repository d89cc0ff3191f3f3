"""Tests that need neither a broker nor a compiler: python3 -m unittest discover scripts/evidence"""

import contextlib
import io
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

os.chdir(Path(__file__).resolve().parents[2])
sys.path.append("scripts/evidence/workers")

import account
import broker
import build
import changes
import checks
import clients
import clocks
import consumer_performance
import document
import fill
import live
import main
import many
import peers
import ratios
import rdkafka_performance
import runs
import silent
import store
import table
import timed_service
import together
import trials
import verdicts
import worker


def order(partitions=2, taken=(0, 1), **rest):
    """What tandem asks of a worker, with partitions of 500 records."""
    return {"manual": True, "work": "none", "commit": "none", "group_id": "g",
            "consumers": [{"client_id": "c", "manual": [{"topic": 0, "partition": p} for p in taken]}],
            "topics": [{"name": "t", "partitions": [{"low": 0, "end": 500}] * partitions}],
            "properties": {"bootstrap.servers": "h:1", "fetch.queue.backoff.ms": "10", "group.id": "g",
                           "group.protocol": "classic"}} | rest


def trial(block, case, seconds, wait=0.0, cpu=1.0, flags=""):
    return trials.Trial(block, case, 2, 1, 1_000_000, 100_000_000, seconds, seconds + wait, cpu, 0.0, flags)


class Clocks(unittest.TestCase):
    def row(self, host, measured):
        trials = [{"order": {"number": 1}, "measurement": {"clocks": [clock]}} for clock in measured]
        return clocks.row(host, trials, 2)

    def test_a_clock_is_right_within_its_bound_in_every_trial_that_was_asked_for(self):
        host = clocks.HOSTS[1]
        right = {"offset_ns": -7_300_900, "bound_ns": 1_000}
        self.assertEqual(self.row(host, [right, right])[3], "yes")
        self.assertEqual(self.row(host, [right])[3], "**no**")
        self.assertEqual(self.row(host, [right, {**right, "bound_ns": 899}])[3], "**no**")
        self.assertEqual(self.row(host, [right, {**right, "bound_ns": clocks.MS}])[3], "**no**")
        slow = {"offset_ns": 0, "bound_ns": 21 * clocks.MS}
        self.assertEqual(self.row(clocks.HOSTS[4], [slow, slow])[3], "yes")

    def test_a_host_that_was_taken_for_this_one_is_no_evidence(self):
        trial = {"order": {"number": 1}, "measurement": {"clocks": []}}
        self.assertRaises(ValueError, clocks.errors, trial, clocks.HOSTS[0])


class Many(unittest.TestCase):
    def found(self, joining):
        return {members: ({"joining": seconds, "connecting": 1.0, "collecting": 0.1}, 90.0, [])
                for members, seconds in joining.items()}

    def test_what_grows_in_proportion_grows_well_and_what_grows_with_the_square_does_not(self):
        self.assertTrue(many.grows_well(self.found({50: 1.0, 200: 4.0, 500: 11.0}), "joining"))
        self.assertFalse(many.grows_well(self.found({50: 1.0, 200: 4.0, 500: 25.0}), "joining"))

    def test_each_number_of_members_has_a_row_and_a_point_of_each_phase(self):
        found = self.found({50: 1.0, 500: 10.0})
        self.assertEqual(len(many.table(found).splitlines()), 4)
        self.assertEqual(many.drawn(found).count("<circle"), 6)


class Changes(unittest.TestCase):
    def measured(self, **rest):
        member = {"partitions": [{"flow": [{"from_ns": 1_000_000_000}, {"from_ns": 7_500_000_000}]}, {}]}
        looks = [{"asked_ns": 900_000_000, "at_ns": 910_000_000, "members": ["a"]},
                 {"asked_ns": 5_900_000_000, "at_ns": 5_910_000_000, "members": ["a"]},
                 {"asked_ns": 6_000_000_000, "at_ns": 6_010_000_000, "members": ["a", "b"]}]
        return {"acts": [{"at_ns": 5_000_000_000, "who": {"broker": 2}}], "members": [member], "group_looks": looks} | rest

    def test_a_member_joins_from_the_first_look_with_it_to_the_last_partition_that_is_read_again(self):
        self.assertEqual(changes.joined({}, self.measured()), 1.5)

    def test_a_join_should_take_as_long_as_the_heartbeats_of_those_who_were_there_say(self):
        beats = [[4_000_000_000, 6_400_000_000, 8_400_000_000], [5_500_000_000, 7_500_000_000, 9_500_000_000],
                 [7_600_000_000]]
        measured = self.measured(members=[{"heartbeats": times} for times in beats])
        self.assertEqual([changes.by_heartbeats(measured, rounds) for rounds in (1, 2, 3)], [[1.5], [3.5], []])
        self.assertEqual([changes.agrees(seconds, [1.5]) for seconds in (1.28, 1.7, 1.74)], [True, True, False])
        self.assertFalse(changes.agrees(1.5, changes.by_heartbeats(self.measured(), 1)))

    def test_a_heartbeat_that_may_have_been_before_a_rebalance_foretells_two_times(self):
        measured = self.measured(members=[{"heartbeats": [5_000_000_000, 6_040_000_000, 7_040_000_000]}])
        self.assertEqual(changes.by_heartbeats(measured, 1), [0.04, 1.04])

    def test_a_broker_is_judged_by_the_role_that_it_had_at_the_event(self):
        change = changes.broker_ends("", "kill", "leader of 0", 24, 8, 10, (11, 14))
        for controllers, limits in (([(0, 2)], (11, 14)), ([(0, 1), (6_000_000_000, 2)], (8, 10)), ([(0, 1)], (8, 10))):
            roles = {"controllers": [{"at_ns": at_ns, "broker": broker} for at_ns, broker in controllers]}
            self.assertEqual(change.limits(self.measured(roles=roles)), limits)

    def test_every_change_makes_a_scenario_without_words_in_braces(self):
        for made in changes.CHANGES.values():
            for change in made:
                self.assertNotRegex(runs.scenario("changes", change.filled()), r"\{[a-z_]+\}")


class Account(unittest.TestCase):
    def found(self, reading, join, trials=10):
        parts = {"brokers": 6.0, "join": join, "reading": reading, "reading_uncounted": 1.0}
        return {"seconds": sum(parts.values()), "trials": trials,
                "parts": [{"part": part, "seconds": seconds} for part, seconds in parts.items()]}

    def test_rows_have_medians_of_seconds_shares_and_times_of_a_trial(self):
        lines = account.table({"complete": [self.found(9.0, 4.0), self.found(11.0, 2.0), self.found(10.0, 3.0)]})
        self.assertEqual(lines[0], "| part | complete: seconds | share | each trial |")
        self.assertIn("| members join their group | 3.0 | 15 % | 300 ms |", lines)
        self.assertIn("| the broker starts, with its tool that formats the folder | 6.0 | 30 % |  |", lines)
        self.assertEqual(lines[-2:], ["| all reading | 11.0 | 55 % |  |", "| all | 20.0 | 100 % |  |"])
        self.assertEqual(len(lines), 2 + len(account.PARTS) + 2)

    def test_a_part_without_a_row_is_refused(self):
        found = self.found(9.0, 4.0)
        found["parts"].append({"part": "idling", "seconds": 1.0})
        with self.assertRaisesRegex(ValueError, "no row: idling"):
            account.table({"complete": [found]})


class Ratios(unittest.TestCase):
    def test_the_quantiles_are_those_of_the_tables(self):
        for freedom, quantile in [(1, 12.7062), (4, 2.7764), (9, 2.2622), (30, 2.0423)]:
            self.assertAlmostEqual(ratios.quantile_of_t(freedom), quantile, places=4)

    def test_a_ratio_is_taken_within_blocks_and_only_where_both_were_run(self):
        ratio = ratios.paired_ratio({0: 2.0, 1: 40.0, 2: 7.0}, {0: 1.0, 1: 20.0})
        self.assertEqual(ratio.blocks, 2)
        for figure in (ratio.mean, ratio.low, ratio.high):
            self.assertAlmostEqual(figure, 2.0)

    def test_the_interval_is_the_mean_of_logarithms_with_student_s_t(self):
        # Logarithms 0 and ln 4: mean ln 2, standard error ln 2.
        ratio = ratios.paired_ratio({0: 1.0, 1: 4.0}, {0: 1.0, 1: 1.0})
        self.assertAlmostEqual(ratio.mean, 2.0)
        self.assertAlmostEqual(ratio.high / 2.0 ** 13.7062047, 1.0, places=4)
        self.assertAlmostEqual(ratio.low * 2.0 ** 11.7062047, 1.0, places=4)

    def test_cases_without_a_common_block_have_no_ratio(self):
        with self.assertRaises(ValueError):
            ratios.paired_ratio({0: 1.0}, {1: 1.0})


class Documents(unittest.TestCase):
    def test_the_tables_in_the_documents_are_those_of_the_stored_results(self):
        shown = [(document.PERFORMANCE, "peers", table.summary())]
        for name, question in (("live", live), ("verdicts", verdicts)):
            rows = json.loads((build.RESULTS / name / "checks.json").read_text(encoding="utf-8"))
            self.assertLessEqual(set(rows), set(question.CHECKS))
            shown.append((question.DOCUMENT, name, checks.table(rows)))
        for path, name, text in shown:
            written = path.read_text(encoding="utf-8")
            self.assertEqual(document.with_text(written, name, text), written)

    def test_every_question_that_writes_has_its_place_and_its_line_in_the_list(self):
        listed = Path("scripts/evidence/README.md").read_text(encoding="utf-8")
        for name in main.QUESTIONS:
            self.assertIn(f"`{name}`", listed)
        for name in ("contention", "fill"):
            document.with_text(document.PERFORMANCE.read_text(encoding="utf-8"), name, "")

    def test_a_document_without_the_marks_is_refused(self):
        with self.assertRaises(ValueError):
            document.with_text("# Performance\n", "peers", "text")


class Tables(unittest.TestCase):
    def test_the_first_speed_is_of_equal_windows_and_the_second_counts_tandem_s_wait(self):
        rows = [trial(block, table.BATCH, 1.0, wait=1.0, cpu=2.0) for block in range(3)]
        rows += [trial(block, table.C, 1.0, wait=5.0, cpu=4.0) for block in range(3)]
        speed, from_start, cpu = table.compare(rows, table.Pair(table.BATCH, table.C))
        self.assertEqual([round(ratio.mean, 6) for ratio in (speed, from_start, cpu)], [1.0, 0.5, 0.5])

    def test_every_case_of_a_comparison_is_in_the_scenario(self):
        scenario = runs.scenario("peers", {})
        for pair in table.PAIRS:
            for case in (pair.mine, pair.peer):
                self.assertIn(f'name = "{case}"', scenario)

    def test_the_jars_looked_for_are_of_the_version_that_tandem_runs(self):
        keys = Path("docs/scenarios.md").read_text(encoding="utf-8").splitlines()
        row = next(line for line in keys if line.startswith("| `version` | `[cluster]`"))
        self.assertIn(f"| {broker.KAFKA} |", row)

    def test_trials_come_back_from_their_file_as_they_were(self):
        rows = [trial(0, "a, b", 0.123456789, flags="late-start disturbed"), trial(1, 'a "quoted"', 2.0)]
        before = trials.RESULTS
        with tempfile.TemporaryDirectory() as folder:
            trials.RESULTS = Path(folder) / "peers"
            try:
                made_with = {"rounds": 2, "processor": "Some(R) Processor 7"}
                trials.store("100B", rows, made_with)
                machine = trials.RESULTS / "some-r-processor-7"
                self.assertEqual(trials.machines(), [machine])
                self.assertEqual(trials.load(machine, "100B"), (rows, made_with))
                self.assertIsNone(trials.load(machine, "1KiB"))
            finally:
                trials.RESULTS = before


class Disturbance(unittest.TestCase):
    def measurement(self, idle_ns, client, window_ns, stopwatch_ns):
        usage = {"window": {"cpu_ns": window_ns}, "stopwatch": {"cpu_ns": stopwatch_ns}}
        return {"host": {"wall_ns": 1e9, "cores": 2, "brokers_cpu_ns": [2e8], "coordinator_cpu_ns": 1e7,
                         "cpu": {"idle_ns": idle_ns, "iowait_ns": 0, "steal_ns": 0}},
                "processes": [{"client": client} | usage]}

    def test_what_nobody_of_the_run_used_is_others(self):
        share, limit = trials.others_share(self.measurement(5e8, "librdkafka", 9e8, 2e9))
        self.assertAlmostEqual(share, 0.195)
        self.assertAlmostEqual(limit, 0.06)

    def test_the_start_of_the_jvm_is_nobody_else_s(self):
        share, _ = trials.others_share(self.measurement(5e8, "ConsumerPerformance", 9e8, 1.29e9))
        self.assertAlmostEqual(share, 0.0)


class Ending(unittest.TestCase):
    def test_what_cannot_be_is_one_sentence_and_exit_code_2(self):
        for problem in (build.Missing("there is no cc"), ValueError("there is no cc")):
            def main(problem=problem):
                raise problem

            said = io.StringIO()
            with contextlib.redirect_stderr(said), self.assertRaises(SystemExit) as ended:
                build.end_with("scripts/evidence/run peers", main)
            self.assertEqual((said.getvalue(), ended.exception.code), ("scripts/evidence/run peers: there is no cc\n", 2))
        with self.assertRaises(SystemExit) as ended:
            build.end_with("scripts/evidence/run peers", lambda: 1)
        self.assertEqual(ended.exception.code, 1)


class Runs(unittest.TestCase):
    """A program that stands for tandem: it says that it runs, and each time that it is told to end."""

    TOLD = ("import signal, sys, time\n"
            "def end(number, _):\n    print('put away', number, flush=True); time.sleep(0.3); sys.exit(130)\n"
            "for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP): signal.signal(number, end)\n"
            "print('runs', flush=True); time.sleep(60)\n")

    def test_a_signal_to_the_script_ends_the_run_once_and_the_script_after_it(self):
        # What runs in the background ignores some of them, and so would what it starts.
        script = ("import signal, sys; sys.path.insert(0, 'scripts/evidence')\nimport runs\n"
                  "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
                  "for number in (signal.SIGTERM, signal.SIGHUP): signal.signal(number, signal.SIG_DFL)\n"
                  "runs.end_in_order()\n"
                  "try:\n    runs.measure([sys.executable, '-c', sys.argv[1]])\n    print('went on')\n"
                  "finally:\n    print('script ends', flush=True)\n")
        ends = [lambda started, number: started.send_signal(number),
                lambda started, number: os.killpg(started.pid, number)]
        for number, end in itertools.product((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), ends):
            with subprocess.Popen([sys.executable, "-c", script, self.TOLD], stdout=subprocess.PIPE, text=True,
                                  start_new_session=True) as started:
                self.assertEqual(started.stdout.readline(), "runs\n")
                end(started, number)
                self.assertEqual(started.stdout.read(), f"put away {number}\nscript ends\n")
            self.assertEqual(started.returncode, 128 + number)

    def test_a_run_that_could_not_be_made_ends_the_script_with_its_code_and_others_return_theirs(self):
        for code in (runs.DONE, runs.WRONG):
            self.assertEqual(runs.measure([sys.executable, "-c", f"exit({code})"]), code)
        with self.assertRaises(SystemExit) as ended:
            runs.measure([sys.executable, "-c", "exit(2)"])
        self.assertEqual(ended.exception.code, 2)


class Together(unittest.TestCase):
    def test_of_two_processes_one_is_each_and_they_change_places(self):
        with tempfile.TemporaryDirectory() as folder:
            started = [together.is_first(together.turn(folder)) for _ in range(7)]
        # The one before the trials is any of them.
        self.assertEqual(started[1:], [True, False, False, True, True, False])

    def test_the_process_of_a_turn_is_the_command_before_or_behind_the_dashes(self):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, str(Path(together.__file__)), folder, "echo", "one", "--", "echo", "other"]
            said = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(4)]
        self.assertEqual(said[1:], ["one\n", "other\n", "other\n"])

    def test_each_process_is_a_trial_of_its_program(self):
        def member(process, last_ns):
            return {"process": process, "first_record_ns": 10, "last_record_ns": last_ns,
                    "partitions": [{"partition": process, "records": 5, "bytes": 500}]}

        def process(client, cpu_ns):
            usage = {"cpu_ns": cpu_ns}
            return {"client": client, "window": usage, "stopwatch": usage}

        host = {"wall_ns": 1e9, "cores": 2, "brokers_cpu_ns": [0], "coordinator_cpu_ns": 0,
                "cpu": {"idle_ns": 2e9, "iowait_ns": 0, "steal_ns": 0}}
        measurement = {"start_ns": 0, "host": host, "members": [member(0, 1_000_000_010), member(1, 2_000_000_010)],
                       "processes": [process("peer", 3_000), process("own", 4_000)]}
        stored = {"order": {"kind": "counted", "configuration": 0, "block": 0}, "configuration_name": "both",
                  "status": {"status": "complete"}, "flags": [], "measurement": measurement}
        rows, problems = trials.from_run([stored], lambda process: {"own": "t", "peer": "c"}[process["client"]])
        self.assertEqual([(row.case, row.first_to_last, row.cpu, row.records) for row in rows],
                         [("c", 1.0, 3e-6, 5), ("t", 2.0, 4e-6, 5)])
        self.assertEqual(problems, [])
        with self.assertRaisesRegex(ValueError, "same program"):
            trials.from_run([stored], lambda process: "t")

    def test_the_scenario_of_two_at_the_same_time_is_filled_in(self):
        launcher = peers.launcher("turns", ["a", Path("b c")], ["d \"e\""])
        text = runs.scenario("together", {"size": 100, "records": 3000, "launcher": launcher})
        self.assertEqual(json.loads(re.search(r"launcher = (.*) }]$", text, re.MULTILINE)[1])[2:],
                         ["turns", "a", "b c", "--", 'd "e"'])
        self.assertEqual(text.count("3000"), 2)

    def test_it_is_kept_beside_what_it_looks_at(self):
        self.assertEqual([table.stored_name("100B", at_once) for at_once in (False, True)], ["100B", "100B-together"])


class Fill(unittest.TestCase):
    def test_processes_run_at_once_and_their_cpu_is_added_up(self):
        took = fill.run([["sleep", "0.3"], ["sleep", "0.3"]], 4)
        self.assertEqual(took.block, 4)
        self.assertTrue(0.3 <= took.wall < 0.6 and took.cpu < 0.3, took)
        with self.assertRaises(build.Missing):
            fill.run([["true"], ["false"]], 0)

    def test_a_row_has_medians_and_the_ratio_of_speeds(self):
        fillings = {fill.OURS: [fill.Filling(block, 1.0, 0.5) for block in range(3)],
                    fill.THEIRS: [fill.Filling(block, 2.0, 1.0) for block in range(3)]}
        self.assertEqual(fill.row(2, 1024, 1_000_000, fillings),
                         "| 2 | 1,024 B | 1.00 (0.50) | 0.50 (1.00) | 2.00 [2.00, 2.00] |")

    def test_the_peer_has_a_process_for_each_partition_and_the_same_settings(self):
        lines = fill.theirs("program", ["linger.ms=50"], "h:1", "t", 2, 100, 10)
        self.assertEqual([(line[line.index("-p") + 1], line[line.index("-c") + 1]) for line in lines], [("0", "5"), ("1", "5")])
        self.assertIn("linger.ms=50", lines[0])


class CProgram(unittest.TestCase):
    def test_it_gets_tandem_s_properties_but_no_group(self):
        line = rdkafka_performance.command("program", order(taken=(1,)))
        self.assertEqual(line[:6], ["program", "-C", "-t", "t", "-o", "0"])
        self.assertEqual(line[line.index("-c") + 1], "500")
        self.assertEqual([line[i + 1] for i, word in enumerate(line) if word == "-p"], ["1"])
        self.assertIn("fetch.queue.backoff.ms=10", line)
        self.assertFalse([word for word in line if word.startswith("group.")])

    def test_its_statistics_are_as_frequent_as_tandem_s_though_it_sets_their_interval_itself(self):
        asked = order()
        self.assertNotIn("-T", rdkafka_performance.command("program", asked))
        asked["properties"]["statistics.interval.ms"] = "200"
        line = rdkafka_performance.command("program", asked)
        self.assertEqual(line[line.index("-T") + 1], "200")
        self.assertNotIn("statistics.interval.ms=200", line)
        # Its standard output is read at its end only, and would fill.
        self.assertIn("/dev/null", line[line.index("-Y") + 1])

    def test_what_it_cannot_do_is_refused(self):
        for impossible in ({"manual": False}, {"work": {"cpu": {"ns": 5}}}, {"commit": "auto"}):
            with self.assertRaises(worker.Refusal):
                rdkafka_performance.command("program", order(**impossible))

    def read(self, records, code=0):
        """A result of something that behaves like the program with hold.c and reads so many records."""
        script = ("#!/bin/sh\necho '% 0 messages (0 bytes) consumed in 0ms: 0 msgs/s'\necho hold ready >&2\nread at\n"
                  "echo hold start $at 1000 2 3 40 >&2\necho hold end 5000000000 701000 12 13 50 >&2\n"
                  f"echo '% {records} messages (100000 bytes) consumed in 1500ms: 1 msgs/s'\nexit {code}\n")
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / "program"
            program.write_text(script)
            program.chmod(0o755)
            peer = rdkafka_performance.Peer(str(program))
            peer.prepare(order())
            peer.read(3_000_000_000)
            try:
                return peer.result()
            finally:
                peer.kill()

    def test_its_window_ends_where_it_stopped_and_is_as_long_as_it_says(self):
        result = self.read(1000)
        read = result["members"][0]["partitions"]
        self.assertEqual([(p["partition"], p["records"], p["bytes"]) for p in read], [(0, 500, 50_000), (1, 500, 50_000)])
        self.assertEqual({(p["first_ns"], p["last_ns"]) for p in read}, {(3_500_000_000, 5_000_000_000)})
        self.assertEqual((result["window"]["wall_ns"], result["window"]["cpu_ns"]), (2_000_000_000, 700_000))

    def test_another_number_of_records_or_a_failure_is_no_result(self):
        for records, code in [(999, 0), (1001, 0), (1000, 1)]:
            with self.assertRaises(worker.Refusal):
                self.read(records, code)

    def test_a_program_that_ends_before_it_is_ready_tells_why(self):
        peer = rdkafka_performance.Peer("/bin/sh")
        with self.assertRaisesRegex(worker.Refusal, "ended before its ready"):
            peer.prepare(order())
        peer.kill()


class JavaProgram(unittest.TestCase):
    HEAD = "start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, " \
           "fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec\n"

    def test_its_figures_are_taken_by_name(self):
        row = "2026-11-21 14:00:00:100, 2026-11-21 14:00:04:600, 1.0, 0.2, 1000, 222.0, 500, 4000, 0.25, 250.0\n"
        parsed = consumer_performance.Peer.parse(self.HEAD + row, [])
        self.assertEqual((parsed["records"], parsed["bytes"], parsed["fetch_ns"]), (1000, 1_048_576, 4_000_000_000))
        self.assertEqual(parsed["end_time"].microsecond, 600_000)

    def test_without_figures_its_complaint_is_told(self):
        with self.assertRaisesRegex(worker.Refusal, "no brokers"):
            consumer_performance.Peer.parse("", ["no brokers\n"])

    def test_cpu_between_two_samples_is_shared_out(self):
        samples = [(100, 10), (200, 30), (300, 30)]
        self.assertEqual([consumer_performance.at_time(samples, at) for at in (50, 100, 150, 250, 400)],
                         [10, 10, 20, 30, 30])


class Clients(unittest.TestCase):
    def test_every_client_has_a_place_and_a_loop(self):
        for client, read, records in clients.CLIENTS:
            self.assertIn(client, clients.LIMITS)
            if client == "java":
                continue
            scenario = runs.scenario("clients", {"client": client, "read": read, "records": records})
            for name in (client, f"{client}'s loop"):
                self.assertEqual(scenario.count(f'name = "{name}"'), 2)

    def test_a_client_that_takes_longer_than_its_loop_by_more_than_a_fiftieth_is_too_slow(self):
        class Run:
            def __init__(self, longer):
                self.longer = longer

            def counted(self):
                return [{"order": {"configuration": case, "block": block},
                         "measurement": {"start_ns": 0, "end_ns": (1000 + block) * (1 if case else self.longer),
                                         "processes": [{"window": {"cpu_ns": 500}}]}}
                        for block in range(3) for case in range(2)]

        time, used = clients.ratios_of(Run(1))
        self.assertTrue(clients.is_good("go", time))
        self.assertEqual(clients.line("go", "poll", 1_000, time, used),
                         "| go, poll | 1,000 | 1.000 [1.000, 1.000] | 1.000 [1.000, 1.000] | 3 |")
        longer = clients.ratios_of(Run(1.03))[0]
        self.assertEqual([clients.is_good(client, longer) for client in ("go", "java")], [False, True])


class Silent(unittest.TestCase):
    def rows(self, number, per_second, high, idle=None):
        class Run:
            trials = [None] * 4
            summary = {"configurations": [{"live": {"capacity": {"per_second": per_second, "high": high}},
                                           "idle_explanation": idle}]}
        return list(silent.rows(number, Run, 0.002))

    def test_two_instances_should_do_twice_what_the_clock_of_one_says_and_a_third_nothing_more(self):
        so = lambda *arguments: [row[3] for row in self.rows(*arguments)]
        self.assertEqual(so(1, 480.0, 500.0), ["yes"])
        self.assertEqual(so(1, 470.0, 490.0), ["**no**"])
        self.assertEqual(so(2, 480.0, 500.0), ["**no**"])
        third = "1 of 3 members held no partition: group 1, member 3; range"
        self.assertEqual(so(3, 990.0, 1_030.0, third), ["yes", "yes"])
        self.assertEqual(self.rows(3, 990.0, 1_030.0, third)[1][1], "1 of 3 members held no partition: group 1, member 3")
        self.assertEqual(so(3, 990.0, 1_030.0), ["yes", "**no**"])
        self.assertEqual(so(2, 990.0, 1_030.0, "1 of 2 members held no partition: member 1"), ["yes", "**no**"])
        self.assertEqual(so(1, None, None), ["**no**"])

    def test_what_a_record_takes_is_the_mean_over_all_instances(self):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            for number in range(2):
                work = timed_service.timed(lambda _: None, folder / str(number))
                for _ in range(250):
                    work(None)
            self.assertEqual({path.read_text().split()[0] for path in folder.iterdir()}, {"200"})
            (folder / "1").write_text("600 1.2")
            (folder / "0").write_text("200 0.8")
            self.assertAlmostEqual(silent.seconds_of_a_record(folder), 0.0025)


class Store(unittest.TestCase):
    def test_rows_per_second_are_compared_within_blocks(self):
        class Run:
            def counted(self):
                return [{"order": {"configuration": case, "block": block, "records": 1000},
                         "measurement": {"start_ns": 0, "end_ns": (2 - case) * (block + 1) * 10**9}}
                        for block in range(3) for case in range(2)]

        ratio, rates = store.rate(Run())
        self.assertEqual((round(ratio.mean, 6), ratio.blocks, rates), (0.5, 3, [250, 500]))


if __name__ == "__main__":
    unittest.main()

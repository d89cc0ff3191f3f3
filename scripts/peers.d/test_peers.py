"""Tests of scripts/peers that need neither a broker nor a compiler: python3 -m unittest discover scripts/peers.d"""

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
from collections import Counter
from pathlib import Path

os.chdir(Path(__file__).resolve().parents[2])

import accounting
import build
import consumer_performance
import main
import ratios
import rdkafka_performance
import reader_profile
import runs
import side_by_side
import document as document_file
import table
import together
import trials
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


class Tables(unittest.TestCase):
    def test_the_tables_in_the_document_are_those_of_the_stored_trials(self):
        document = document_file.DOCUMENT.read_text(encoding="utf-8")
        self.assertEqual(document_file.with_text(document, table.BEGIN, table.END, table.tables()), document)

    def test_a_document_without_the_marks_is_refused(self):
        with self.assertRaises(ValueError):
            document_file.with_text("# Performance\n", table.BEGIN, table.END, "text")

    def test_the_first_speed_is_of_equal_windows_and_the_second_counts_tandem_s_wait(self):
        rows = [trial(block, table.BATCH, 1.0, wait=1.0, cpu=2.0) for block in range(3)]
        rows += [trial(block, table.C, 1.0, wait=5.0, cpu=4.0) for block in range(3)]
        speed, from_start, cpu = table.compare(rows, table.Pair(table.BATCH, table.C))
        self.assertEqual([round(ratio.mean, 6) for ratio in (speed, from_start, cpu)], [1.0, 0.5, 0.5])

    def test_a_bound_holds_by_the_limit_of_the_interval_and_not_by_the_mean(self):
        pair = table.Pair("a", "b", table.Bound(0.97, 1.03))
        words = lambda speed, cpu: table.verdict(pair, "100B", ratios.Ratio(*speed, 9), ratios.Ratio(*cpu, 9))[1]
        self.assertEqual(words((1.0, 0.98, 1.02), (1.0, 0.99, 1.02)), "yes, yes")
        self.assertEqual(words((1.0, 0.90, 1.10), (1.0, 0.99, 1.20)), "in the mean, in the mean")
        self.assertEqual(words((0.9, 0.80, 1.10), (1.1, 0.90, 1.20)), "**no**, **no**")

    def test_every_case_of_a_comparison_is_in_the_scenario(self):
        scenario = (main.HERE / "peers.toml").read_text(encoding="utf-8")
        for pair in table.PAIRS:
            for case in (pair.mine, pair.peer):
                self.assertIn(f'name = "{case}"\n', scenario)

    def test_the_jars_looked_for_are_of_the_version_that_tandem_runs(self):
        keys = Path("docs/scenarios.md").read_text(encoding="utf-8").splitlines()
        row = next(line for line in keys if line.startswith("| `version` | `[cluster]`"))
        self.assertIn(f"| {main.KAFKA} |", row)

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


class Profile(unittest.TestCase):
    THREAD = ("events: Ir\nfn=(1) rd_kafka_message_get\n10 5\n+2 7\ncfn=(2) mi_free\ncalls=3 20\n+1 900\n* 1\n\n"
              "fn=(2)\n20 800\ntotals: 813\n")

    def test_a_function_s_cost_is_its_own_without_what_it_calls(self):
        self.assertEqual(reader_profile.costs(self.THREAD), {"rd_kafka_message_get": 13, "mi_free": 800})

    def test_a_thread_is_known_by_what_it_did(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "out"
            file.write_text(self.THREAD)
            self.assertEqual(reader_profile.instructions([file]), {
                (reader_profile.READER, "messages and their references"): 13, (reader_profile.READER, "allocator"): 800})

    def test_functions_are_told_apart_by_name_and_the_kernel_s_by_place(self):
        for function, name in [("_mi_page_malloc_zero", "allocator"), ("rd_kafka_msgset_reader_msg_v2", "decoding"),
                               ("rd_kafka_op_new0", "messages and their references"),
                               ("__pthread_mutex_lock", "queues and locks"),
                               ("<tandem::worker::reader::Reader<S>>::run", "the program's own"),
                               ("msg_consume", "the program's own"), ("rd_kafka_thread_main", "the rest")]:
            self.assertEqual(reader_profile.group(function, False), name, function)
        self.assertEqual(reader_profile.group("rd_kafka_op_new0", True), "kernel")

    def test_a_row_adds_up_the_figures_of_its_groups(self):
        key = (reader_profile.BROKER, "decoding")
        time = {"tandem": {key: 30.0}, "rdkafka_performance": {key: 31.26}}
        figures = [{name: Counter(of) for name, of in table.items()} for table in (time, time)]
        lines = reader_profile.rows(*figures)
        self.assertIn("| broker thread | decoding | 30.0 | 31.3 | 30 | 31 |", lines)
        self.assertIn("| **all** |  | 30.0 | 31.3 | 30 | 31 |", lines)


class Ending(unittest.TestCase):
    def test_what_cannot_be_is_one_sentence_and_exit_code_2(self):
        for problem in (build.Missing("there is no cc"), ValueError("there is no cc")):
            def main(problem=problem):
                raise problem

            said = io.StringIO()
            with contextlib.redirect_stderr(said), self.assertRaises(SystemExit) as ended:
                build.end_with("scripts/peers", main)
            self.assertEqual((said.getvalue(), ended.exception.code), ("scripts/peers: there is no cc\n", 2))
        with self.assertRaises(SystemExit) as ended:
            build.end_with("scripts/peers", lambda: 1)
        self.assertEqual(ended.exception.code, 1)


class Runs(unittest.TestCase):
    """A program that stands for tandem: it says that it runs, and each time that it is told to end."""

    TOLD = ("import signal, sys, time\n"
            "def end(number, _):\n    print('put away', number, flush=True); time.sleep(0.3); sys.exit(130)\n"
            "for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP): signal.signal(number, end)\n"
            "print('runs', flush=True); time.sleep(60)\n")

    def test_a_signal_to_the_script_ends_the_run_once_and_the_script_after_it(self):
        # What runs in the background ignores some of them, and so would what it starts.
        script = ("import signal, sys; sys.path.insert(0, 'scripts/lib')\nimport runs\n"
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
            started = [together.is_first(together.turn(folder)) for _ in range(6)]
        self.assertEqual(started, [True, False, False, True, True, False])

    def test_the_process_of_a_turn_is_the_command_before_or_behind_the_dashes(self):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, str(Path(together.__file__)), folder, "echo", "one", "--", "echo", "other"]
            said = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(3)]
        self.assertEqual(said, ["one\n", "other\n", "other\n"])

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
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "trials").mkdir()
            (Path(folder) / "trials/0001.json").write_text(json.dumps(stored))
            rows, problems = trials.from_run(Path(folder), lambda process, _: {"own": "t", "peer": "c"}[process["client"]])
        self.assertEqual([(row.case, row.first_to_last, row.cpu, row.records) for row in rows],
                         [("c", 1.0, 3e-6, 5), ("t", 2.0, 4e-6, 5)])
        self.assertEqual(problems, [])

    def test_the_scenario_of_two_at_the_same_time_is_filled_in(self):
        text = side_by_side.scenario(100, 3000, ["a", Path("b c")], ["d \"e\""], "turns")
        self.assertNotRegex(text, r"[{}]")
        launcher = json.loads(re.search(r"^launcher = (.*)$", text, re.MULTILINE)[1])
        self.assertEqual(launcher[2:], ["turns", "a", "b c", "--", 'd "e"'])
        self.assertEqual(text.count("3000"), 2)

    def test_the_table_of_two_has_ratios_within_rounds_to_the_base(self):
        rows = [trial(block, "base", 2.0, cpu=4.0) for block in range(3)]
        rows += [trial(block, "other", 1.0, cpu=3.0) for block in range(3)]
        first, second = side_by_side.table("100 B", rows, "base", "other", lambda trial: trial.first_to_last)
        self.assertEqual(first, "| 100 B | base | 0.50 M | 1 | 4.000 | 1 |")
        self.assertIn("| 2.000 [2.000, 2.000] | 3.000 | 0.750", second)

    def test_who_does_not_count_is_known_by_the_ledger_that_is_not_there(self):
        for runs, case in (([], accounting.ON), (None, accounting.OFF)):
            self.assertEqual(accounting.case_of({}, [{"partitions": [{"runs": runs}]}]), case)

    def test_it_is_kept_beside_what_it_looks_at(self):
        self.assertEqual([table.stored_name("100B", at_once) for at_once in (False, True)], ["100B", "100B-together"])


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


if __name__ == "__main__":
    unittest.main()

"""Runs the default scenario, its quick form and a load, and adds up what each step and each phase of a trial took.

What src/plan/forecast.rs takes for granted is printed below the table.
"""

import statistics
from pathlib import Path

import build
import document
import runs

QUESTION, TIME = "Where does the time of a run go?", "20 minutes"
SCENARIO = Path("scenarios/one-vs-two.toml")
FORMS = {"complete": [], "`--quick`": ["--quick"]}
# A load with a window and a warm-up of so many seconds.
LOAD, LOAD_SECONDS = Path("scenarios/latency.toml"), 9

# The parts of a run's time in their order, by their name in summary.json, and whether they are phases of a trial.
PARTS = {
    "starting": ("the guardian starts", False),
    "brokers": ("the broker starts, with its tool that formats the folder", False),
    "checking": ("machine and cluster are described, work is calibrated", False),
    "data": ("the data set is filled", False),
    "start": ("processes start", True),
    "connect": ("they connect", True),
    "join": ("members join their group", True),
    "hold": ("members wait for the common start", True),
    "reading": ("**records are read**, counted trials", True),
    "reading_uncounted": ("**records are read**, pilots and warm-up", True),
    "results": ("results are collected", True),
    "end": ("members leave, processes end", True),
    "between": ("the trial is stored, the next one is chosen", True),
    "closing": ("the broker is killed, its data are removed", False),
}


def accounts(tandem, flags, rounds, scenario=SCENARIO):
    """What each round of the scenario stored of its time."""
    folder = scenario.parent
    made = [runs.Run(tandem, scenario.stem, flags=flags, folder=folder) for _ in range(rounds)]
    wrong = [run for run in made if run.code != runs.DONE]
    if wrong:
        raise ValueError(f"{len(wrong)} of {rounds} runs had trials that failed")
    return [run.summary["time"] for run in made]


def seconds_of(account, part):
    return sum(one["seconds"] for one in account["parts"] if one["part"] == part)


def is_reading(part):
    return part.startswith("reading")


def cells(found, of, is_of_trials):
    """Median seconds over the rounds, share of the run, and time of each trial."""
    seconds = statistics.median(of(account) for account in found)
    share = statistics.median(of(account) / account["seconds"] for account in found)
    each = statistics.median(of(account) / account["trials"] for account in found)
    return [f"{seconds:.1f}", f"{share:.0%}".replace("%", " %"), f"{each * 1000:.0f} ms" if is_of_trials else ""]


def table(by_form):
    """Rows of the table, from the accounts of each form of the scenario."""
    heads = [f"{form}: seconds | share | each trial" for form in by_form]
    lines = ["| part | " + " | ".join(heads) + " |", "|---|" + "--:|" * 3 * len(by_form)]
    unknown = {one["part"] for found in by_form.values() for account in found for one in account["parts"]} - set(PARTS)
    if unknown:
        raise ValueError(f"parts of the time that have no row: {', '.join(sorted(unknown))}")

    def row(label, of, is_of_trials):
        each = [cell for found in by_form.values() for cell in cells(found, of, is_of_trials)]
        return f"| {label} | " + " | ".join(each) + " |"

    for part, (label, is_of_trials) in PARTS.items():
        lines.append(row(label, lambda account: seconds_of(account, part), is_of_trials))
    reading = [part for part in PARTS if is_reading(part)]
    lines.append(row("all reading", lambda account: sum(seconds_of(account, part) for part in reading), False))
    lines.append(row("all", lambda account: account["seconds"], False))
    return lines


def per_trial(account, is_counted=lambda part: True):
    """Seconds of each trial in the phases that are counted."""
    phases = [part for part, (_, is_of_trials) in PARTS.items() if is_of_trials and is_counted(part)]
    return sum(seconds_of(account, part) for part in phases) / account["trials"]


def forecast(complete, loads):
    """What `tandem plan` counts on, from the accounts of complete runs and of runs with a load."""
    once = [part for part, (_, is_of_trials) in PARTS.items() if not is_of_trials and part != "data"]
    run = statistics.median(sum(seconds_of(account, part) for part in once) for account in complete)
    trial = statistics.median(per_trial(account, lambda part: not is_reading(part)) for account in complete)
    load = statistics.median(per_trial(account) for account in loads) - LOAD_SECONDS
    return (f"Beside filling and trials a run takes {run:.1f} s, beside reading a trial takes {trial:.2f} s, and beside its "
            f"load a trial with a load takes {load:.1f} s.")


def arguments(parser):
    parser.add_argument("--rounds", type=int, default=5, help="runs of each form [default: 5]")
    document.add_write(parser, document.PERFORMANCE)


def main(given):
    tandem = build.tandem()
    by_form = {form: accounts(tandem, flags, given.rounds) for form, flags in FORMS.items()}
    counts = [f"{statistics.median(account['trials'] for account in found):.0f} trials {form}"
              for form, found in by_form.items()]
    loads = accounts(tandem, ["--quick"], 1, LOAD)
    text = "\n".join([f"Medians of {given.rounds} runs each, {' and '.join(counts)}.", "", *table(by_form), "",
                      forecast(by_form["complete"], loads)])
    print(text)
    if given.write:
        document.put(document.PERFORMANCE, "account", text)
    return runs.DONE

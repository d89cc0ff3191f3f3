"""Checks of the files in docker/ and of the monitoring while it runs, for scripts/containers.

    check.py files FOLDER                                 every file parses, dashboards fit the model of Grafana's SDK
    check.py queries FOLDER PROMETHEUS                    every panel's query, rule and variable has data
    check.py grafana FOLDER GRAFANA                       Grafana has read its data source and dashboards

Ends with 1 and says what is wrong at the first falsehood.
"""

import json
import math
import re
import sys
import time
import typing
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

# What Grafana fills in: every broker, every group, a window of a few scrapes.
VARIABLES = {"$broker": ".*", "$group": ".*", "$__rate_interval": "30s"}
PATIENCE_S = 120


def wrong(what):
    """Ends with what is wrong."""
    sys.exit(f"check.py: {what}")


def dashboards(folder):
    """The dashboards: [(file name, contents)]."""
    paths = sorted((folder / "monitoring/grafana/dashboards").glob("*.json"))
    if not paths:
        wrong(f"there is no dashboard in {folder}")
    return [(path.name, json.loads(path.read_text(encoding="utf-8"))) for path in paths]


# ---- files

def lost(given, kept, path):
    """The first path of `given` that is not the same in `kept`. What the model adds is no difference."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            # Absent and null are the same to Grafana.
            if key not in kept and value is not None:
                return f"{path}.{key}"
            found = lost(value, kept.get(key), f"{path}.{key}")
            if found:
                return found
        return None
    if isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        return next(filter(None, (lost(*pair, f"{path}[{at}]") for at, pair in enumerate(zip(given, kept)))), None)
    return None if given == kept else path


def mistyped(value, path):
    """The first attribute of a model's object, or of those in it, whose value is not of the type that it declares."""
    from typeguard import CollectionCheckStrategy, TypeCheckError, check_type
    if isinstance(value, list):
        return next(filter(None, (mistyped(item, f"{path}[{at}]") for at, item in enumerate(value))), None)
    if not type(value).__module__.startswith("grafana_foundation_sdk.models"):
        return None
    for name, hint in typing.get_type_hints(type(value)).items():
        held = getattr(value, name, None)
        try:
            check_type(held, hint, collection_check_strategy=CollectionCheckStrategy.ALL_ITEMS)
        except TypeCheckError as error:
            return f"{path}.{name}: {error}"
        found = mistyped(held, f"{path}.{name}")
        if found:
            return found
    return None


def accept_values_of_enums():
    """Makes the type checker take the value of an enumeration's member for the member, as JSON has it."""
    import enum
    from typeguard import TypeCheckError, checker_lookup_functions

    def check(value, origin, _arguments, _memo):
        if not any(value == member.value for member in origin):
            raise TypeCheckError(f"is none of {', '.join(repr(member.value) for member in origin)}")

    checker_lookup_functions.append(
        lambda origin, _arguments, _extras: check if isinstance(origin, type) and issubclass(origin, enum.Enum) else None)


def check_model(name, contents):
    """A dashboard, read by Grafana's SDK: every key is one that it knows, every value of the type that it declares."""
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models.dashboard import Dashboard
    model = Dashboard.from_json(contents)
    written = json.loads(JSONEncoder(sort_keys=True).encode(model))
    unknown = lost(contents, written, name)
    if unknown:
        wrong(f"the model of Grafana's dashboards has no {unknown}")
    bad = mistyped(model, name)
    if bad:
        wrong(f"the model of Grafana's dashboards has another type: {bad}")


def check_layout(name, contents):
    """Panels have numbers and places of their own, and what they show has a title and a description."""
    panels = contents["panels"]
    if len({panel["id"] for panel in panels}) != len(panels):
        wrong(f"{name}: two panels have one id")
    taken = {}
    for panel in panels:
        at = panel["gridPos"]
        if at["x"] + at["w"] > 24:
            wrong(f"{name}: {panel['title']} reaches over the right edge")
        for cell in ((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])):
            if taken.setdefault(cell, panel["title"]) != panel["title"]:
                wrong(f"{name}: {panel['title']} lies over {taken[cell]}")
        if panel["type"] != "row" and not (panel.get("description") and panel.get("targets")):
            wrong(f"{name}: {panel['title']} has no description or no query")


def check_files(folder):
    """Everything that can be said without starting anything."""
    import yaml
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    register_default_plugins()
    accept_values_of_enums()

    class Loader(yaml.SafeLoader):
        """YAML with Compose's tags."""

    Loader.add_constructor("!override", Loader.construct_mapping)
    parsed = 0
    for path in sorted(folder.rglob("*.yaml")):
        with path.open(encoding="utf-8") as file:
            if not yaml.load(file, Loader):
                wrong(f"{path} is empty")
        parsed += 1
    for name, contents in dashboards(folder):
        check_model(name, contents)
        check_layout(name, contents)
    print(f"{parsed} YAML files parse; {', '.join(name for name, _ in dashboards(folder))} fit the model")


# ---- queries

def get(address):
    """The JSON that an address answers."""
    with urllib.request.urlopen(address, timeout=10) as answer:
        return json.load(answer)


def queries(folder):
    """Every query of the dashboards: [(where, PromQL)]."""
    found = []
    for name, contents in dashboards(folder):
        for panel in contents["panels"]:
            for target in panel.get("targets", []):
                found.append((f"{name}: {panel['title']}", target["expr"]))
        for variable in contents["templating"]["list"]:
            selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
            found.append((f"{name}: variable {variable['name']}", f"count by ({label}) ({selector})"))
    for at, (where, query) in enumerate(found):
        for word, value in VARIABLES.items():
            query = query.replace(word, value)
        if "$" in query:
            wrong(f"{where}: an unknown variable in {query}")
        found[at] = where, query
    return found


def has_data(prometheus, query):
    """True where the query has a value that is a number."""
    answer = get(f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}")
    return any(math.isfinite(float(sample["value"][1])) for sample in answer["data"]["result"])


def check_queries(folder, prometheus):
    """Waits until each query has had data once; the load that makes it runs meanwhile."""
    wanted = queries(folder)
    rules = [rule for group in get(f"{prometheus}/api/v1/rules")["data"]["groups"] for rule in group["rules"]]
    if not rules:
        wrong("Prometheus has loaded no rule")
    missing, end = list(wanted), time.monotonic() + PATIENCE_S
    while missing and time.monotonic() < end:
        missing = [(where, query) for where, query in missing if not has_data(prometheus, query)]
        time.sleep(2 if missing else 0)
    if missing:
        wrong("no data within two minutes:\n" + "\n".join(f"    {where}: {query}" for where, query in missing))
    # What only has data does not yet measure: the load and its lag are seen.
    for what, query in [
        ("records arrive", "sum(rate(kafka_server_brokertopicmetrics_messagesin_total[30s])) > 0"),
        ("records are fetched", "sum(rate(kafka_server_brokertopicmetrics_bytesout_total[30s])) > 0"),
        ("a group has members", "max(kafka_consumergroup_members) > 0"),
        ("every broker is scraped", 'count(up{job="brokers"} == 1) == 3'),
        ("replicas are copied", "sum(rate(kafka_server_brokertopicmetrics_replicationbytesin_total[30s])) > 0"),
    ]:
        end = time.monotonic() + PATIENCE_S
        while not has_data(prometheus, query):
            if time.monotonic() > end:
                wrong(f"Prometheus does not show that {what}: {query}")
            time.sleep(2)
    unhealthy = [rule["name"] for rule in get(f"{prometheus}/api/v1/rules")["data"]["groups"][0]["rules"]
                 if rule["health"] != "ok"]
    if unhealthy:
        wrong(f"rules that cannot be evaluated: {', '.join(unhealthy)}")
    print(f"{len(wanted)} queries of dashboards have data, {len(rules)} rules are healthy")


def check_grafana(folder, grafana):
    """Grafana has read what it was provisioned with."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            if get(f"{grafana}/api/health")["database"] == "ok":
                break
        except (urllib.error.URLError, ConnectionError):
            pass
        if time.monotonic() > end:
            wrong(f"{grafana} does not answer")
        time.sleep(2)
    for name, contents in dashboards(folder):
        shown = get(f"{grafana}/api/dashboards/uid/{contents['uid']}")["dashboard"]
        if len(shown["panels"]) != len(contents["panels"]):
            wrong(f"Grafana shows {len(shown['panels'])} of the {len(contents['panels'])} panels of {name}")
    print("Grafana shows the dashboards")


def main():
    """Does what the command line names."""
    checks = {"files": check_files, "queries": check_queries, "grafana": check_grafana}
    if len(sys.argv) < 3 or sys.argv[1] not in checks:
        wrong(__doc__)
    checks[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])


if __name__ == "__main__":
    main()

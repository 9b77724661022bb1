#!/usr/bin/env python3
"""Judges runs of run.py by the marks that the hub is to reach: the median of the runs beside each target value.

    marks.py RUN.json [RUN.json ...]
"""
import json
import statistics
import sys


def at(run, target, *keys):
    """A number of one target in one run, `None` where it was not measured."""
    found = next((result for result in run if result["name"] == target), None)
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def ratio(a, b):
    return a / b if a is not None and b else None


def less(a, b):
    return a - b if a is not None and b is not None else None


# What is measured, how it is bounded, how it is written, and where it stands in a run.
MARKS = [
    ("throughput at 64 connections, of nginx's", "≥", 0.2, "{:.3f}",
     lambda run: ratio(at(run, "hub", "c64", "rps"), at(run, "nginx", "c64", "rps"))),
    ("added median latency, all on one core", "<", 60, "{:.1f} µs",
     lambda run: less(at(run, "hub", "seq1", "us", "p50"), at(run, "direct", "seq1", "us", "p50"))),
    ("1,000 streams × 100 chunks: chunks lost", "=", 0, "{:.0f}", lambda run: at(run, "hub", "stream1000", "lost")),
    ("1,000 streams × 100 chunks: streams complete", "=", 1000, "{:.0f}",
     lambda run: at(run, "hub", "stream1000", "complete")),
    ("1,000 streams × 100 chunks: CPU, of nginx's", "≤", 2, "{:.2f}",
     lambda run: ratio(at(run, "hub", "stream1000", "cpu_s"), at(run, "nginx", "stream1000", "cpu_s"))),
    ("idle memory (resident)", "<", 25, "{:.1f} MB", lambda run: at(run, "hub", "idle_rss_mb")),
    ("cold start to the first answer", "<", 100, "{:.0f} ms", lambda run: at(run, "hub", "cold_start_ms")),
    ("a client's hang-up reaches the upstream, worst of five", "≤", 50, "{:.1f} ms",
     lambda run: at(run, "hub", "abort_ms")),
    ("streams that finish on SIGTERM, of 20", "=", 20, "{:.0f}",
     lambda run: at(run, "hub", "sigterm", "streams_completed")),
]
HOLDS = {"≥": lambda a, b: a >= b, "≤": lambda a, b: a <= b, "<": lambda a, b: a < b, "=": lambda a, b: a == b}

# Numbers that make the ones above understood.
BACKGROUND = [
    ("requests/s at 64 connections: hub", "{:,.0f}", lambda run: at(run, "hub", "c64", "rps")),
    ("requests/s at 64 connections: nginx", "{:,.0f}", lambda run: at(run, "nginx", "c64", "rps")),
    ("CPU per request: hub", "{:.1f} µs", lambda run: at(run, "hub", "c64", "cpu_us_per_req")),
    ("CPU per request: nginx", "{:.1f} µs", lambda run: at(run, "nginx", "c64", "cpu_us_per_req")),
    ("added latency, all on one core, 99th percentile: hub", "{:.1f} µs",
     lambda run: less(at(run, "hub", "seq1", "us", "p99"), at(run, "direct", "seq1", "us", "p99"))),
    ("added median latency, all on one core: nginx", "{:.1f} µs",
     lambda run: less(at(run, "nginx", "seq1", "us", "p50"), at(run, "direct", "seq1", "us", "p50"))),
    ("1,000 streams, CPU: hub", "{:.2f} s", lambda run: at(run, "hub", "stream1000", "cpu_s")),
    ("1,000 streams, CPU: nginx", "{:.2f} s", lambda run: at(run, "nginx", "stream1000", "cpu_s")),
    ("1,000 streams, peak memory: hub", "{:.1f} MB", lambda run: at(run, "hub", "stream1000", "peak_rss_mb")),
]


def values(runs, read):
    return [value for value in map(read, runs) if value is not None]


def table(runs):
    """The marks as a table in Markdown."""
    lines = [f"Medians of {len(runs)} run{'s' * (len(runs) != 1)}:", "", "| mark | target | measured | each run | reached |",
             "|---|--:|--:|--:|---|"]
    for name, sign, target, form, read in MARKS:
        found = values(runs, read)
        unit = form.partition("}")[2]
        bound = f"{sign} {target:,}{unit}"
        if not found:
            lines.append(f"| {name} | {bound} | not measured | | |")
            continue
        # Where nothing may go wrong, one good run does not make up for a bad one.
        middle = statistics.median(found) if sign != "=" else next((x for x in found if x != target), target)
        each = ", ".join(form.format(value).split(" ")[0] for value in found)
        verdict = "yes" if len(found) == len(runs) and HOLDS[sign](middle, target) else "**no**"
        lines.append(f"| {name} | {bound} | {form.format(middle)} | {each} | {verdict} |")
    lines += ["", "| for comparison | median |", "|---|--:|"]
    for name, form, read in BACKGROUND:
        found = values(runs, read)
        if found:
            lines.append(f"| {name} | {form.format(statistics.median(found))} |")
    foreign = [at([result], result["name"], "c64", "foreign_cpu_pct") or 0 for run in runs for result in run]
    worst = max(foreign, default=0)
    if worst > 3:
        lines += ["", f"Other programs used up to {worst:.0f} % of a processor meanwhile: measure again on a quiet machine."]
    return "\n".join(lines)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    loaded = []
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            loaded.append(json.load(file))
    print(table(loaded))

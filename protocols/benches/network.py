#!/usr/bin/env python3
"""Secure aggregation through the whole stack on this machine: a node process an organisation and the coordinator, mutual TLS, CSV in, table out.

    cargo build --release
    protocols/benches/network.py target/release/entente --parties 10 --cells 1000000 --runs 5

Makes seeded files, runs `entente lab` on them with one organisation's node killed once the round has begun, and holds the table against the
plain sum over the parties that it names. Prints every run. Nothing else should run on the machine meanwhile. Needs Python 3.10 and nothing else.
"""
import argparse
import collections
import csv
import datetime
import json
import platform
import random
import statistics
import subprocess
import sys
import tempfile

ROWS_KEY_MAX = 10_000  # values that one domain may have

POLICY = """[dataset]
name      = "accounts"
consent   = "not-needed"
min_group = 1
min_set   = 1
budget    = {{ epsilon_per_year = 1.0, jobs_per_30d = 10 }}
approvers = {{ need = 1, of = ["data-owner"] }}
set_grid  = 1000
noise     = "optional"

[columns.phone]
id  = "e164(+86)"
may = {{ count = ["bank-00"] }}
[columns.x]
may    = {{ group = ["bank-00"] }}
domain = [{xs}]
[columns.y]
may    = {{ group = ["bank-00"] }}
domain = [{ys}]
"""

JOB = """entente: 1
name: network
purpose: measuring
legal_basis: made-up data
ask: SELECT x, y, COUNT(*) AS n FROM "*".accounts GROUP BY x, y
parties: [{parties}]
aggregate: {{ min_parties: 3, dropouts: 1/3 }}
protect: {{ epsilon: none, min_group: 1 }}
results_to: [bank-00]
expires: 2099-12-31T00:00:00Z
"""


def shape(cells):
    """Two domains whose product is the number of cells."""
    first = next(first for first in (1_000, 100, 10, 1) if cells % first == 0 and cells // first <= ROWS_KEY_MAX)
    return [f"x{place}" for place in range(cells // first)], [f"y{place}" for place in range(first)]


def write_files(folder, parties, xs, ys, rows):
    """Each organisation's accounts and policy; how many accounts it has in each cell."""
    counts = {}
    for party in parties:
        dice = random.Random(party)
        counts[party] = collections.Counter()
        with open(f"{folder}/{party}.csv", "w") as out:
            out.write("phone,x,y\n")
            for number in range(rows):
                cell = dice.choice(xs), dice.choice(ys)
                counts[party][cell] += 1
                out.write(f"139{number:08},{cell[0]},{cell[1]}\n")
        with open(f"{folder}/{party}.toml", "w") as out:
            quoted = [",".join(f'"{value}"' for value in values) for values in (xs, ys)]
            out.write(POLICY.format(xs=quoted[0], ys=quoted[1]))
    with open(f"{folder}/job.yaml", "w") as out:
        out.write(JOB.format(parties=", ".join(parties)))
    return counts


def run(binary, folder, parties, counts):
    command = [binary, "lab"]
    for party in parties:
        command += ["--org", party, "--data", f"accounts={folder}/{party}.csv", "--policy", f"{folder}/{party}.toml"]
    command += ["--ask", f"{folder}/job.yaml", "--out", f"{folder}/sum.csv", "--rows", "1", "--json", "--vanish", parties[-1]]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"lab failed: {done.stderr}")
    report = json.loads(done.stdout)
    named = report["result"]["parties"]["in_sum"]
    truth = sum((counts[party] for party in named), collections.Counter())
    with open(f"{folder}/sum.csv", newline="") as table:
        found = {(row["x"], row["y"]): int(row["n"]) for row in csv.DictReader(table)}
    if found != truth:
        sys.exit(f"the table is not the sum over {named}")
    return report, len(named)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("binary")
    arguments.add_argument("--parties", type=int, default=10)
    arguments.add_argument("--cells", type=int, default=1_000_000)
    arguments.add_argument("--rows", type=int, default=20_000, help="accounts of each organisation")
    arguments.add_argument("--runs", type=int, default=5)
    asked = arguments.parse_args()
    parties = [f"bank-{number:02}" for number in range(asked.parties)]
    xs, ys = shape(asked.cells)
    print(f"{platform.machine()}, {datetime.date.today()}, {' '.join(sys.argv)}")
    with tempfile.TemporaryDirectory() as folder:
        counts = write_files(folder, parties, xs, ys, asked.rows)
        walls = []
        for _ in range(asked.runs):
            report, in_sum = run(asked.binary, folder, parties, counts)
            walls.append(report["wall_s"])
            nodes = [process for process in report["processes"] if process["role"] == "node" and process["sent_bytes"]]
            stages = ", ".join(f"{stage['name']} {stage['wall_s']:.2f}" for stage in report["stages"])
            print(f"{in_sum} of {len(parties)} parties, {report['wall_s']:.2f} s ({stages}); "
                  f"{max(node['sent_bytes'] for node in nodes) / asked.cells:.3f} bytes a cell sent by a node, "
                  f"{max(node['peak_mib'] for node in nodes):.0f} MiB at most, the coordinator {report['processes'][-1]['peak_mib']:.0f} MiB")
        print(f"median {statistics.median(walls):.2f} s")


if __name__ == "__main__":
    main()

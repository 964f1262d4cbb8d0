#!/usr/bin/env python3
"""The whole stack on this machine: two node processes, mutual TLS, CSV in, matched CSV rows or a joint table out.

    cargo build --release
    protocols/benches/whole_stack.py target/release/entente --ids 1000000 10000000 --runs 3
    protocols/benches/whole_stack.py target/release/entente --ids 10000000 --runs 3 --peer PEER/bin/python
    protocols/benches/whole_stack.py target/release/entente --question table --ids 1000000 --runs 3

Makes seeded lists of the given length a side of which half is common, runs `entente lab` on them, and with --peer runs the
strongest peer (`spu`, the C++ PSI of a Python package, protocol RR22) on the same files in turn. Prints a table of medians.
With --question table it is the blind join: a count and a sum in 8 by 8 groups of both sides, each cell held against the truth.
Nothing else should run on the machine meanwhile. Needs Python 3.10 and nothing else; the peer's own Python needs spu.
"""
import argparse
import csv
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time

PRIME = 6_999_999_989  # the largest below 7·10^9: multiplication modulo it scrambles a counter into distinct mobile numbers
SCRAMBLE = 6_364_136_223

POLICY = """[dataset]
name      = "{name}"
consent   = "not-needed"
min_group = 1
min_set   = 1
budget    = {{ epsilon_per_year = 1.0, jobs_per_30d = 10 }}
approvers = {{ need = 1, of = ["data-owner"] }}
set_grid  = 1000
noise     = "optional"

[columns.phone]
id  = "e164(+86)"
may = {{ {match} }}
[columns.{number}]
may   = {{ sum = ["{partner}"] }}
clip  = [0, 1_000_000]
scale = 0
"""

TIER_POLICY = """[columns.tier]
may    = {{ group = ["{partner}"] }}
domain = [{tiers}]
"""

JOB = """entente: 1
name: whole-stack
purpose: measuring
legal_basis: made-up data
ask: |
  {select} FROM "north-bank".customers a JOIN "river-pay".users b ON a.phone = b.phone {groups}
protect: {{ epsilon: none, min_group: 1, security: {security} }}
results_to: [north-bank]
expires: 2099-12-31T00:00:00Z
"""

QUESTIONS = {  # SELECT, GROUP BY, and what the partner's id column has to grant
    "rows": ("SELECT a.*", "", ("match", "reveal")),
    "table": ("SELECT a.tier AS tier, b.tier AS segment, COUNT(*) AS n, SUM(b.spend) AS spend", "GROUP BY a.tier, b.tier", ("match",)),
}
TIERS = 8  # of each side

PEER = """
import json, multiprocessing, resource, sys, time
def party(rank, folder, answers):
    import spu.libspu as libspu
    from spu import psi
    desc = libspu.link.Desc()
    desc.recv_timeout_ms = 3_600_000
    for other in range(2):
        desc.add_party(f"p{other}", f"127.0.0.1:{19300 + other}")
    link = libspu.link.create_brpc(desc, rank)
    config = psi.PsiExecuteConfig(
        protocol_conf=psi.PsiProtocolConfig(
            protocol=psi.parse_protocol("PROTOCOL_RR22"), receiver_rank=0, broadcast_result=False, bucket_size=1 << 20,
            ecdh_params=psi.EcdhParams(curve=psi.EllipticCurveType.CURVE_25519), rr22_params=psi.Rr22Rarams(low_comm_mode=False)),
        input_params=psi.InputParams(path=f"{folder}/{'ab'[rank]}.csv", selected_keys=["phone"], keys_unique=True),
        output_params=psi.OutputParams(path=f"{folder}/peer{rank}.csv"))
    begin = time.time()
    report = psi.psi_execute(config, link)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu = usage.ru_utime + usage.ru_stime
    answers.put([rank, time.time() - begin, report.intersection_count, cpu, usage.ru_maxrss / 1024])
if __name__ == "__main__":
    answers = multiprocessing.Queue()
    parties = [multiprocessing.Process(target=party, args=(rank, sys.argv[1], answers)) for rank in range(2)]
    for each in parties: each.start()
    print(json.dumps(sorted(answers.get() for _ in parties)))
    for each in parties: each.join()
"""


def tier(list_number, counter):
    """The group of an id: for common ids, both lists' tiers together take all pairs of values."""
    return counter // TIERS ** list_number % TIERS


def amount(counter):
    return counter % 1_000_000


def write_list(path, number, list_number, common, own_from, count):
    """`common` ids that both lists have, then own ones, in a seeded order."""
    dice = random.Random(list_number + 1)
    with open(path, "w") as out:
        out.write(f"phone,{number},tier\n")
        counters = list(range(common)) + list(range(own_from, own_from + count - common))
        dice.shuffle(counters)
        for start in range(0, count, 100_000):
            rows = counters[start:start + 100_000]
            out.write("".join(
                f"{13_000_000_000 + c * SCRAMBLE % PRIME},{amount(c)},s{tier(list_number, c)}\n" for c in rows))


def write_lists(folder, count, partner_count):
    """All ids are distinct Chinese mobile numbers, 130 0000 0000 to 199 9999 9999."""
    common = min(count, partner_count) // 2
    write_list(f"{folder}/a.csv", "balance", 0, common, 1_000_000_000, count)
    write_list(f"{folder}/b.csv", "spend", 1, common, 2_000_000_000, partner_count)
    return common


def true_table(common):
    """What the table is: (count, sum) of each pair of tiers that has a common id."""
    table = {}
    for counter in range(common):
        pair = f"s{tier(0, counter)}", f"s{tier(1, counter)}"
        ids, total = table.get(pair, (0, 0))
        table[pair] = ids + 1, total + amount(counter)
    return table


def check_table(path, suppressed, truth):
    """Every cell is the truth, every other one is reported as suppressed."""
    with open(path, newline="") as answer:
        rows = list(csv.DictReader(answer))
    table = {(row["tier"], row["segment"]): (int(row["n"]), int(row["spend"])) for row in rows}
    if len(table) != len(rows) or table != truth:
        sys.exit(f"the table is not the truth: {rows}")
    if suppressed != TIERS * TIERS - len(truth):
        sys.exit(f"{suppressed} groups are reported suppressed, {TIERS * TIERS - len(truth)} have no common id")


def write_question(folder, question, security):
    """The policies and the job; where the job is."""
    select, groups, verbs = QUESTIONS[question]
    tiers = ", ".join(f'"s{value}"' for value in range(TIERS))
    for name, partner, number in (("customers", "river-pay", "balance"), ("users", "north-bank", "spend")):
        match = ", ".join(f'{verb} = ["{partner}"]' for verb in verbs)
        with open(f"{folder}/{name}.toml", "w") as policy:
            policy.write(POLICY.format(name=name, partner=partner, number=number, match=match))
            if groups:
                policy.write(TIER_POLICY.format(partner=partner, tiers=tiers))
    job = f"{folder}/job.yaml"
    with open(job, "w") as text:
        text.write(JOB.format(select=select, groups=groups, security=security))
    return job


def ours(binary, folder, question, security, truth):
    job = write_question(folder, question, security)
    command = [binary, "lab", "--org", "north-bank", "--data", f"customers={folder}/a.csv", "--policy", f"{folder}/customers.toml",
               "--org", "river-pay", "--data", f"users={folder}/b.csv", "--policy", f"{folder}/users.toml",
               "--ask", job, "--out", f"{folder}/ours.csv", "--rows", "1", "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"lab failed: {done.stderr}")
    report = json.loads(done.stdout)
    if question == "table":
        check_table(f"{folder}/ours.csv", report["result"]["suppressed_groups"], truth)
    elif report["result"]["row_count"] != truth:
        sys.exit(f"entente found {report['result']['row_count']} of {truth} common ids")
    nodes = [process for process in report["processes"] if process["role"] == "node"]
    return {
        "wall_s": report["wall_s"],
        "cpu_s": sum(node["cpu_s"] for node in nodes),
        "peak_mib": max(node["peak_mib"] for node in nodes),
        "mb": (nodes[0]["sent_bytes"] + nodes[0]["received_bytes"]) / 1e6,
        "stages": report["stages"],
        "setup_s": sum(stage["wall_s"] for stage in report["setup"]),
    }


def peers(python, folder, common):
    script = f"{folder}/peer.py"
    with open(script, "w") as text:
        text.write(PEER)
    done = subprocess.run([python, script, folder], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"the peer failed: {done.stderr}")
    receiver, sender = json.loads(done.stdout.strip().splitlines()[-1])
    if receiver[2] != common:
        sys.exit(f"the peer found {receiver[2]} of {common} common ids")
    return {
        "wall_s": max(receiver[1], sender[1]),
        "cpu_s": receiver[3] + sender[3],
        "peak_mib": max(receiver[4], sender[4]),
        "mb": float("nan"),
    }


def line(name, ids, runs):
    def median(key):
        return statistics.median(run[key] for run in runs)
    walls = " ".join(f"{run['wall_s']:.2f}" for run in runs)
    print(f"| {name} | {ids} | {median('wall_s'):.2f} | {walls} | {median('cpu_s'):.1f} | {median('peak_mib'):.0f} | {median('mb'):.0f} |",
          flush=True)


def options():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("binary")
    arguments.add_argument("--question", choices=QUESTIONS, default="rows", help="matched rows by VOLE-PSI, or a table by the blind join")
    arguments.add_argument("--ids", type=int, nargs="+", default=[1_000_000])
    arguments.add_argument("--partner-ids", type=int, help="where the two lists differ in length")
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--security", nargs="+", default=["semi-honest"])
    arguments.add_argument("--peer", help="a Python that has spu")
    arguments.add_argument("--folder", help="where the lists are made; a temporary folder otherwise")
    chosen = arguments.parse_args()
    if chosen.question == "table" and (chosen.peer or chosen.security != ["semi-honest"]):
        arguments.error("--question table has no peer, and the blind join is semi-honest only")
    return chosen


def measure(chosen, ids, partner_ids, folder):
    """All runs of each contender, in turn."""
    common = write_lists(folder, ids, partner_ids)
    truth = true_table(common) if chosen.question == "table" else common
    binary = os.path.abspath(chosen.binary)
    contenders = {
        f"entente, {security}": lambda security=security: ours(binary, folder, chosen.question, security, truth)
        for security in chosen.security
    }
    if chosen.peer:
        contenders["spu 0.9.5, RR22"] = lambda: peers(chosen.peer, folder, common)
    runs = {name: [] for name in contenders}
    for _ in range(chosen.runs):
        for name, contender in contenders.items():
            runs[name].append(contender())
    return runs


def main():
    chosen = options()
    print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {platform.machine()}: {' '.join(sys.argv[1:])}\n")
    print("| | ids a side | wall s, median | each run | CPU s, both nodes | peak MiB, larger node | MB between the nodes |")
    print("|---|---|---|---|---|---|---|")
    for ids in chosen.ids:
        partner_ids = chosen.partner_ids or ids
        with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
            runs = measure(chosen, ids, partner_ids, folder)
        for name, measured in runs.items():
            line(name, ids if partner_ids == ids else f"{ids} and {partner_ids}", measured)
        for name, measured in runs.items():
            if "stages" in measured[-1]:
                stages = ", ".join(f"{stage['name']} {stage['wall_s']:.2f}" for stage in measured[-1]["stages"])
                print(f"\n{name}, the last run's stages in seconds: {stages}; before it {measured[-1]['setup_s']:.1f} s", flush=True)
        if chosen.peer:
            ratio = statistics.median(
                peer["wall_s"] / own["wall_s"]
                for own, peer in zip(runs[f"entente, {chosen.security[0]}"], runs["spu 0.9.5, RR22"]))
            print(f"\nThe peer takes {ratio:.1f} times as long as entente ({ids} ids, median of pairs).\n", flush=True)


if __name__ == "__main__":
    main()

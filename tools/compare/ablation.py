#!/usr/bin/env python3
"""Trains one short run per switch and writes a table: exact accuracy on validation rows by hints, and CPU seconds.

    python3 tools/compare/ablation.py --hrm target/release/hrm-host --config configs/sudoku9-quick.toml --data train.csv.gz \
        --out runs/ablation --steps 1000

Runs that are finished are read, not repeated, so the script can be stopped and started again. Every run is `hrm-host train`
with the options shown in the table; the switches are the list below.
"""
import argparse
import json
import pathlib
import resource
import subprocess

SWITCHES = [
    ("as configured", []),
    ("the same, another seed", ["train.seed=2"]),
    ("the gradient of every call", ["train.gradient=full"]),
    ("RoPE (the paper's)", ["model.positions=rope"]),
    ("learned positions and relation bias", ["model.positions=learned+relation"]),
    ("each level its own weights", ["model.shared_levels=false"]),
    ("stablemax (the paper's)", ["train.loss=stablemax"]),
    ("no moving average", ["train.ema=0"]),
    ("a continue head (the paper's)", ["model.continue_head=true"]),
    ("four L cycles", ["model.l_cycles=4"]),
    ("80 % of the draws eased", ["data.eased=0.8"]),
    ("nothing eased (the paper's)", ["data.eased=0"]),
    ("all eased at first", ["data.eased_from=1.0", "data.eased_steps=500"]),
    ("random initial states", ["train.random_start=1.0"]),
    ("latent noise", ["train.latent_noise=0.1"]),
    ("unsolved puzzles again", ["train.replay=0.5"]),
    ("thoughts at rest end", ["train.rest=0.02"]),
    ("four that helped, together", ["model.positions=learned+relation", "train.loss=stablemax", "train.gradient=full", "data.eased=0.8"]),
]


def evaluation(run):
    """The last evaluation of a run, or None."""
    path = run / "metrics.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return next((line for line in reversed(lines) if "levels" in line), None)


def train(options, run, settings):
    """Trains `run` where it has not been trained, and keeps the CPU seconds it took beside it."""
    cost = run / "cpu-seconds"
    if cost.exists():
        return float(cost.read_text())
    rows = ["train.eval_steps=0", f"train.eval_rows={options.rows}", "train.checkpoint_minutes=1000", "train.keep=1"]
    changes = [part for setting in [*rows, *options.set, *settings] for part in ("--set", setting)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([options.hrm, "train", "--config", options.config, "--data", options.data, "--out", run,
                    "--max-steps", str(options.steps), "--threads", str(options.threads), *changes], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    cost.write_text(f"{seconds:.1f}\n")
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hrm", default="target/release/hrm-host")
    parser.add_argument("--config", default="configs/sudoku9-quick.toml")
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=128)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of every run")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    table = ["| switch | | 90 % hints | 70 % | 40 % | none | CPU s |", "|---|---|---|---|---|---|---|"]
    for name, settings in SWITCHES:
        run = options.out / ("-".join(settings).replace("=", "-") or "base")
        seconds = train(options, run, settings)
        exact = [f"{100 * level['exact']:.1f}" for level in evaluation(run)["levels"]]
        keys = ", ".join(f"`{setting}`" for setting in settings)
        table.append(f"| {name} | {keys} | {' | '.join(exact)} | {seconds:.0f} |")
        (options.out / "table.md").write_text("\n".join(table) + "\n")
    print("\n".join(table))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""One model through what one would pick instead of this project, beside it: a row each of accuracy, segments a second and bytes.

    peers.py CHECKPOINT PUZZLES CALIBRATION --program hrm-host --pack 16.hrm --pack 8.hrm --folder WORK

`tools/compare/peers.sh` makes the files, installs the peers and runs this for two models. Every peer runs one segment as its graph, on
one thread, and the caller feeds the carry back. Peers take short turns in one run, and a turn counts seconds of the processor, so that
other work on the machine falls on all alike. PyTorch's rows are there where it can be imported, ExecuTorch's where their programs lie
in the folder (executorch_programs.py).
"""

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
import graph  # noqa: E402
import runners  # noqa: E402
from model import Model  # noqa: E402


class Peer:
    """A way to run the model in this process."""

    def __init__(self, name, model, runner, batch):
        self.name, self.model, self.runner, self.batch = name, model, runner, batch
        self.bytes = runner.bytes

    def exact(self, tokens, labels):
        """Puzzles solved after the last segment."""
        solved = 0
        for first in range(0, len(tokens), self.batch):
            part = tokens[first : first + self.batch]
            filled = np.concatenate([part, np.repeat(part[:1], self.batch - len(part), 0)])
            states = runners.initial(self.model, self.batch)
            for _ in range(self.model.segments):
                logits, _, *states = self.runner.run(filled, *states)
            answers = logits.argmax(-1)[: len(part)]
            solved += int((answers == labels[first : first + self.batch]).all(-1).sum())
        return solved

    def turn(self, tokens):
        """Segments a second of the processor."""
        tokens = np.resize(tokens, (self.batch, self.model.cells))
        states = runners.initial(self.model, self.batch)
        begin, segments = time.process_time(), max(1, 48 // self.batch)
        for _ in range(segments):
            _, _, *states = self.runner.run(tokens, *states)
        return segments * self.batch / (time.process_time() - begin)


class Ours:
    """A pack in `hrm-host eval`."""

    def __init__(self, name, program, pack, file, segments, rows):
        self.name, self.program, self.pack, self.file = name, program, pack, file
        self.segments, self.rows, self.bytes = segments, rows, Path(pack).stat().st_size

    def command(self, rows):
        options = ["--rows", str(rows), "--hints", "0", "--threads", "1", "--quiet", "--json"]
        return [self.program, "eval", str(self.pack), "--data", str(self.file), *options]

    def exact(self, tokens, _labels):
        answer = json.loads(subprocess.run(self.command(len(tokens)), check=True, capture_output=True).stdout)
        return round(answer["levels"][0]["exact"] * len(tokens))

    def seconds(self, rows):
        process = subprocess.Popen(self.command(rows), stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{self.program} eval {self.pack} failed")
        return used.ru_utime + used.ru_stime

    def turn(self, _tokens):
        """Without what one puzzle takes, start and reading included."""
        return (self.rows - 1) * self.segments / (self.seconds(self.rows) - self.seconds(1))


def parity(model, runner, tokens):
    """The greatest difference of a segment of a float graph from the reference, of its scores and its states."""
    states = runners.initial(model, len(tokens))
    greatest = 0.0
    for _ in range(model.segments):
        wanted = model.segment(tokens, *states)
        got = runner.run(tokens, *states)
        greatest = max([greatest] + [float(abs(a - b).max()) for a, b in zip(wanted, got)])
        states = [part.astype(np.float32) for part in wanted[2:]]
    return greatest


def peers(model, paths, options):
    """Every peer that can be had here, and why another cannot."""
    made, missing = [], []
    batches = {"": options.batch} | ({", one puzzle": 1} if options.batch > 1 else {})
    for suffix, batch in batches.items():
        for name, path in paths.items():
            if suffix == "" or name in ("float", "int8, dynamic", "int8, static u8"):
                made.append(Peer(f"ONNX Runtime, {name}{suffix}", model, runners.OnnxRuntime(path), batch))
    for name in ("float", "int8, dynamic", "int8, static u8"):
        try:
            peer = Peer(f"tract, {name}", model, runners.Tract(paths[name], options.batch), options.batch)
            peer.turn(options.warm)
            made.append(peer)
        except Exception as error:  # whatever it says is the finding
            missing.append((f"tract, {name}", " ".join(str(error).split())[:300]))
    if importlib.util.find_spec("torch"):
        for name, compiled in (("eager", False), ("compiled", True)):
            made.append(Peer(f"PyTorch, {name}", model, runners.Torch(model, compiled), options.batch))
    else:
        missing.append(("PyTorch", "not installed"))
    for kind, name in (("float", "float"), ("int8", "int8, static")):
        for suffix, batch in batches.items():
            path = options.folder / f"executorch-{kind}-{batch}.pte"
            if path.exists():
                made.append(Peer(f"ExecuTorch, {name}{suffix}", model, runners.ExecuTorch(path), batch))
    return [peer for peer in made if agrees(peer, options.warm, missing)], missing


def agrees(peer, tokens, missing):
    """Whether a float peer is the model; int8 ones are judged by their answers."""
    tokens = np.resize(tokens, (peer.batch, peer.model.cells))
    difference = 0.0 if "int8" in peer.name else parity(peer.model, peer.runner, tokens)
    if difference > 1e-4:
        missing.append((peer.name, f"a segment differs from the reference by {difference:.1e}"))
    return difference <= 1e-4


def versions():
    found = []
    for name in ("onnxruntime", "onnx", "tract", "torch", "executorch", "numpy"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            pass
    with open("/proc/cpuinfo") as file:
        flags = next((line for line in file if line.startswith("flags")), "").split()
    has = [flag for flag in ("avx2", "avx512f", "avx512_vnni", "avx_vnni") if flag in flags]
    return f"{', '.join(found)}; {platform.machine()}, {', '.join(has)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("puzzles", type=Path)
    parser.add_argument("calibration", type=Path)
    parser.add_argument("--program", default="hrm-host")
    parser.add_argument("--pack", type=Path, action="append", default=[])
    parser.add_argument("--folder", type=Path, default=Path("."))
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--rows", type=int, default=500, help="puzzles for the accuracy; 0 measures none")
    parser.add_argument("--only", default="", help="peers whose name holds this")
    options = parser.parse_args()
    model = Model(options.checkpoint)
    tokens, labels = runners.puzzles(options.puzzles, options.rows or None)
    options.warm, _ = runners.puzzles(options.calibration, 16)
    options.folder.mkdir(parents=True, exist_ok=True)
    paths = runners.write_graphs(model, graph.build(model), options.warm, options.folder)
    difference = parity(model, runners.OnnxRuntime(paths["float"]), tokens[:2])
    print(f"{versions()}\n{options.rows and len(tokens)} puzzles, batch {options.batch}, {options.turns} turns")
    print(f"one segment of the float graph from the same states differs from the reference by at most {difference:.1e}")
    if difference > 1e-4:
        sys.exit("the graph is not the model")
    everyone, missing = peers(model, paths, options)
    for pack in options.pack:
        rows = 1 + max(2, 6_000_000 // (model.segments * model.cells**2 * model.width))
        everyone.append(Ours(f"hrm-host, {pack.stem}", options.program, pack, options.puzzles, model.segments, rows))
    everyone = [peer for peer in everyone if options.only in peer.name]
    rates = {peer.name: [] for peer in everyone}
    for _ in range(options.turns + 1):  # the first warms up
        for peer in everyone:
            rates[peer.name].append(peer.turn(options.warm))
    print("| peer | exact % | segments/s, median | best | bytes |\n|---|--:|--:|--:|--:|", flush=True)
    for peer in everyone:
        exact, turns = peer.exact(tokens, labels) if options.rows else None, rates[peer.name][1:]
        share = "–" if exact is None else f"{100 * exact / len(tokens):.1f}"
        print(f"| {peer.name} | {share} | {statistics.median(turns):.0f} | {max(turns):.0f} | {peer.bytes:,} |", flush=True)
    for name, why in missing:
        print(f"not run: {name}: {why}")


if __name__ == "__main__":
    main()

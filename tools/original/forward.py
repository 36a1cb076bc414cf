#!/usr/bin/env python3
"""The original HRM's forward pass in NumPy, written from its equations, in 64 bits.

It needs NumPy alone, and shares no code with this project or with the original: what both agree with is right.

    forward.py compare CHECKPOINT.safetensors all_config.yaml GOLDEN.safetensors
        answers the golden inputs with the checkpoint and prints the greatest differences
    forward.py answer CHECKPOINT.safetensors all_config.yaml INPUTS.safetensors OUT.safetensors
        writes the answers as a golden file
    forward.py invent OUT
        writes the golden files of hrm-host/tests/data/original: models whose weights follow from their names,
        so that the test can make the same ones
"""

import json
import math
import struct
import sys
from pathlib import Path

import numpy as np

WRAPPERS = {"_orig_mod", "model", "module", "inner"}
DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U32": "<u4", "U8": "<u1"}


def read_safetensors(path):
    """Every tensor of a file, by name."""
    data = Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(body[slice(*about["data_offsets"])], DTYPES[about["dtype"]]).reshape(about["shape"])
        for name, about in header.items()
    }


def write_safetensors(path, tensors):
    """Writes tensors by name."""
    names = {np.dtype(code): name for name, code in DTYPES.items()}
    header, body = {}, b""
    for name, tensor in tensors.items():
        raw = np.ascontiguousarray(tensor).tobytes()
        place = [len(body), len(body) + len(raw)]
        header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape), "data_offsets": place}
        body += raw
    text = json.dumps(header).encode()
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + body)


def read_config(path):
    """The section `arch` of a YAML file as the original writes it."""
    arch, inside = {}, False
    for line in Path(path).read_text().splitlines():
        if line and not line.startswith((" ", "#")):
            inside = line.startswith("arch:")
        elif inside and line.startswith("  ") and not line.startswith("   "):
            key, _, value = line.strip().partition(":")
            arch[key] = value.strip()
    numbers = ["H_cycles", "L_cycles", "H_layers", "L_layers", "hidden_size", "num_heads", "halt_max_steps"]
    return {key: int(arch[key]) for key in numbers + ["puzzle_emb_ndim"]} | {"pos_encodings": arch["pos_encodings"]}


def unwrapped(name):
    """A tensor's name without what wrapped its model."""
    parts = name.split(".")
    while parts[0] in WRAPPERS:
        parts.pop(0)
    return ".".join(parts)


class Model:
    """An HRM with the original's tensors."""

    def __init__(self, tensors, config):
        self.w = {unwrapped(name): tensor.astype(np.float64) for name, tensor in tensors.items()}
        self.config = config
        self.width, self.heads = config["hidden_size"], config["num_heads"]
        self.prefixes = -(-config["puzzle_emb_ndim"] // self.width)

    def answer(self, tokens, segments):
        """Scores (segments, puzzles, cells, vocabulary) and halting logits (segments, puzzles, 2)."""
        x = self.embed(tokens)
        z_h = np.broadcast_to(self.w["H_init"], x.shape)
        z_l = np.broadcast_to(self.w["L_init"], x.shape)
        logits, q = [], []
        for _ in range(segments):
            for _ in range(self.config["H_cycles"]):
                for _ in range(self.config["L_cycles"]):
                    z_l = self.level("L", z_l, z_h + x)
                z_h = self.level("H", z_h, z_l)
            logits.append(z_h[:, self.prefixes :] @ self.w["lm_head.weight"].T)
            q.append(z_h[:, 0] @ self.w["q_head.weight"].T + self.w["q_head.bias"])
        return np.stack(logits), np.stack(q)

    def embed(self, tokens):
        x = self.w["embed_tokens.embedding_weight"][tokens]
        if self.prefixes:
            puzzle = self.w["puzzle_emb.weights"][0]
            puzzle = np.pad(puzzle, (0, self.prefixes * self.width - len(puzzle)))
            puzzle = np.broadcast_to(puzzle.reshape(self.prefixes, -1), (len(x), self.prefixes, self.width))
            x = np.concatenate([puzzle, x], 1)
        if self.config["pos_encodings"] == "learned":
            x = 0.707106781 * (x + self.w["embed_pos.embedding_weight"])
        return math.sqrt(self.width) * x

    def level(self, which, state, injection):
        x = state + injection
        for layer in range(self.config[f"{which}_layers"]):
            part = lambda name: self.w[f"{which}_level.layers.{layer}.{name}.weight"]
            x = rms(x + self.attention(x, part("self_attn.qkv_proj")) @ part("self_attn.o_proj").T)
            gate, up = np.split(x @ part("mlp.gate_up_proj").T, 2, -1)
            x = rms(x + (gate / (1 + np.exp(-gate)) * up) @ part("mlp.down_proj").T)
        return x

    def attention(self, x, qkv):
        puzzles, length, _ = x.shape
        q, k, v = (x @ qkv.T).reshape(puzzles, length, 3, self.heads, -1).transpose(2, 0, 3, 1, 4)
        if self.config["pos_encodings"] == "rope":
            q, k = rotate(q), rotate(k)
        scores = q @ k.swapaxes(-1, -2) / math.sqrt(q.shape[-1])
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = weights / weights.sum(-1, keepdims=True) @ v
        return mixed.transpose(0, 2, 1, 3).reshape(puzzles, length, self.width)


def rms(x):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5)


def rotate(x):
    """Turns the pairs (x_i, x_{i + d/2}) by position * 10000^(-2 i / d)."""
    length, half = x.shape[-2], x.shape[-1] // 2
    angles = np.arange(length)[:, None] * 10000.0 ** (-np.arange(half) / half)
    low, high = x[..., :half], x[..., half:]
    cos, sin = np.cos(angles), np.sin(angles)
    return np.concatenate([low * cos - high * sin, high * cos + low * sin], -1)


def invented(name, shape, scale):
    """Values that follow from a name: splitmix64 started at the name's FNV-1a, 24 bits each, in [-scale, scale)."""
    mask = (1 << 64) - 1
    state = 0xCBF29CE484222325
    for byte in name.encode():
        state = (state ^ byte) * 0x100000001B3 & mask
    values = []
    for _ in range(math.prod(shape)):
        state = state + 0x9E3779B97F4A7C15 & mask
        z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & mask
        z = (z ^ z >> 27) * 0x94D049BB133111EB & mask
        values.append(((z ^ z >> 31) >> 40) / (1 << 23) - 1)
    return (np.array(values) * scale).astype(np.float32).reshape(shape)


def invented_tensors(config, vocabulary, cells):
    """All tensors of a model, each invented."""
    width, inner = config["hidden_size"], 256
    shapes = {
        "embed_tokens.embedding_weight": (vocabulary, width),
        "lm_head.weight": (vocabulary, width),
        "q_head.weight": (2, width),
        "q_head.bias": (2,),
        "H_init": (width,),
        "L_init": (width,),
    }
    if config["puzzle_emb_ndim"]:
        shapes["puzzle_emb.weights"] = (1, config["puzzle_emb_ndim"])
    if config["pos_encodings"] == "learned":
        shapes["embed_pos.embedding_weight"] = (cells + (config["puzzle_emb_ndim"] > 0), width)
    for level in "HL":
        for layer in range(config[f"{level}_layers"]):
            start = f"{level}_level.layers.{layer}"
            shapes[f"{start}.self_attn.qkv_proj.weight"] = (3 * width, width)
            shapes[f"{start}.self_attn.o_proj.weight"] = (width, width)
            shapes[f"{start}.mlp.gate_up_proj.weight"] = (2 * inner, width)
            shapes[f"{start}.mlp.down_proj.weight"] = (width, inner)
    scale = lambda shape: math.sqrt(3 / shape[-1]) if len(shape) > 1 else 1.0
    return {name: invented(name, shape, scale(shape)) for name, shape in shapes.items()}


# Two models that together have what the given one lacks: learned positions, a narrow puzzle embedding, levels of different depth,
# three L cycles, sixteen segments; and no puzzle position at a width that no pack takes.
MODELS = {
    "learned": dict(H_cycles=2, L_cycles=3, H_layers=1, L_layers=2, hidden_size=32, num_heads=2, halt_max_steps=16)
    | dict(puzzle_emb_ndim=24, pos_encodings="learned"),
    "bare": dict(H_cycles=1, L_cycles=2, H_layers=2, L_layers=1, hidden_size=40, num_heads=5, halt_max_steps=4)
    | dict(puzzle_emb_ndim=0, pos_encodings="rope"),
}
PUZZLES = ["1.....2..3.....4", "....12..........", "1234341221434321", "..3.4..........2"]


def invent(folder):
    tokens = np.array([[1 if c == "." else int(c) + 1 for c in puzzle] for puzzle in PUZZLES], np.int32)
    for name, config in MODELS.items():
        model = Model(invented_tensors(config, 6, 16), config)
        logits, q = model.answer(tokens, config["halt_max_steps"])
        golden = {"inputs": tokens, "logits": logits.astype(np.float32), "q": q.astype(np.float32)}
        write_safetensors(Path(folder) / f"{name}.safetensors", golden)
        arch = "".join(f"  {key}: {value}\n" for key, value in sorted(config.items()))
        text = f"arch:\n{arch}  expansion: 4.0\n  loss:\n    loss_type: stablemax_cross_entropy\n    name: losses@ACTLossHead\n"
        text += "  name: hrm.hrm_act_v1@HierarchicalReasoningModel_ACTV1\ndata_path: data/sudoku4\nlr: 1.0e-04\nseed: 3\n"
        (Path(folder) / f"{name}.yaml").write_text(text)


def main():
    match sys.argv[1:]:
        case ["compare", checkpoint, config, golden]:
            wanted = read_safetensors(golden)
            model = Model(read_safetensors(checkpoint), read_config(config))
            logits, q = model.answer(wanted["inputs"], len(wanted["logits"]))
            for segment, (a, b) in enumerate(zip(abs(logits - wanted["logits"]), abs(q - wanted["q"])), 1):
                print(f"segment {segment:2}: logits {a.max():.1e}, q {b.max():.1e}")
        case ["answer", checkpoint, config, inputs, out]:
            config = read_config(config)
            tokens = read_safetensors(inputs)["inputs"]
            logits, q = Model(read_safetensors(checkpoint), config).answer(tokens, config["halt_max_steps"])
            answers = {"inputs": tokens, "logits": logits.astype(np.float32), "q": q.astype(np.float32)}
            write_safetensors(out, answers)
        case ["invent", folder]:
            invent(folder)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()

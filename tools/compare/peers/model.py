"""A checkpoint of `hrm-host` as the tensors and the configuration of the original, and its forward pass for reference."""

import json
import math
import struct
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "original"))
import forward  # noqa: E402  tools/original: the forward pass written from the equations

# the names of a checkpoint's tensors, and those of the original
NAMES = {
    "embed.tokens": "embed_tokens.embedding_weight",
    "embed.positions": "embed_pos.embedding_weight",
    "init.h": "H_init",
    "init.l": "L_init",
    "lm_head": "lm_head.weight",
    "q_head.weight": "q_head.weight",
    "q_head.bias": "q_head.bias",
}
BLOCK = {
    "qkv": "self_attn.qkv_proj.weight",
    "out": "self_attn.o_proj.weight",
    "gate_up": "mlp.gate_up_proj.weight",
    "down": "mlp.down_proj.weight",
    "relation_bias": "self_attn.relation_bias",
}
LEVELS = {"level_h": "H", "level_l": "L", "level": "HL"}


class Model(forward.Model):
    """The original's model, with what ours adds to it: biases of the scores by what two cells have to do with each other."""

    def __init__(self, path):
        data = Path(path).read_bytes()
        header = json.loads(data[8 : 8 + struct.unpack("<Q", data[:8])[0]])
        own = json.loads(header["__metadata__"]["config"])["model"]
        tensors = {name: tensor for name, tensor in forward.read_safetensors(path).items() if name.startswith("param.")}
        tensors = {name.removeprefix("param."): tensor for name, tensor in tensors.items()}
        renamed = {NAMES[name]: tensor for name, tensor in tensors.items() if name in NAMES}
        renamed["puzzle_emb.weights"] = tensors["embed.prefix"]
        for name, tensor in tensors.items():
            level, *layer = name.split(".")
            for which in LEVELS.get(level, ""):
                renamed[f"{which}_level.layers.{layer[0]}.{BLOCK[layer[1]]}"] = tensor
        positions = next((kind for kind in ("learned", "rope") if kind in own["positions"]), "none")
        config = {f"{level}_{what}": own[f"{level.lower()}_{what}"] for level in "HL" for what in ("layers", "cycles")}
        config |= {"hidden_size": own["width"], "num_heads": own["heads"], "puzzle_emb_ndim": own["width"]}
        super().__init__(renamed, config | {"pos_encodings": positions})
        self.tensors, self.shared = renamed, own["shared_levels"]
        self.segments, self.vocabulary = own["segments"], len(renamed["embed_tokens.embedding_weight"])
        self.box = {"sudoku4": 2, "sudoku9": 3}[own["task"]]
        self.cells = self.box**4
        self.relation = relation_map(self.box) if "relation" in own["positions"] else None

    def segment(self, tokens, z_h, z_l):
        """One segment in 64 bits: scores, halting logits, both states."""
        x = self.embed(tokens)
        for _ in range(self.config["H_cycles"]):
            for _ in range(self.config["L_cycles"]):
                z_l = self.level("L", z_l, z_h + x)
            z_h = self.level("H", z_h, z_l)
        logits = z_h[:, 1:] @ self.w["lm_head.weight"].T
        return logits, z_h[:, 0] @ self.w["q_head.weight"].T + self.w["q_head.bias"], z_h, z_l

    def attention(self, x, qkv):
        """Attention of the layer whose weights are `qkv`, with its bias where it has one."""
        if self.relation is None:
            return super().attention(x, qkv)
        puzzles, length, _ = x.shape
        layer = next(name for name, tensor in self.w.items() if tensor is qkv)
        bias = self.w[layer.replace("qkv_proj.weight", "relation_bias")][:, self.relation]
        q, k, v = (x @ qkv.T).reshape(puzzles, length, 3, self.heads, -1).transpose(2, 0, 3, 1, 4)
        scores = q @ k.swapaxes(-1, -2) / math.sqrt(q.shape[-1]) + bias
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = weights / weights.sum(-1, keepdims=True) @ v
        return mixed.transpose(0, 2, 1, 3).reshape(puzzles, length, self.width)


def relation_map(box):
    """What position i sees in position j: bits for the same row, column and box; then three classes of the prefix's."""
    side, cell = box * box, np.arange(box**4)
    houses = cell // side, cell % side, cell // side // box * box + cell % side // box
    classes = np.full((side * side + 1,) * 2, 8)
    classes[1:, 0], classes[0, 0] = 9, 10
    classes[1:, 1:] = sum((house[:, None] == house) << bit for bit, house in enumerate(houses))
    return classes

"""One segment in PyTorch, written as its users would: `linear`, `scaled_dot_product_attention`, `rms_norm`."""

import math

import numpy as np
import torch
import torch.nn.functional as F


class Segment(torch.nn.Module):
    """`tokens`, `z_h`, `z_l` to `logits`, `q`, `next_h`, `next_l`, with the tensors of a `model.Model`."""

    def __init__(self, model):
        super().__init__()
        self.config, self.heads, self.shared = model.config, model.heads, model.shared
        self.weights = {}
        for name, tensor in model.tensors.items():
            self.keep(self.stored(name), tensor)
        length, half = model.cells + 1, model.width // model.heads // 2
        angles = np.arange(length)[:, None] * 10000.0 ** (-np.arange(half) / half)
        if model.config["pos_encodings"] == "rope":
            self.cos, self.sin = (
                torch.tensor(np.concatenate([table, table], -1), dtype=torch.float32) for table in (np.cos(angles), np.sin(angles))
            )
        self.bias = {}
        for name in model.tensors:
            if name.endswith("relation_bias"):
                bias = model.tensors[name][:, model.relation]
                self.bias[self.stored(name)] = torch.tensor(bias, dtype=torch.float32)[None]

    def stored(self, name):
        return name.replace("H_level", "L_level") if self.shared else name

    def keep(self, name, tensor):
        self.weights[name] = torch.tensor(tensor, dtype=torch.float32)

    def forward(self, tokens, z_h, z_l):
        w, width = self.weights, z_h.shape[-1]
        x = F.embedding(tokens, w["embed_tokens.embedding_weight"])
        x = torch.cat([w["puzzle_emb.weights"].expand(len(tokens), 1, width), x], 1)
        if self.config["pos_encodings"] == "learned":
            x = math.sqrt(0.5) * (x + w["embed_pos.embedding_weight"])
        x = math.sqrt(width) * x
        for _ in range(self.config["H_cycles"]):
            for _ in range(self.config["L_cycles"]):
                z_l = self.level("L", z_l + (z_h + x))
            z_h = self.level("H", z_h + z_l)
        q = F.linear(z_h[:, 0], w["q_head.weight"], w["q_head.bias"])
        return F.linear(z_h[:, 1:], w["lm_head.weight"]), q, z_h, z_l

    def level(self, which, x):
        for layer in range(self.config[f"{which}_layers"]):
            name = self.stored(f"{which}_level.layers.{layer}")
            x = self.rms(x + self.attention(name, x))
            gate, up = F.linear(x, self.weights[f"{name}.mlp.gate_up_proj.weight"]).chunk(2, -1)
            x = self.rms(x + F.linear(F.silu(gate) * up, self.weights[f"{name}.mlp.down_proj.weight"]))
        return x

    def attention(self, name, x):
        puzzles, length, width = x.shape
        qkv = F.linear(x, self.weights[f"{name}.self_attn.qkv_proj.weight"])
        q, k, v = qkv.view(puzzles, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        if self.config["pos_encodings"] == "rope":
            q, k = self.rotate(q), self.rotate(k)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=self.bias.get(f"{name}.self_attn.relation_bias"))
        mixed = mixed.transpose(1, 2).reshape(puzzles, length, width)
        return F.linear(mixed, self.weights[f"{name}.self_attn.o_proj.weight"])

    def rotate(self, x):
        low, high = x.chunk(2, -1)
        return x * self.cos + torch.cat([-high, low], -1) * self.sin

    def rms(self, x):
        return F.rms_norm(x, x.shape[-1:], eps=1e-5)

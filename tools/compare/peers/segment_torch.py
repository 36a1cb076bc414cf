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
        for name, tensor in model.tensors.items():
            if name.endswith("relation_bias"):
                tensor = tensor[None, :, model.relation]
            self.keep(name, tensor)
        length, half = model.cells + 1, model.width // model.heads // 2
        angles = np.arange(length)[:, None] * 10000.0 ** (-np.arange(half) / half)
        for name, table in (("cos", np.cos(angles)), ("sin", np.sin(angles))):
            self.keep(name, np.concatenate([table, table], -1))

    def stored(self, name):
        """A buffer's name, which holds no dots. Levels that share their weights store them once."""
        return (name.replace("H_level", "L_level") if self.shared else name).replace(".", "_")

    def keep(self, name, tensor):
        # in the order of its indices: ExecuTorch 1.5.1 refuses strides of 0, and computes wrongly with channels last
        self.register_buffer(self.stored(name), torch.tensor(np.array(tensor, np.float32, order="C")))

    def part(self, name):
        """A tensor of the model, or `None`."""
        return self._buffers.get(self.stored(name))

    def forward(self, tokens, z_h, z_l):
        width = z_h.shape[-1]
        x = F.embedding(tokens, self.part("embed_tokens.embedding_weight"))
        x = torch.cat([self.part("puzzle_emb.weights").expand(tokens.shape[0], 1, width), x], 1)
        if self.config["pos_encodings"] == "learned":
            x = math.sqrt(0.5) * (x + self.part("embed_pos.embedding_weight"))
        x = math.sqrt(width) * x
        for _ in range(self.config["H_cycles"]):
            for _ in range(self.config["L_cycles"]):
                z_l = self.level("L", z_l + (z_h + x))
            z_h = self.level("H", z_h + z_l)
        q = F.linear(z_h[:, 0], self.part("q_head.weight"), self.part("q_head.bias"))
        return F.linear(z_h[:, 1:], self.part("lm_head.weight")), q, z_h, z_l

    def level(self, which, x):
        for layer in range(self.config[f"{which}_layers"]):
            name = f"{which}_level.layers.{layer}"
            x = self.rms(x + self.attention(name, x))
            gate, up = self.halves(F.linear(x, self.part(f"{name}.mlp.gate_up_proj.weight")))
            x = self.rms(x + F.linear(F.silu(gate) * up, self.part(f"{name}.mlp.down_proj.weight")))
        return x

    def attention(self, name, x):
        puzzles, length, width = x.shape
        qkv = F.linear(x, self.part(f"{name}.self_attn.qkv_proj.weight"))
        q, k, v = qkv.view(puzzles, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        if self.config["pos_encodings"] == "rope":
            q, k = self.rotate(q), self.rotate(k)
        mixed = self.mix(q, k, v, self.part(f"{name}.self_attn.relation_bias"))
        mixed = mixed.transpose(1, 2).reshape(puzzles, length, width)
        return F.linear(mixed, self.part(f"{name}.self_attn.o_proj.weight"))

    def rotate(self, x):
        low, high = self.halves(x)
        return x * self.cos + torch.cat([-high, low], -1) * self.sin

    def mix(self, q, k, v, bias):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=bias)

    def halves(self, x):
        return x.chunk(2, -1)

    def rms(self, x):
        return F.rms_norm(x, x.shape[-1:], eps=1e-5)

#!/usr/bin/env python3
"""Sample-segments per second of the same HRM in PyTorch, for comparison with `--example throughput`.

    pip install torch
    python3 tools/compare/throughput.py --width 96 --heads 3 --inner 256 --batch 64 --threads 2 [--compile] [--cuda] [--precision bf16]

One segment forwards (cycles x cycles level calls, all but the last call of each level without gradients) and backwards.
"""
import argparse
import resource
import statistics
import time

import torch
import torch.nn.functional as F

CELLS, VOCAB, PREFIX_RELATIONS = 81, 11, 3


def relation_map():
    """Relation class of (query, key), prefix first: bit 0 row, bit 1 column, bit 2 box; then the prefix's three."""
    classes = torch.zeros(CELLS + 1, CELLS + 1, dtype=torch.long)
    classes[0, :], classes[:, 0], classes[0, 0] = 8, 9, 10
    for i in range(CELLS):
        for j in range(CELLS):
            row, column = i // 9 == j // 9, i % 9 == j % 9
            box = (i // 27, i % 9 // 3) == (j // 27, j % 9 // 3)
            classes[i + 1, j + 1] = row | column << 1 | box << 2
    return classes


class Block(torch.nn.Module):
    """`x = rms(x + attention(x)); x = rms(x + swiglu(x))`"""

    def __init__(self, width, heads, inner):
        super().__init__()
        self.heads = heads
        weight = lambda rows, columns: torch.nn.Parameter(torch.randn(rows, columns) / columns**0.5)
        self.qkv, self.out = weight(3 * width, width), weight(width, width)
        self.gate_up, self.down = weight(2 * inner, width), weight(width, inner)
        self.bias = torch.nn.Parameter(torch.zeros(heads, 8 + PREFIX_RELATIONS))

    def forward(self, x, relations):
        batch, sequence, width = x.shape
        qkv = F.linear(x, self.qkv).view(batch, sequence, 3, self.heads, -1)
        q, k, v = (part.transpose(1, 2) for part in qkv.unbind(2))
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=self.bias[:, relations].unsqueeze(0))
        mixed = mixed.transpose(1, 2).reshape(batch, sequence, width)
        x = F.rms_norm(x + F.linear(mixed, self.out), (width,), eps=1e-5)
        gate, up = F.linear(x, self.gate_up).chunk(2, -1)
        return F.rms_norm(x + F.linear(F.silu(gate) * up, self.down), (width,), eps=1e-5)


class Hrm(torch.nn.Module):
    """Levels that share their weights, as `configs/sudoku9-quick.toml` has them."""

    def __init__(self, options):
        super().__init__()
        self.cycles, self.width = options.cycles, options.width
        self.blocks = torch.nn.ModuleList(
            Block(options.width, options.heads, options.inner) for _ in range(options.layers))
        self.tokens = torch.nn.Embedding(VOCAB, options.width)
        self.prefix = torch.nn.Parameter(torch.zeros(1, 1, options.width))
        self.lm_head = torch.nn.Linear(options.width, VOCAB, bias=False)
        self.q_head = torch.nn.Linear(options.width, 1)
        self.register_buffer("relations", relation_map())

    def level(self, h, injection):
        x = h + injection
        for block in self.blocks:
            x = block(x, self.relations)
        return x

    def forward(self, z_h, z_l, tokens):
        x = torch.cat([self.prefix.expand(len(tokens), -1, -1), self.tokens(tokens)], 1) * self.width**0.5
        with torch.no_grad():
            for h_cycle in range(self.cycles):
                for l_cycle in range(self.cycles):
                    if (h_cycle, l_cycle) != (self.cycles - 1, self.cycles - 1):
                        z_l = self.level(z_l, z_h + x)
                if h_cycle + 1 < self.cycles:
                    z_h = self.level(z_h, z_l)
        z_l = self.level(z_l, z_h + x)
        z_h = self.level(z_h, z_l)
        return z_h.detach(), z_l.detach(), self.lm_head(z_h[:, 1:]), self.q_head(z_h[:, 0])


def main():
    parser = argparse.ArgumentParser()
    for name, default in dict(width=96, heads=3, inner=256, layers=2, cycles=2, batch=64, threads=2).items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--cuda", action="store_true")
    parser.add_argument("--precision", choices=["f32", "tf32", "bf16"], default="f32")
    options = parser.parse_args()
    device = "cuda" if options.cuda else "cpu"
    torch.set_num_threads(options.threads)
    torch.backends.cuda.matmul.allow_tf32 = options.precision == "tf32"
    torch.manual_seed(1)
    hrm = Hrm(options).to(device)
    step = torch.compile(hrm) if options.compile else hrm
    tokens = (torch.arange(options.batch * CELLS) * 7 % VOCAB).view(options.batch, CELLS).to(device)
    z_h = z_l = torch.randn(options.width).expand(options.batch, CELLS + 1, -1).contiguous().to(device)
    times = []
    for segment in range(1_000_000):
        if segment >= 6 and sum(times) >= options.seconds:
            break
        begin = time.perf_counter()
        with torch.autocast(device, torch.bfloat16, enabled=options.precision == "bf16"):
            z_h, z_l, logits, q = step(z_h, z_l, tokens)
        (logits.float().square().mean() + q.float().sum()).backward()
        hrm.zero_grad(set_to_none=False)
        if options.cuda:
            torch.cuda.synchronize()
        if segment >= 3:                            # the first ones allocate, and compile
            times.append(time.perf_counter() - begin)
    rate = lambda seconds: options.batch / seconds
    peak = torch.cuda.max_memory_allocated() / 2**20 if options.cuda else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"PyTorch {torch.__version__}{' compiled' if options.compile else ''} {options.precision} one-step width {options.width} "
          f"batch {options.batch} {device if options.cuda else f'threads {options.threads}'}: {rate(statistics.median(times)):.0f} sample-segments/s median, {rate(min(times)):.0f} best "
          f"({len(times)} segments), peak {peak:.0f} MiB")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""One model as programs of ExecuTorch's XNNPACK backend, in float and int8, for each number of puzzles at once.

    executorch_programs.py CHECKPOINT CALIBRATION FOLDER BATCH...

Takes minutes a program, so `peers.sh` runs this beside itself and before `peers.py`, which finds the files in FOLDER.
"""

import math
import sys
from pathlib import Path

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import XNNPACKQuantizer, get_symmetric_quantization_config
from executorch.backends.xnnpack.utils.configs import get_transform_passes, get_xnnpack_edge_compile_config
from executorch.exir import to_edge_transform_and_lower
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

sys.path.insert(0, str(Path(__file__).resolve().parent))
import runners  # noqa: E402
from model import Model  # noqa: E402
from segment_torch import Segment  # noqa: E402


class Lowered(Segment):
    """Attention and `chunk` in operators that XNNPACK takes. The scores' division goes into the queries' rows."""

    def __init__(self, model):
        super().__init__(model)
        for name, tensor in self.named_buffers():
            if name.endswith("qkv_proj_weight"):
                tensor[: model.width] /= math.sqrt(model.width // model.heads)

    def mix(self, q, k, v, bias):
        scores = q @ k.transpose(-1, -2)
        return torch.softmax(scores if bias is None else scores + bias, -1) @ v

    def halves(self, x):
        half = x.shape[-1] // 2
        return x[..., :half], x[..., half:]


def exported(module, inputs, **options):
    with torch.no_grad():
        return torch.export.export(module, inputs, **options)


def quantized(model, quantizer, tokens, **options):
    """The graph with what `quantizer` puts into it, calibrated as the other static graphs are."""
    calibration = [runners.tensors(inputs) for inputs in runners.feedback(model, tokens)]
    graph = exported(Lowered(model), calibration[0], **options)
    with torch.no_grad():
        graph = prepare_pt2e(graph.module(check_guards=False), quantizer)
        for inputs in calibration:
            graph(*inputs)
        return convert_pt2e(graph)


def xnnpack(module, inputs):
    """A program whose operators XNNPACK runs where it has them."""
    edge = to_edge_transform_and_lower(
        exported(module, inputs),
        transform_passes=get_transform_passes(),
        partitioner=[XnnpackPartitioner()],
        compile_config=get_xnnpack_edge_compile_config(),
    )
    return edge.to_executorch()


def main():
    model, tokens, folder = Model(sys.argv[1]), runners.puzzles(sys.argv[2], 16)[0], Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    quantizer = XNNPACKQuantizer().set_global(get_symmetric_quantization_config(is_per_channel=True))
    any_number = {0: torch.export.Dim("puzzles", max=len(tokens))}
    modules = {"float": Lowered(model), "int8": quantized(model, quantizer, tokens, dynamic_shapes=(any_number,) * 3)}
    for kind, module in modules.items():
        for batch in map(int, sys.argv[4:]):
            inputs = runners.tensors((tokens[:batch], *runners.initial(model, batch)))
            (folder / f"executorch-{kind}-{batch}.pte").write_bytes(xnnpack(module, inputs).buffer)


if __name__ == "__main__":
    main()

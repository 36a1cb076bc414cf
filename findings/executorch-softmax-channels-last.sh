#!/bin/sh
# executorch 1.5.1, torch 2.15.0. (4 GB, as torch's wheel for Linux brings CUDA.)
#
# Guess, written down first: what a graph computes does not depend on the strides of a constant. A bias of attention scores that
# was made by a permutation gives the same program, or the same answers, as its contiguous copy.
#
# Seen: through XNNPACK `softmax(x + bias, -1)` gives other numbers, without a word, where the bias lies in memory as channels-last
# tensors do (`permute(0, 3, 1, 2)`, as an index table gives it: `table[:, relation]` of NumPy). Eager PyTorch and the exported
# program are right; so are the sum alone and other permutations, and the portable kernels refuse to run. What the delegate gives
# is softmax over the channels, the last axis in memory. Around it: `contiguous()` before export.
#
# Fails where that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet torch==2.15.0 executorch==1.5.1
cd "$folder"
cat > try.py <<'PYTHON'
import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge_transform_and_lower
from executorch.extension.pybindings import portable_lib


class Module(torch.nn.Module):
    def __init__(self, bias, soft):
        super().__init__()
        self.register_buffer("bias", bias)
        self.soft = soft

    def forward(self, x):
        x = x + self.bias
        return torch.softmax(x, -1) if self.soft else x


def difference(bias, soft, partitioners):
    """Of the program's answer from eager PyTorch's and from softmax over the channels; `None` if it does not run."""
    module, inputs = Module(bias, soft).eval(), (torch.randn(2, 3, 5, 5),)
    program = torch.export.export(module, inputs)
    wanted = module(*inputs)
    assert torch.allclose(program.module()(*inputs), wanted, atol=1e-6)
    edge = to_edge_transform_and_lower(program, partitioner=partitioners)
    with open("program.pte", "wb") as file:
        file.write(edge.to_executorch().buffer)
    try:
        got = portable_lib._load_for_executorch("program.pte").forward(inputs)[0]
    except RuntimeError:
        return None
    channels = torch.softmax(inputs[0] + bias, 1)
    return float((got - wanted).abs().max()), float((got - channels).abs().max())


torch.manual_seed(0)
permuted = torch.randn(1, 5, 5, 3).permute(0, 3, 1, 2)
swapped = torch.randn(1, 5, 3, 5).transpose(1, 2)
xnnpack = [XnnpackPartitioner()]
for name, bias, soft, partitioners, wrong in (
    ("softmax, channels last", permuted, True, xnnpack, True),
    ("softmax, contiguous", permuted.contiguous(), True, xnnpack, False),
    ("softmax, another permutation", swapped, True, xnnpack, False),
    ("sum alone, channels last", permuted, False, xnnpack, False),
):
    with torch.no_grad():
        away, from_channels = difference(bias, soft, partitioners)
    print(f"{name}: {away:.1e} from eager, {from_channels:.1e} from softmax over the channels")
    assert (away > 0.1) == wrong and (away < 1e-6) != wrong
assert difference(permuted, True, []) is None and difference(permuted.contiguous(), True, [])[0] < 1e-6
print("the portable kernels refuse channels last, as seen")
PYTHON
"$folder/python/bin/python" try.py

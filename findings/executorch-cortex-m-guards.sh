#!/bin/sh
# executorch 1.5.1, torch 2.15.0, tosa-tools 2026.5.0. (6 GB, as torch's wheel for Linux brings CUDA.)
#
# Guess, written down first: a graph for a Cortex-M is quantized as one for XNNPACK is, by another quantizer and nothing else:
# `prepare_pt2e(torch.export.export(module, inputs).module(), quantizer)`, with what `pip install executorch` brings.
#
# Seen:
#   * the Cortex-M backend does not import: it wants `tosa_serializer`, of a package that only the extras for other processors
#     (`ethos-u`, `vgf`) ask for, at a version that wants numpy below 2.2. Installed with `--no-deps` it works with numpy 2.4.6.
#   * `prepare_pt2e` ends in "call_module is not supported" for every module, as `module()` puts a call of its guards into the graph.
#     XNNPACK's quantizer takes such a graph. Around it: `module(check_guards=False)`.
#
# Fails where that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet numpy==2.4.6 torch==2.15.0 executorch==1.5.1
cd "$folder"
cat > try.py <<'PYTHON'
import sys

import torch
from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import XNNPACKQuantizer, get_symmetric_quantization_config
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

installed = sys.argv[1] == "installed"
try:
    from executorch.backends.cortex_m.quantizer.quantizer import CortexMQuantizer
except ModuleNotFoundError as error:
    print(f"Cortex-M: {error}")
    assert error.name == "tosa_serializer" and not installed
    sys.exit()
assert installed


def answer(quantizer, **options):
    module, inputs = torch.nn.Linear(8, 4).eval(), (torch.randn(2, 8),)
    graph = torch.export.export(module, inputs).module(**options)
    try:
        graph = prepare_pt2e(graph, quantizer)
    except Exception as error:
        return " ".join(str(error).split())[:60]
    graph(*inputs)
    away = (convert_pt2e(graph)(*inputs) - module(*inputs)).abs().max()
    return "runs" if away < 0.1 else f"differs by {away:.1e}"


torch.manual_seed(0)
xnnpack = XNNPACKQuantizer().set_global(get_symmetric_quantization_config(is_per_channel=True))
for name, quantizer, options, wanted in (
    ("XNNPACK", xnnpack, {}, "runs"),
    ("Cortex-M", CortexMQuantizer(), {}, "call_module is not supported"),
    ("Cortex-M", CortexMQuantizer(), {"check_guards": False}, "runs"),
):
    with torch.no_grad():
        got = answer(quantizer, **options)
    print(name, options, got)
    assert wanted in got
print("as seen")
PYTHON
"$folder/python/bin/python" try.py bare
"$folder/python/bin/pip" install --quiet --no-deps tosa-tools==2026.5.0
"$folder/python/bin/python" try.py installed

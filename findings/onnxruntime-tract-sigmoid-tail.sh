#!/bin/sh
# onnxruntime 1.32.0, tract 0.23.9 (its Python package), onnx 1.23.2, on the CPU.
#
# Guess, written down first: both peers' Sigmoid is right to a few units in the last place, so that
# its logarithm is right, too.
#
# Seen: both are right to about 5e-7 in all, not in proportion. Below -11.6 they are 1 % off, below
# -13.8 10 %, and then
#   * onnxruntime's Sigmoid(-20) is 0 and its logarithm minus infinity; -17 gives more than -16;
#   * tract's ends at 4.5e-7 however far down, so its logarithm ends at -14.6, and at 20 it is
#     0.9999995.
# No optimization does that: onnxruntime's are off here. Softplus is right there in both.
# A halting head whose answer is a probability is such a use: a threshold such as 1e-6 or a product
# of chances differs between peers, and one minus infinity makes a sum of losses useless. Around it:
# compare logits, or take -Softplus(-x) for the logarithm.
#
# Fails where that changes. Numbers may differ a little on other processors; what is asked for is
# rougher.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 tract==0.23.9
cd "$folder"
cat > try.py <<'PYTHON'
from importlib.metadata import version

import numpy as np
import onnxruntime as ort
import tract
from onnx import TensorProto, checker, helper, save

x = np.array([-5, -12, -14, -16, -17, -20, -40, 20], np.float32)


def save_graph(*operators):
    """A chain of operators of one input."""
    names = ["x", *(f"inner{at}" for at in range(1, len(operators))), "y"]
    nodes = [
        helper.make_node(name, [names[at]], [names[at + 1]]) for at, name in enumerate(operators)
    ]
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, x.shape)
    made = helper.make_model(
        helper.make_graph(nodes, "g", [value("x")], [value("y")]),
        opset_imports=[helper.make_opsetid("", 21)],
        ir_version=10,
    )
    checker.check_model(made, full_check=True)
    save(made, "model.onnx")


def onnxruntime(*operators):
    save_graph(*operators)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession("model.onnx", options, providers=["CPUExecutionProvider"]).run(
        None, {"x": x}
    )[0]


def tracts(*operators):
    save_graph(*operators)
    return tract.onnx().load("model.onnx").into_model().into_runnable().run([x])[0].to_numpy()


print(*(f"{name} {version(name)}" for name in ("onnxruntime", "tract", "onnx")), sep=", ")
right = 1 / (1 + np.exp(-x.astype(np.float64)))
print("x", x.tolist())
print("right", [f"{value:.3g}" for value in right])
for peer in (onnxruntime, tracts):
    sigmoid, log = peer("Sigmoid"), peer("Sigmoid", "Log")
    around = -peer("Neg", "Softplus")
    print(
        peer.__name__,
        "Sigmoid",
        [f"{value:.7g}" for value in sigmoid],
        "its Log",
        [f"{value:.4g}" for value in log],
    )
    print("  -Softplus(-x)", [f"{value:.4g}" for value in around])
    error = np.abs(sigmoid - right) / right
    assert np.abs(sigmoid - right).max() < 1e-6 and error[0] < 1e-4
    assert (error[5:7] > 0.5).all(), "the tail is right now"
    assert np.allclose(around, np.log(right), rtol=1e-5, atol=1e-6)
assert onnxruntime("Sigmoid", "Log")[5] == -np.inf and tracts("Sigmoid", "Log")[6] > -20
print("as seen")
PYTHON
"$folder/python/bin/python" try.py

#!/bin/sh
# onnx 1.23.2, onnxruntime 1.32.0 on the CPU, numpy 2.4.6.
#
# Guess, written down first: what `onnx.version_converter.convert_version` converts answers as
# before, up or down, and what it cannot convert raises. Its documentation says the second.
#
# Seen: it raises often, but not where an operator kept its attributes and changed their meaning.
#   * Softmax and LogSoftmax from opset 13 to 12 keep their axis. Up to opset 12 they go over all
#     axes from that one on, together. So only softmax over the last axis stays what it was. One
#     over the channels of an image, as segmentation ends with, becomes one over all channels and
#     pixels: 64 pixels share a sum of 1. From 12 to 13 Flatten and Reshape are put around it, and
#     all is right.
#   * Hardmax from opset 12 to 13 keeps its axis, too. It marks one cell of each row, where it
#     marked one of all cells.
#   * A linear Resize from opset 10 to 11, also one that was an Upsample, takes pixels at their
#     middles, where it took their corners (onnx's issue 8480).
# The adapter downward was made for softmax over the last axis (onnx's pull request 6608). Shapes,
# sums and signs still look well, and the checker takes the files. Runtimes for small devices often
# ask for opset 12 or less, or for a newer one than a file has, and this is the tool for it.
# Around it: put Transpose before and after such a Softmax, so that it goes over the last axis; set
# Resize's `coordinate_transformation_mode` to "asymmetric" afterwards; compare answers.
#
# Fails where that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
cd "$folder"
cat > try.py <<'PYTHON'
from importlib.metadata import version

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, version_converter
from onnxruntime import InferenceSession

random = np.random.default_rng(0)
image = random.normal(size=(2, 3, 8, 8)).astype(np.float32)
node = helper.make_node


def model(opset, operator, constants=(), out=image.shape, **attributes):
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(
        [node(operator, ["x", *dict(constants)], ["y"], **attributes)],
        "g",
        [value("x", image.shape)],
        [value("y", out)],
        [numpy_helper.from_array(one, name) for name, one in dict(constants).items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    checker.check_model(made, full_check=True)
    return made


def run(made):
    session = InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": image})[0]


def convert(made, opset):
    """The converted file's answer, and its operators."""
    made = version_converter.convert_version(made, opset)
    checker.check_model(made, full_check=True)
    assert [one.version for one in made.opset_import] == [opset]
    return run(made), [one.op_type for one in made.graph.node]


def softmax(axes):
    values = np.exp(image.astype(float))
    return values / values.sum(axes, keepdims=True)


def near(one, other):
    return np.allclose(one, other, atol=1e-5)


print(*(f"{name} {version(name)}" for name in ("onnx", "onnxruntime", "numpy")), sep=", ")
for axis in (1, 2, 3, -1, -3):
    whole = tuple(range(axis % 4, 4))
    for operator, function in (("Softmax", lambda x: x), ("LogSoftmax", np.log)):
        one, all_from = function(softmax(axis)), function(softmax(whole))
        new, old = model(13, operator, axis=axis), model(12, operator, axis=axis)
        assert near(run(new), one) and near(run(old), all_from)
        down, up = convert(new, 12), convert(old, 13)
        kept = near(down[0], one)
        print(f"{operator}, axis {axis}: down {'kept' if kept else 'changed'}, up right, {up[1]}")
        assert kept == (len(whole) == 1) and near(down[0], all_from) and down[1] == [operator]
        assert near(up[0], all_from) and ("Flatten" in up[1]) == (len(whole) > 1)

new = model(13, "Softmax", axis=1)
before, after = (answer.sum(1)[0] for answer in (run(new), convert(new, 12)[0]))
print(f"softmax over channels, the sum of a pixel: {before.min():.3f} to {before.max():.3f},")
print(f"  after conversion {after.min():.3f} to {after.max():.3f}; of all {after.sum():.3f}")
assert near(before, 1) and after.max() < 0.2 and near(after.sum(), 1)

old = model(12, "Hardmax", axis=1)
before, (after, operators) = run(old), convert(old, 13)
print(f"Hardmax, axis 1: {before.sum():.0f} cells marked, after {after.sum():.0f}, {operators}")
rows = (answer.reshape(len(image), -1).argmax(1) for answer in (before, image))
assert before.sum() == len(image) and (next(rows) == next(rows)).all()
assert after.sum() == image.size / 3 and operators == ["Hardmax"]

constants = {"scales": np.array([1, 1, 2, 2], np.float32)}
wide = (2, 3, 16, 16)
for mode in ("nearest", "linear"):
    for opset, operator in ((10, "Resize"), (9, "Upsample")):
        made = model(opset, operator, constants, wide, mode=mode)
        before, (after, operators) = run(made), convert(made, 11)
        assert near(before[:, :, ::2, ::2], image)
        off = np.abs(before - after).max()
        print(f"{operator}, {mode}, opset {opset} to 11: differs by {off:.2f} at most, {operators}")
        assert off == 0 if mode == "nearest" else off > 0.5
print("as seen")
PYTHON
"$folder/python/bin/python" try.py > output 2> errors || { cat output errors; exit 1; }
cat output

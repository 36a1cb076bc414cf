#!/bin/sh
# tract 0.23.9 (its Python package), onnxruntime 1.32.0, onnx 1.23.2.
#
# Guess, written down first: DequantizeLinear, Softmax, QuantizeLinear of one scale per tensor is
# computed as written, or with integers within two steps of that, whatever the axis and the length.
#
# Seen: between a DequantizeLinear and a QuantizeLinear of 8 bits
#   * Softmax along an axis other than the first is 1 everywhere, whatever the numbers; LogSoftmax
#     is 0;
#   * Softmax along the first axis divides by the sum over all 256 values that a byte can have,
#     instead of the sum of the values that are there: a column of 1, 2, 3, 4 becomes zeros;
#   * with one of the two quantizations away, or an Add of a constant between, all is right, and so
#     are scales per channel.
# No error or warning comes. In tract's source (core/src/ops/quant.rs and ops/nn/softmax/mod.rs in
# the package's 0.23.9 archive) the chain becomes a table of 256 bytes: its operators are run
# on the vector 0 to 255 if each maps axes as an elementwise operator does. Softmax says it does.
#
# `quantize_static` of onnxruntime writes such a chain for an attention like the one below, also if
# Softmax is left out, as its neighbours are quantized: every token gets the sum of all values, not
# its own mean, cut off where the calibration ended. Around it: leave out Softmax and also the
# operator that makes the scores.
#
# Fails where that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 tract==0.23.9
cd "$folder"
cat > try.py <<'PYTHON'
import logging
from importlib.metadata import version

import numpy as np
import onnxruntime as ort
import tract
from onnx import TensorProto, checker, helper, numpy_helper, save
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

SCALE, STEP = np.float32(0.05), np.float32(1 / 64)
logging.getLogger().setLevel(logging.ERROR)


def write(path, nodes, x, constants=()):
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, x.shape)
    named = dict(constants).items()
    held = [numpy_helper.from_array(np.array(number), name) for name, number in named]
    made = helper.make_model(
        helper.make_graph(nodes, "g", [value("x")], [value("y")], held),
        opset_imports=[helper.make_opsetid("", 21)],
        ir_version=10,
    )
    checker.check_model(made, full_check=True)
    save(made, path)


def answers(path, x):
    """What onnxruntime says, without its optimizations, and what tract says."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    runnable = tract.onnx().load(path).into_model().into_runnable()
    return session.run(None, {"x": x})[0], runnable.run([x])[0].to_numpy()


def chain(x, *operators, before=True, after=True, zero=0):
    """A pair of quantization and its opposite, the operators, another pair."""
    nodes, at = [], "x"

    def add(operator, *more, **attributes):
        nonlocal at
        name = f"inner{len(nodes)}"
        nodes.append(helper.make_node(operator, [at, *more], [name], **attributes))
        at = name

    if before:
        add("QuantizeLinear", "scale", "zero")
        add("DequantizeLinear", "scale", "zero")
    for operator, attributes in operators:
        add(operator, *(["one"] if operator == "Add" else []), **attributes)
    if after:
        add("QuantizeLinear", "step", "zero_after")
        add("DequantizeLinear", "step", "zero_after")
    nodes.append(helper.make_node("Identity", [at], ["y"]))
    constants = dict(scale=SCALE, zero=np.uint8(0), step=STEP, zero_after=np.uint8(zero))
    ones = dict(one=np.ones(x.shape, np.float32))
    used = {name for node in nodes for name in node.input}
    kept = {name: number for name, number in (constants | ones).items() if name in used}
    write("chain.onnx", nodes, x, kept)
    return answers("chain.onnx", x)


def show(what, pair):
    for name, answer in zip(("onnxruntime", "tract"), pair):
        print(f"{what}: {name} {[round(float(number), 3) for number in answer.flat]}")
    return pair


print(*(f"{name} {version(name)}" for name in ("tract", "onnxruntime", "onnx")), sep=", ")
row = np.array([[1, 2, 3, 4]], np.float32)
softmax = lambda axis: ("Softmax", dict(axis=axis))
right, got = show("Softmax of a row", chain(row, softmax(1)))
assert np.allclose(right, [[0.03, 0.09, 0.24, 0.64]], atol=STEP) and (got == 1).all()
right, got = show("LogSoftmax of a row", chain(row, ("LogSoftmax", dict(axis=1)), zero=255))
assert np.allclose(right, [[-3.44, -2.44, -1.44, -0.44]], atol=STEP) and (got == 0).all()
right, got = show("Softmax of a column", chain(row.T, softmax(0)))
assert np.allclose(right.T, [[0.03, 0.09, 0.24, 0.64]], atol=STEP) and (got == 0).all()
high = np.array([[12.65], [12.7], [12.75]], np.float32)
right, got = show("of a high column", chain(high, softmax(0)))
every = np.exp(SCALE * np.arange(256, dtype=np.float64))
assert np.allclose(right, 1 / 3, atol=2 * STEP)
assert np.allclose(got, np.exp(high) / every.sum(), atol=0.51 * STEP), "another sum"
for what, pair in (
    ("not quantized before", chain(row, softmax(1), before=False)),
    ("not quantized after", chain(row, softmax(1), after=False)),
    ("an Add between", chain(row, ("Add", {}), softmax(1))),
):
    right, got = show(what, pair)
    assert np.allclose(right, got, atol=1e-5)

# scales per channel
table = np.array([[1, 1, 1], [4, 4, 4]], np.int8)
scales = dict(w=table, s=np.array([0.5, 2, 10], np.float32), z=np.array([0, 1, -1], np.int8))
zeros = np.zeros((2, 3), np.float32)
parts = [
    helper.make_node("DequantizeLinear", ["w", "s", "z"], ["d"], axis=1),
    helper.make_node("Add", ["x", "d"], ["y"]),
]
write("channels.onnx", parts, zeros, scales)
right, got = show("scales per channel", answers("channels.onnx", zeros))
assert (right == got).all() and (got == [[0.5, 0, 20], [2, 6, 50]]).all()


# what the quantizer makes of an attention
class Reader(CalibrationDataReader):
    def __init__(self):
        self.left = [{"x": tokens}]

    def get_next(self):
        return self.left.pop(0) if self.left else None


tokens = np.random.default_rng(0).random((1, 5, 8), np.float32)
attention = [
    helper.make_node("Transpose", ["x"], ["t"], name="turn", perm=[0, 2, 1]),
    helper.make_node("MatMul", ["x", "t"], ["scores"], name="score"),
    helper.make_node("Softmax", ["scores"], ["shares"], name="share", axis=-1),
    helper.make_node("MatMul", ["shares", "x"], ["y"], name="mix"),
]
write("float.onnx", attention, tokens)
exact = answers("float.onnx", tokens)[0]
kinds = dict(activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
for left_out in ([], ["share"], ["share", "score"]):
    kinds["nodes_to_exclude"] = left_out
    quantize_static("float.onnx", "int8.onnx", Reader(), quant_format=QuantFormat.QDQ, **kinds)
    right, got = answers("int8.onnx", tokens)
    errors = [float(abs(answer - exact).max()) for answer in (right, got)]
    print("quantized without", left_out, "off by {:.3f} and {:.3f}".format(*errors))
    wrong = "score" not in left_out
    assert errors[0] < 0.02 and (errors[1] > 0.2 if wrong else errors[1] < 0.02)
    assert wrong == (got == got[:, :1]).all()
print("as seen")
PYTHON
"$folder/python/bin/python" try.py

#!/bin/sh
# onnxruntime 1.32.0, tract 0.23.9 (its Python package), onnx 1.23.2, numpy 2.4.6, on a
# little-endian machine.
#
# Guess, written down first: an input array of NumPy whose bytes are in the other order (`>f4`) is
# converted, or refused.
#
# Seen: both peers take its bytes as they lie, without a word: twice 1.0 is 9.2e-41, and twice the
# token 1 is 2 to the 57th. Arrays that are transposed, reversed or of every second value come out
# right, so layout is looked after; ONNX's own reference evaluator refuses the same array.
# `numpy.load` keeps the order that a file has, and files of the IDX format (MNIST's) are in that
# order, too, so a peer would answer nonsense that looks like a bad model. Around it:
# `x.astype(x.dtype.newbyteorder("="))`; `numpy.ascontiguousarray` does not do it.
#
# Fails where that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 tract==0.23.9
cd "$folder"
cat > try.py <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import onnxruntime as ort
import tract
from onnx import TensorProto, checker, helper, load, save
from onnx.reference import ReferenceEvaluator

assert sys.byteorder == "little"


def save_graph(kind):
    """Twice the input."""
    value = lambda name: helper.make_tensor_value_info(name, kind, [2, 3])
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["y"])], "g", [value("x")], [value("y")]
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    checker.check_model(made, full_check=True)
    save(made, "model.onnx")


def onnxruntime(x):
    return ort.InferenceSession("model.onnx", providers=["CPUExecutionProvider"]).run(
        None, {"x": x}
    )[0]


def tracts(x):
    return tract.onnx().load("model.onnx").into_model().into_runnable().run([x])[0].to_numpy()


def reference(x):
    try:
        return ReferenceEvaluator(load("model.onnx")).run(None, {"x": x})[0]
    except Exception as error:
        return f"{type(error).__name__}: {error}"


print(*(f"{name} {version(name)}" for name in ("onnxruntime", "tract", "onnx", "numpy")), sep=", ")
for kind, code in ((TensorProto.FLOAT, "f4"), (TensorProto.INT64, "i8")):
    save_graph(kind)
    plain = np.arange(6).reshape(2, 3).astype("<" + code)
    np.save("big.npy", plain.astype(">" + code))
    big = np.load("big.npy")
    assert big.dtype.str == ">" + code and (big == plain).all()
    layouts = {
        "transposed": np.ascontiguousarray(plain.T).T,
        "reversed": plain[:, ::-1].copy()[:, ::-1],
        "every second": np.repeat(plain, 2, axis=1)[:, ::2],
    }
    assert not any(layout.flags.c_contiguous for layout in layouts.values())
    for peer in (onnxruntime, tracts):
        assert all((peer(layout) == 2 * plain).all() for layout in layouts.values())
        got = peer(big)
        print(code, peer.__name__, "twice", plain[0].tolist(), "is", got[0].tolist())
        assert (got == 2 * plain.view(big.dtype).astype("<" + code)).all() and not (
            got == 2 * plain
        ).all()
        assert (peer(np.ascontiguousarray(big)) == got).all()
        assert (peer(big.astype(big.dtype.newbyteorder("="))) == 2 * plain).all()
    got = reference(big)
    print(code, "reference evaluator:", got)
    assert "mismatch" in got and (reference(plain) == 2 * plain).all()
print("as seen")
PYTHON
"$folder/python/bin/python" try.py

#!/bin/sh
# tract 0.23.9 (its Python package), onnxruntime 1.32.0, onnx 1.23.2.
#
# Guess, written down first: a Cast to INT64 gives what onnxruntime gives, and a graph whose output
# it is can be read; at most a Cast of floats that is itself the output could be a special case.
#
# Seen: what Cast makes of any numbers for INT64 is another type inside, that of symbolic sizes
# (onnx/src/ops/cast.rs in the package's 0.23.9 archive; its pull request 2266 says that it is meant
# for shapes). All other numbers get it as well:
#   * as an output it cannot be read ("Unsupported DatumType in the public API TDim"), whatever the
#     input was, INT64 too, and also after an Add or a Reshape; ArgMax alone can be read;
#   * cast on to floats, it has passed through 32 bits: an INT64 of 2^32 cast to INT64, where there
#     is nothing to do, becomes 0, and a float of 1e12 becomes 2^31 - 1;
#   * Mod has the sign of the dividend (-7 mod 3 is -1, not 2), which Mod of a plain INT64 has not.
# No error or warning comes with the wrong numbers, and exported files often cast indices to INT64.
# Around it: leave such a Cast out where the numbers are INT64, or cast to INT32.
#
# Fails where that changes.
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
from onnx import TensorProto, checker, helper, numpy_helper, save

LONG, FLOAT, DOUBLE = TensorProto.INT64, TensorProto.FLOAT, TensorProto.DOUBLE


def answers(x, output, *operators):
    """A chain of operators, each with its constants and attributes, in onnxruntime and in tract."""
    nodes, held = [], []
    for at, (operator, constants, attributes) in enumerate(operators):
        names = [f"constant{at}"] if constants is not None else []
        held += [numpy_helper.from_array(np.array(constants), name) for name in names]
        made = "y" if at + 1 == len(operators) else f"inner{at + 1}"
        nodes.append(
            helper.make_node(operator, [f"inner{at}" if at else "x", *names], [made], **attributes)
        )
    value = lambda name, kind: helper.make_tensor_value_info(name, kind, x.shape)
    ends = value("x", helper.np_dtype_to_tensor_dtype(x.dtype)), value("y", output)
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    checker.check_model(model, full_check=True)
    save(model, "model.onnx")
    session = ort.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
    right = session.run(None, {"x": x})[0].tolist()
    outputs = tract.onnx().load("model.onnx").into_model().into_runnable().run([x])
    try:
        got = outputs[0].to_numpy().tolist()
    except Exception as error:
        got = " ".join(str(error).split())[:51]
    print(*(operator for operator, _, _ in operators), x.tolist(), x.dtype, right, got)
    return right, got


def cast(kind):
    return "Cast", None, dict(to=kind)


print(*(f"{name} {version(name)}" for name in ("tract", "onnxruntime", "onnx")), sep=", ")
unread = "Unsupported DatumType in the public API TDim Stack"
for kind in (np.float32, np.int32, np.int64):
    right, got = answers(np.array([-2, 0, 3], kind), LONG, cast(LONG))
    assert right == [-2, 0, 3] and got.startswith(unread)
whole = np.array([-7, 7], np.int64)
for more in (("Add", np.int64(1), {}), ("Reshape", np.array([2]), {})):
    assert answers(whole, LONG, cast(LONG), more)[1].startswith(unread)
    right, got = answers(whole, LONG, more)
    assert right == got
right, got = answers(np.array([[1, 3, 2]], np.float32)[:, :1], LONG, ("ArgMax", None, dict(axis=1)))
assert right == got

large = np.array([2**31 - 1, 2**31, 2**32, -(2**40)])
right, got = answers(large, DOUBLE, cast(LONG), cast(DOUBLE))
assert right == large.tolist() and got == [2**31 - 1, -(2**31), 0, 0]
right, got = answers(large, DOUBLE, cast(DOUBLE))
assert right == got == large.tolist()
right, got = answers(np.array([5, 1e12, -1e12]), DOUBLE, cast(LONG), cast(DOUBLE))
assert right == [5, 1e12, -1e12] and got == [5, 2**31 - 1, -(2**31)]

right, got = answers(large[:1], TensorProto.INT32, cast(TensorProto.INT32))
assert right == got == [2**31 - 1]

mod = "Mod", np.int64(3), {}
right, got = answers(whole, FLOAT, cast(LONG), mod, cast(FLOAT))
assert right == [2, 1] and got == [-1, 1]
right, got = answers(whole, FLOAT, mod, cast(FLOAT))
assert right == got == [2, 1]
print("as seen")
PYTHON
"$folder/python/bin/python" try.py

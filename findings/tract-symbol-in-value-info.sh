#!/bin/sh
# tract 0.23.9 (its Python package), onnx 1.23.2.
#
# Guess, written down first: `set_input_fact` with a batch size decides what the symbol "N" of an ONNX graph's input is, so that a
# graph whose inner values also say "N", as shape inference leaves them, is analysed with that size.
#
# Seen: without shapes of inner values, the graph runs, also with "N" in the output's shape. With them (`value_info`),
# `into_model` ends in "Impossible to unify Sym(N) with Val(2)". Left symbolic, without `set_input_fact`, it runs.
# onnxruntime's `quant_pre_process` and its quantizers write such shapes. Around it: clear `value_info`, or set the size in the file.
#
# Fails where that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet numpy==2.4.6 onnx==1.23.2 tract==0.23.9
cd "$folder"
cat > try.py <<'PYTHON'
import numpy as np
import tract
from onnx import TensorProto, checker, helper, numpy_helper, save


def model(inner):
    value = lambda name, kind, *shape: helper.make_tensor_value_info(name, kind, shape)
    nodes = [helper.make_node("Gather", ["table", "tokens"], ["rows"]), helper.make_node("Relu", ["rows"], ["y"])]
    graph = helper.make_graph(
        nodes,
        "g",
        [value("tokens", TensorProto.INT64, "N", 3)],
        [value("y", TensorProto.FLOAT, "N", 3, 4)],
        [numpy_helper.from_array(np.eye(4, dtype=np.float32), "table")],
        value_info=[value("rows", TensorProto.FLOAT, "N", 3, 4)] if inner else [],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    checker.check_model(made, full_check=True)
    return made


def answer(inner, fact):
    save(model(inner), "model.onnx")
    graph = tract.onnx().load("model.onnx")
    if fact:
        graph.set_input_fact(0, fact)
    try:
        output = graph.into_model().into_runnable().run([np.zeros((2, 3), np.int64)])[0].to_numpy()
        return f"runs: {output.shape}"
    except Exception as error:
        return " ".join(str(error).split())[:250]


for inner in (False, True):
    for fact in ("2,3,i64", None):
        got = answer(inner, fact)
        print("inner shapes" if inner else "no inner shapes", fact, got)
        refused = inner and fact is not None
        assert ("Impossible to unify Sym(N) with Val(2)" in got) == refused and (got == "runs: (2, 3, 4)") != refused
print("as seen")
PYTHON
"$folder/python/bin/python" try.py

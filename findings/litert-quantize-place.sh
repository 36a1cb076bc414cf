#!/bin/sh
# ai-edge-litert 2.3.0 (LiteRT, once TensorFlow Lite), tflite-micro 0.dev20261023182759 (TensorFlow
# Lite for Microcontrollers), numpy 2.4.6, on x86-64.
#
# Guess, written down first: QUANTIZE makes the same int8 of one number with all kernels that read
# the file, at exact halves, too. That the number's place could matter did not come to mind.
#
# Seen: with LiteRT's optimized kernels (the delegate switched off), the place decides. Of 81 times
# 0.5 at scale 1, the first 80 become 0 and the last becomes 1; of 7 times, all become 1. Whole
# groups of eight are rounded to even, the rest away from zero. With the default delegate all are
# rounded to even; with the reference kernels, and by the interpreter for microcontrollers, all
# away from zero.
# Numbers on a grid, such as tokens at a scale of 2, are often halves: the desk and the board then
# differ at every second half, and the last cell of a 9x9 puzzle may differ from the other 80 for
# its place alone. Around it: quantize outside the graph, so that the file takes int8; or compare
# with the kernels that the board has.
#
# Fails where that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet numpy==2.4.6 flatbuffers==25.12.19 \
    ai-edge-litert==2.3.0 tflite-micro==0.dev20261023182759
cd "$folder"
cat > try.py <<'PYTHON'
from importlib.metadata import version

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from tflite_micro.python.tflite_micro import runtime


def save_graph(length):
    """A file of one operator: float32 to int8 at scale 1, zero point 0."""

    def tensor(name, kind, scale):
        made = schema.TensorT()
        made.name, made.type, made.shape, made.buffer = name, kind, [length], 0
        if scale:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale, made.quantization.zeroPoint = [scale], [0]
        return made

    code, operator = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.QUANTIZE
    code.version = 1
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [0], [1]
    graph, model = schema.SubGraphT(), schema.ModelT()
    graph.tensors = [
        tensor("x", schema.TensorType.FLOAT32, None),
        tensor("y", schema.TensorType.INT8, 1.0),
    ]
    graph.inputs, graph.outputs, graph.operators = [0], [1], [operator]
    model.version, model.operatorCodes, model.subgraphs = 3, [code], [graph]
    model.buffers = [schema.BufferT()]
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def litert(file, x, kernels):
    interpreter = Interpreter(model_content=file, experimental_op_resolver_type=kernels)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def micro(file, x):
    interpreter = runtime.Interpreter.from_bytes(file)
    interpreter.set_input(x, 0)
    interpreter.invoke()
    return interpreter.get_output(0)


packages = ("ai-edge-litert", "tflite-micro", "numpy")
print(*(f"{name} {version(name)}" for name in packages), sep=", ")
even = lambda value: int(np.round(value))
away = lambda value: int(np.sign(value) * np.floor(abs(value) + 0.5))
for length in (7, 8, 81):
    for value in (0.5, 2.5, -0.5, 0.6):
        file, x = save_graph(length), np.full(length, value, np.float32)
        got = {
            "default": litert(file, x, OpResolverType.BUILTIN),
            "optimized": litert(file, x, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES),
            "reference": litert(file, x, OpResolverType.BUILTIN_REF),
            "micro": micro(file, x),
        }
        counts = {
            name: dict(zip(*(part.tolist() for part in np.unique(made, return_counts=True))))
            for name, made in got.items()
        }
        print(f"{length} times {value}: how often which int8", counts)
        whole = length // 8 * 8
        assert (got["default"] == even(value)).all()
        assert (got["optimized"][:whole] == even(value)).all()
        assert (got["optimized"][whole:] == away(value)).all()
        assert (got["reference"] == away(value)).all() and (got["micro"] == away(value)).all()
print("as seen")
PYTHON
"$folder/python/bin/python" try.py 2> errors || { cat errors; exit 1; }

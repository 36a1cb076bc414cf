#!/bin/sh
# microflow 0.1.3 with microflow-macros 0.1.1 (Rust, runs TensorFlow Lite files on
# microcontrollers), ai-edge-litert 2.3.0 (LiteRT, once TensorFlow Lite), numpy 2.4.6.
#
# Guess, written down first: Softmax, which the crate lists as supported, is within two steps of
# LiteRT's, for several rows and for large logits, too.
#
# Seen: one row of small logits is right. But
#   * all rows are divided by one sum. Two equal rows get half of each probability, and of the rows
#     (0, 1, 2) and (4, 5, 6) the first is nearly nothing. TensorFlow Lite's Softmax is along the
#     last axis. The crate's own test has two rows, and wants the numbers of one sum.
#   * the exponentials are taken as they are, not of the distance to the largest logit. Where a
#     logit is above 88, or all are below -104, the sum is infinite or 0, and 0 is what int8 gets.
#     In the scale that TensorFlow Lite gives probabilities this means 0.5: the class with a logit
#     of 100 has it, instead of 1; of logits that are all below, every class has it. (A logit is
#     here the int8 times its scale; the zero point is left out.)
# No error or warning comes. A model that answers for several cells at once, as one for Sudoku does,
# is of the first kind; one whose logits grew large in training is of the second. Around it: end the
# file at the logits; the largest of a row is the answer all the same.
#
# Fails where that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet numpy==2.4.6 flatbuffers==25.12.19 ai-edge-litert==2.3.0
mkdir "$folder/src"
cd "$folder"
cat > Cargo.toml <<'TOML'
[package]
name = "try"
version = "0.0.0"
edition = "2024"

[dependencies]
microflow = "=0.1.3"
microflow-macros = "=0.1.1"

[profile.dev]
debug = false
TOML
cat > make.py <<'PYTHON'
"""Writes a file for each case, its answers by LiteRT, and the Rust program that runs microflow."""

from importlib.metadata import version
from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType


def file(shape, scale):
    """One Softmax: int8 logits of that scale to int8 probabilities."""

    def tensor(name, scale, zero):
        made = schema.TensorT()
        made.name, made.type, made.shape, made.buffer = name, schema.TensorType.INT8, list(shape), 0
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale, made.quantization.zeroPoint = [scale], [zero]
        return made

    code, operator = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.SOFTMAX
    code.version = 2
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [0], [1]
    operator.builtinOptionsType = schema.BuiltinOptions.SoftmaxOptions
    operator.builtinOptions = schema.SoftmaxOptionsT()
    operator.builtinOptions.beta = 1.0
    graph, model = schema.SubGraphT(), schema.ModelT()
    graph.tensors = [tensor("x", scale, 0), tensor("y", 1 / 256, -128)]
    graph.inputs, graph.outputs, graph.operators = [0], [1], [operator]
    model.version, model.operatorCodes, model.subgraphs = 3, [code], [graph]
    model.buffers = [schema.BufferT()]
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def litert(content, x, kernels):
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=kernels)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


# The logits, their scale, and what microflow answers where that is not LiteRT's.
cases = [
    ([[0, 1, 2]], 0.125, None),
    ([[-80, 87, 86]], 1.0, None),
    ([[0, 1, 2], [0, 1, 2]], 0.125, "half of it"),
    ([[0, 1, 2], [4, 5, 6]], 0.125, "one sum"),
    ([[0, 100, 3]], 1.0, [[0, 0.5, 0]]),
    ([[-110, -120, -105]], 1.0, [[0.5, 0.5, 0.5]]),
]
models, calls = [], []
for at, (logits, scale, seen) in enumerate(cases):
    logits = np.array(logits, np.float32)
    content = file(logits.shape, scale)
    x = np.round(logits / scale).astype(np.int8)
    y = (litert(content, x, OpResolverType.BUILTIN_REF).astype(np.float32) + 128) / 256
    assert (y == (litert(content, x, OpResolverType.BUILTIN).astype(np.float32) + 128) / 256).all()
    exponentials = np.exp((logits - logits.max()).astype(np.float64))
    right = exponentials / exponentials.sum(1, keepdims=True)
    assert np.abs(y - right).max() < 0.01
    seen = {"half of it": right / 2, "one sum": exponentials / exponentials.sum()}.get(
        str(seen), right if seen is None else np.array(seen)
    )
    Path(f"model{at}.tflite").write_bytes(content)
    models.append(f'#[model("model{at}.tflite")]\nstruct Model{at};')
    flat = lambda array: array.ravel().tolist()
    calls.append(
        f"    show::<{logits.shape[0]}>"
        f"(&{flat(logits)}, &{flat(y)}, &{flat(seen)}, Model{at}::predict);"
    )
Path("src/calls.rs").write_text("fn run() {\n" + "\n".join(calls) + "\n}\n" + "\n".join(models))
print(*(f"{name} {version(name)}" for name in ("ai-edge-litert", "numpy")), sep=", ")
PYTHON
cat > src/main.rs <<'RUST'
use microflow::buffer::Buffer2D;
use microflow::model;

include!("calls.rs");

fn show<const ROWS: usize>(
    logits: &[f32],
    litert: &[f64],
    seen: &[f64],
    predict: impl Fn(Buffer2D<f32, ROWS, 3>) -> Buffer2D<f32, ROWS, 3>,
) {
    let made = predict(Buffer2D::from_fn(|row, column| logits[row * 3 + column]));
    let made: Vec<f64> = (0..ROWS * 3).map(|at| made[(at / 3, at % 3)] as f64).collect();
    let text = |numbers: &[f64]| format!("{numbers:.2?}");
    println!(
        "{ROWS} row(s) of {logits:?}: LiteRT {}, microflow {}",
        text(litert),
        text(&made)
    );
    assert!(made.iter().zip(seen).all(|(made, seen)| (made - seen).abs() < 0.01), "not as seen");
}

fn main() {
    run();
    println!("as seen");
}
RUST
"$folder/python/bin/python" make.py 2> errors || { cat errors; exit 1; }
CARGO_TARGET_DIR="$folder/target" cargo run --quiet
grep -A 1 '^name = "microflow' Cargo.lock

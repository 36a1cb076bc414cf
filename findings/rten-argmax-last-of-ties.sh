#!/bin/sh
# rten 0.27.0 (Rust, runs ONNX files), on the CPU; onnx 1.23.2, numpy 2.4.6.
#
# Guess, written down first: of a valid ONNX file, what rten runs is right, and what it does not
# support ends in an error.
#
# Seen: ArgMax and ArgMin give the last of equal values. The specification says the first, unless
# `select_last_index` is 1; that is just what rten refuses as unsupported. TopK gives the first of
# equal values, as it should, so that ArgMax and TopK of one row disagree. And Sign(0.) is 1; of
# whole numbers it is 0, as it should be. The crate's documentation says that some operators take
# fewer types, and its comment on ArgMax speaks of NaN; neither speaks of ties. Ties are rare among
# float logits, but common among quantized ones, where two classes often share the largest step. A
# token or a halting decision then differs from NumPy's or onnxruntime's with no number wrong.
# Rust's `max_by` gives the last, so other Rust code may have it, too. Around it: TopK with k = 1,
# or take the largest outside the graph.
#
# Fails where that changes. Builds rten, without optimization.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet numpy==2.4.6 onnx==1.23.2
mkdir "$folder/src"
cd "$folder"
cat > Cargo.toml <<'TOML'
[package]
name = "try"
version = "0.0.0"
edition = "2024"

[dependencies]
rten = "=0.27.0"
rten-tensor = "=0.27.0"

[profile.dev]
debug = false
TOML
cat > make.py <<'PYTHON'
"""Writes a valid file for each operator, and prints what ONNX's own evaluator answers."""

from importlib.metadata import version

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save
from onnx.reference import ReferenceEvaluator

logits = np.array([[3, 7, 7, 1, 7], [0, -2, 5, -2, 5]])


def write(name, operator, kind, x, right, **attributes):
    """`right` is what NumPy says."""
    outputs = ["values", "y"] if operator == "TopK" else ["y"]
    inputs = ["x", "k"] if operator == "TopK" else ["x"]
    value = lambda name, kind: helper.make_tensor_value_info(name, kind, [None] * x.ndim)
    graph = helper.make_graph(
        [helper.make_node(operator, inputs, outputs, **attributes)],
        "g",
        [helper.make_tensor_value_info("x", kind, x.shape)],
        [value("y", kind if operator == "Sign" else TensorProto.INT64)],
        [numpy_helper.from_array(np.array([1]), "k")] if operator == "TopK" else [],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    checker.check_model(made, full_check=True)
    save(made, f"{name}.onnx")
    answer = ReferenceEvaluator(made).run(None, {"x": x})[0]
    print(f"{name}: should be {answer.ravel().tolist()}")
    assert (answer == right).all()


FLOAT, INT32 = TensorProto.FLOAT, TensorProto.INT32
print(*(f"{name} {version(name)}" for name in ("onnx", "numpy")), sep=", ")
for kind, x in ((FLOAT, logits.astype(np.float32)), (INT32, logits.astype(np.int32))):
    short = "float" if kind == FLOAT else "int32"
    first = x.argmax(1, keepdims=True)
    write(f"argmax_{short}", "ArgMax", kind, x, first, axis=-1)
    write(f"argmin_{short}", "ArgMin", kind, x, x.argmin(1, keepdims=True), axis=-1)
    write(f"topk_{short}", "TopK", kind, x, first, axis=-1)
    last = x.shape[1] - 1 - x[:, ::-1].argmax(1, keepdims=True)
    write(f"last_{short}", "ArgMax", kind, x, last, axis=-1, select_last_index=1)
    signs = np.array([[-3, 0, 2]], x.dtype)
    write(f"sign_{short}", "Sign", kind, signs, np.sign(signs))
PYTHON
cat > src/main.rs <<'RUST'
use rten::{Model, Value};
use rten_tensor::{Tensor, prelude::*};

/// What rten answers, or that it does not load the file.
fn answer(name: &str, shape: [usize; 2], x: &[i32]) -> Result<Vec<f32>, String> {
    let model = Model::load_file(format!("{name}.onnx")).map_err(|error| error.to_string())?;
    let x = if name.ends_with("float") {
        Value::from(Tensor::from_data(&shape, x.iter().map(|&x| x as f32).collect::<Vec<_>>()))
    } else {
        Value::from(Tensor::from_data(&shape, x.to_vec()))
    };
    let (input, output) = (model.node_id("x").unwrap(), model.node_id("y").unwrap());
    let made = model.run_n(vec![(input, x.into())], [output], None);
    let [made] = made.map_err(|error| error.to_string())?;
    Ok(match made {
        Value::FloatTensor(made) => made.iter().copied().collect(),
        Value::Int32Tensor(made) => made.iter().map(|&value| value as f32).collect(),
        _ => panic!("another type"),
    })
}

fn main() {
    let logits = [3, 7, 7, 1, 7, 0, -2, 5, -2, 5];
    for (kind, zero) in [("float", 1.), ("int32", 0.)] {
        for (operator, shape, x, seen) in [
            ("argmax", [2, 5], &logits[..], &[4., 4.][..]),
            ("argmin", [2, 5], &logits[..], &[3., 3.]),
            ("topk", [2, 5], &logits[..], &[1., 2.]),
            ("sign", [1, 3], &[-3, 0, 2], &[-1., zero, 1.]),
        ] {
            let name = format!("{operator}_{kind}");
            let made = answer(&name, shape, x).unwrap();
            println!("{name}: rten {made:?}");
            assert!(made == seen, "not as seen");
        }
        let refused = answer(&format!("last_{kind}"), [2, 5], &logits).unwrap_err();
        println!("last_{kind}: rten refuses: {refused}");
        assert!(refused.contains("select_last_index"));
    }
    println!("as seen");
}
RUST
"$folder/python/bin/python" make.py
CARGO_TARGET_DIR="$folder/target" cargo run --quiet
grep -A 1 '^name = "rten"' Cargo.lock

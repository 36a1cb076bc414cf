#!/usr/bin/env python3
"""One model through ExecuTorch's Cortex-M backend (CMSIS-NN): its accuracy, what stays float, and the memory that it needs.

    cortex_m.py CHECKPOINT PUZZLES CALIBRATION

Nothing runs on a board. The program for one puzzle is made and counted, and PyTorch runs the quantized graph for its accuracy.
"""

import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import peers  # noqa: E402
import runners  # noqa: E402
from executorch.backends.cortex_m.edge_compile_config import cortex_m_edge_compile_config  # noqa: E402
from executorch.backends.cortex_m.passes.cortex_m_pass_manager import CortexMPassManager  # noqa: E402
from executorch.backends.cortex_m.quantizer.quantizer import CortexMQuantizer  # noqa: E402
from executorch.backends.cortex_m.target_config import CortexM, CortexMTargetConfig  # noqa: E402
from executorch.exir import to_edge  # noqa: E402
from model import Model  # noqa: E402
from executorch_programs import exported, quantized  # noqa: E402

EVALUE, TENSOR = 16, 32  # bytes of ExecuTorch's EValue and TensorImpl where a pointer has 32 bits, by their headers


class Simulated:
    """The quantized graph in PyTorch."""

    bytes = 0

    def __init__(self, graph):
        self.graph = graph

    def run(self, *inputs):
        return [output.detach().numpy() for output in self.graph(*runners.tensors(inputs))]


def lowered(graph, inputs):
    """A program for a Cortex-M4, and how often it calls which operator."""
    edge = to_edge(exported(graph, inputs), compile_config=cortex_m_edge_compile_config())
    passes = CortexMPassManager(edge.exported_program(), target_config=CortexMTargetConfig(cpu=CortexM.M4))
    edge._edge_programs["forward"] = passes.transform()
    program = edge.to_executorch()
    plan = program.executorch_program.execution_plan[0]
    calls = [instruction.instr_args for instruction in plan.chains[0].instructions]
    return program, plan, Counter(plan.operators[call.op_index].name for call in calls if hasattr(call, "op_index"))


def main():
    model = Model(sys.argv[1])
    puzzles, labels = runners.puzzles(sys.argv[2], None)
    tokens, _ = runners.puzzles(sys.argv[3], 16)
    inputs = runners.tensors((tokens[:1], *runners.initial(model, 1)))
    program, plan, operators = lowered(quantized(model, CortexMQuantizer(), tokens[:1]), inputs)
    print(f"Cortex-M, {peers.versions()}")
    for name, count in operators.most_common():
        print(f"{count:5} {name}")
    tensors = sum(type(value.val).__name__ == "Tensor" for value in plan.values)
    tables = EVALUE * len(plan.values) + TENSOR * tensors
    print(f"a program of {len(program.buffer):,} bytes, {sum(operators.values()):,} calls")
    print(f"RAM: {sum(plan.non_const_buffer_sizes):,} bytes for what is in tensors, {tables:,} for tables of {len(plan.values):,} values")
    exact = peers.Peer("Cortex-M", model, Simulated(quantized(model, CortexMQuantizer(), tokens)), len(tokens)).exact(puzzles, labels)
    print(f"exact, simulated: {exact} of {len(puzzles)}", flush=True)


if __name__ == "__main__":
    main()

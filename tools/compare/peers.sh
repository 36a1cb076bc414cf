#!/bin/sh
# Two models through what one would pick instead (peers/peers.py), in a clone:
#
#     tools/compare/peers.sh HRM_HOST STEP_FILE [OPTION...]
#
# HRM_HOST is the program, STEP_FILE a checkpoint of the original PyTorch code for 4x4 Sudoku with its all_config.yaml beside it.
# Options go to peers.py (--turns 7). The peers are installed in a temporary folder at the versions of peers/requirements.txt.
# PYTORCH=1 adds PyTorch and ExecuTorch (requirements-torch.txt), which are 6 GB on Linux, as PyTorch's wheel brings CUDA. ExecuTorch takes
# minutes to make a program.
set -eu
host=$(realpath "$1") step=$(realpath "$2")
shift 2
here=$(realpath "$(dirname "$0")")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --requirement "$here/peers/requirements.txt"
if [ -n "${PYTORCH:-}" ]; then
    "$folder/python/bin/pip" install --quiet --requirement "$here/peers/requirements-torch.txt"
    # what ExecuTorch's Cortex-M backend imports; it would take onnx's numpy away
    "$folder/python/bin/pip" install --quiet --no-deps --requirement "$here/peers/requirements-cortex-m.txt"
fi
python=$folder/python/bin/python
cd "$folder"

# 4x4: the first 100 puzzles of each number of givens
for givens in 4 5 6 7 8; do
    "$host" data generate --task sudoku4 --givens $givens --count 500 --seed 7 --out givens.csv --force
    [ $givens != 4 ] || head -1 givens.csv > puzzles4.csv
    sed -n 2,101p givens.csv >> puzzles4.csv
done
"$host" data generate --task sudoku4 --givens 5 --count 1000 --seed 9 --out calibration4.csv
"$host" import "$step" --out run4
for lanes in 16 8; do
    "$host" export run4 --data calibration4.csv --rows 0 --lanes $lanes --out sudoku4-$lanes.hrm
done

# 9x9: a run of no steps is the float model of a pack
"$host" data generate --task sudoku9 --count 100 --seed 100 --out puzzles9.csv
"$host" data generate --task sudoku9 --count 32 --seed 101 --out calibration9.csv
packs=$here/../../models
"$host" train --from "$packs/sudoku9-mcu.hrm" --data calibration9.csv --set data.validation=0 --set data.validation_from= \
    --max-steps 0 --out run9

if [ -n "${PYTORCH:-}" ]; then
    "$python" "$here/peers/executorch_programs.py" run4/step-*.safetensors calibration4.csv graphs4 16 1 &
    other=$!
    "$python" "$here/peers/executorch_programs.py" run9/step-*.safetensors calibration9.csv graphs9 16 1
    wait $other
fi
"$python" "$here/peers/peers.py" run4/step-*.safetensors puzzles4.csv calibration4.csv \
    --program "$host" --pack sudoku4-16.hrm --pack sudoku4-8.hrm --folder graphs4 "$@"
"$python" "$here/peers/peers.py" run9/step-*.safetensors puzzles9.csv calibration9.csv \
    --program "$host" --pack "$packs/sudoku9-mcu.hrm" --pack "$packs/sudoku9-mcu-i8.hrm" --folder graphs9 "$@"

[ -z "${PYTORCH:-}" ] || for side in 4 9; do
    "$python" "$here/peers/cortex_m.py" run$side/step-*.safetensors puzzles$side.csv calibration$side.csv
done

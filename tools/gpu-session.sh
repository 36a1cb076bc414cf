#!/bin/bash
# What one wants of a borrowed GPU, in three commands, in the folder that tools/build-cuda.sh makes:
#
#   session.sh check OUT                      does it compute the right thing, and how fast (about two minutes)
#   session.sh train OUT MINUTES [OPTIONS]    a training run that ends with its time
#   session.sh compare OUT                    how fast beside PyTorch, where Python has it
#
# OUT gets logs, metrics, and of the run its pack and a checkpoint of one row, which `train --from` goes on from. OPTIONS are
# train's; without --config it is configs/sudoku9-plus.toml, without --data data/train.csv.gz. DECAY (0.6) is the share of the
# training over which the rate falls. Nothing that fails keeps the rest from being done. DEVICE=cpu tries the script itself.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
usage() { sed -n '2,12p' "$0"; exit 2; }
[ $# -ge 2 ] || usage
mode=$1 out=$2
shift 2
device=${DEVICE:-cuda}
mkdir -p "$out"
log=$out/$mode.log
scratch=$(mktemp -d)                                # full checkpoints are large: they stay here
trap 'rm -rf "$scratch"' EXIT
shape=(--cuda --batch 768 --width 128 --heads 4 --inner 352 --seconds 3)
wide=(--cuda --batch 768 --width 192 --heads 6 --inner 512 --seconds 3)
config=$here/configs/sudoku9-plus.toml data=$here/data/train.csv.gz

try() {                                             # try SECONDS COMMAND...
  local limit=$1
  shift
  timeout -k 5 "$limit" "$@" 2>&1 || echo "failed ($?): $*"
}

check() {
  nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2> /dev/null
  # The same first steps on both devices, in f32.
  local first=(train --config "$config" --data "$data" --set train.batch=64 --set train.precision=f32 --set train.steps=20
    --set train.log_steps=1 --set train.eval_steps=0 --set train.eval_rows=1)
  first_steps() { try 100 "$here/run.sh" "${first[@]}" --device "$1" --out "$2" | grep -v "^step\|^saved"; }
  first_steps cpu "$scratch/first-cpu"
  first_steps "$device" "$scratch/first-other"
  python3 - "$scratch/first-cpu" "$scratch/first-other" <<'PYTHON'
import json, pathlib, sys
read = lambda run: [event for line in open(pathlib.Path(run) / "metrics.jsonl") if (event := json.loads(line))["event"] == "train"]
a, b = map(read, sys.argv[1:3])
apart = lambda key: max(abs(x[key] - y[key]) / abs(x[key]) for x, y in zip(a, b))
print(f"{len(a)} first steps on both: losses {a[0]['loss']:.6f} to {a[-1]['loss']:.6f} and {b[0]['loss']:.6f} to {b[-1]['loss']:.6f}; "
      f"largest relative difference of a loss {apart('loss'):.1e}, of a gradient's norm {apart('gradient_norm'):.1e}")
PYTHON
  if [ "$device" != cuda ]; then
    PROGRAM=throughput try 60 "$here/run.sh" --batch 16 --seconds 2
    return
  fi
  for backend in kernels composite; do
    PROGRAM=throughput try 40 "$here/run.sh" --backend $backend --precision bf16 "${shape[@]}"
  done
  PROGRAM=throughput try 40 "$here/run.sh" --precision bf16 --gradient full "${shape[@]}"
  PROGRAM=throughput try 40 "$here/run.sh" --precision bf16 --gradient full "${wide[@]}"
  PROGRAM=throughput try 40 "$here/run.sh" --precision tf32 --gradient full "${wide[@]}"
  # The whole of a training step, optimizer and draws included.
  try 60 "$here/run.sh" train --config "$config" --data "$data" --device cuda --out "$scratch/steps" --max-steps 150 \
    --set train.eval_steps=0 --set train.eval_rows=1 "${options[@]}"
}

compare() {
  for precision in f32 tf32 bf16; do
    PROGRAM=throughput try 40 "$here/run.sh" --precision $precision "${shape[@]}"
  done
  PROGRAM=throughput try 40 "$here/run.sh" --backend composite --precision tf32 "${shape[@]}"
  for precision in tf32 bf16; do
    try 40 python3 "$here/throughput.py" --precision $precision "${shape[@]}"
    try 90 python3 "$here/throughput.py" --precision $precision --compile "${shape[@]}"
  done
}

train() {
  local begin=$SECONDS total=$((minutes * 60)) reserve=45
  left() { echo $((total - reserve - (SECONDS - begin))); }
  share() { python3 -c "print(max(0.05, $1))"; }
  local common=(train --data "$data" --device "$device" --out "$scratch/run")
  "$here/run.sh" "${common[@]}" --config "$config" --max-minutes "$(share "$(left) / 60 * (1 - ${DECAY:-0.6})")" "${options[@]}" 2>&1
  cp "$scratch/run/metrics.jsonl" "$out/"
  local steps
  steps=$(python3 - "$scratch/run" "$(left)" <<'PYTHON'
import json, pathlib, sys
last = [event for line in open(pathlib.Path(sys.argv[1]) / "metrics.jsonl") if (event := json.loads(line))["event"] == "train"][-20:]
per_second = last[-1]["rate"] * last[-1]["step"] / last[-1]["samples"]
print(max(1, int(0.93 * (float(sys.argv[2]) - 15) * per_second)))
PYTHON
  )
  "$here/run.sh" "${common[@]}" --resume --finish-in "$steps" --max-minutes "$(share "$(left) / 60")" 2>&1
  cp "$scratch/run/metrics.jsonl" "$out/"
  try 60 "$here/run.sh" export "$scratch/run" --rows 0 --force --out "$out/last.hrm"
  try 60 "$here/run.sh" train --from "$scratch/run" --data "$data" --out "$scratch/small" --max-steps 1 --set train.batch=1 \
    --set train.lr=1e-12 --set train.ema=0 --set train.eval_steps=0 --set train.eval_rows=1
  cp "$scratch"/small/step-*.safetensors "$out/"
  echo "done after $((SECONDS - begin)) seconds"
}

case $mode in
  check | compare) ;;
  train) [ $# -ge 1 ] || usage; minutes=$1; shift ;;
  *) usage ;;
esac
options=()
while [ $# -gt 0 ]; do
  case $1 in
    --config) config=$2; shift 2 ;;
    --data) data=$2; shift 2 ;;
    *) options+=("$1"); shift ;;
  esac
done
"$mode" 2>&1 | tee "$log"

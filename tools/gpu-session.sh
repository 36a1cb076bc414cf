#!/bin/bash
# What one wants of a borrowed GPU, in one command: what it computes, how fast, and a training run that ends with its time.
#
#   session.sh OUT MINUTES [--config FILE] [--data FILE] [train's options]
#
# in the folder that tools/build-cuda.sh makes. OUT gets agreement.txt (the first steps on the GPU against the same on the CPU),
# throughput.txt (the kernels, candle's operations and, where Python has it, PyTorch), the run's metrics and the packs of its
# last checkpoints. MINUTES is for all of it; the last quarter of the training lets the rate fall. DEVICE=cpu tries the script
# itself without a GPU.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 2 ] || { sed -n '2,10p' "$0"; exit 2; }
out=$1 minutes=$2
shift 2
device=${DEVICE:-cuda}
config=$here/configs/sudoku9-plus.toml data=$here/data/train.csv.gz options=()
while [ $# -gt 0 ]; do
  case $1 in
    --config) config=$2; shift 2 ;;
    --data) data=$2; shift 2 ;;
    *) options+=("$1"); shift ;;
  esac
done
mkdir -p "$out"
run=$here/run-$$                                    # checkpoints are large: what is brought back are metrics and packs
begin=$SECONDS
left() { echo $((minutes * 60 - (SECONDS - begin))); }

# 1. The same first steps on both, in f32: their losses, and the largest relative difference.
steps=(train --config "$config" --data "$data" --set train.batch=64 --set train.precision=f32 --set train.steps=20 --set train.log_steps=1
       --set train.eval_steps=0)
first() { "$here/run.sh" "${steps[@]}" --device "$1" --out "$run-$2" > "$out/$2.log" 2>&1 || { cat "$out/$2.log"; exit 1; }; }
first cpu first-cpu
first "$device" first-other
grep -h "kernels\|warning" "$out/first-other.log" > "$out/agreement.txt" || true
python3 - "$run-first-cpu" "$run-first-other" >> "$out/agreement.txt" <<'PYTHON'
import json, pathlib, sys
read = lambda run: [event["loss"] for line in open(pathlib.Path(run) / "metrics.jsonl")
                    if (event := json.loads(line))["event"] == "train"]
cpu, gpu = map(read, sys.argv[1:])
print(f"{len(cpu)} first steps, losses on the CPU {cpu[0]:.6f} to {cpu[-1]:.6f}, on the other {gpu[0]:.6f} to {gpu[-1]:.6f}; "
      f"largest relative difference {max(abs(a - b) / a for a, b in zip(cpu, gpu)):.2e}")
PYTHON
cat "$out/agreement.txt"
rm -rf "$run"-first-*

# 2. Sample-segments per second.
shape=(--width 128 --heads 4 --inner 352 --seconds "${SECONDS_EACH:-4}")
if [ "$device" = cuda ]; then
  for backend in kernels composite; do
    for precision in f32 tf32 bf16; do
      PROGRAM=throughput "$here/run.sh" --cuda --backend $backend --precision $precision --batch 768 "${shape[@]}"
    done
  done
  PROGRAM=throughput "$here/run.sh" --cuda --precision bf16 --batch 3072 --gradient full "${shape[@]}"
  if python3 -c 'import torch' 2> /dev/null; then
    for precision in tf32 bf16; do
      python3 "$here/throughput.py" --cuda --precision $precision --batch 768 "${shape[@]}"
      python3 "$here/throughput.py" --cuda --precision $precision --batch 768 --compile "${shape[@]}"
    done
  fi
else
  PROGRAM=throughput "$here/run.sh" --batch 16 "${shape[@]}"
fi 2>&1 | tee "$out/throughput.txt"

# 3. The run: three quarters of what is left at the full rate, the last with the rate falling.
train=(train --data "$data" --device "$device" --out "$run" "${options[@]}")
reserve=30                                          # seconds for evaluation and packs
"$here/run.sh" "${train[@]}" --config "$config" --max-minutes "$(python3 -c "print(($(left) - $reserve) * 0.75 / 60)")" 2>&1 | tee "$out/train.log"
rest=$(python3 - "$run" "$(($(left) - reserve))" <<'PYTHON'
import json, pathlib, sys
events = [json.loads(line) for line in open(pathlib.Path(sys.argv[1]) / "metrics.jsonl")]
last = [event for event in events if event["event"] == "train"][-1]
print(max(1, int(0.9 * float(sys.argv[2]) / 60 * last["step"] / last["minutes"])))
PYTHON
)
"$here/run.sh" "${train[@]}" --resume --finish-in "$rest" 2>&1 | tee -a "$out/train.log"
cp "$run/metrics.jsonl" "$out/"
"$here/run.sh" export "$run" --out "$out/last.hrm" 2>&1 | tee -a "$out/train.log"
"$here/run.sh" export "$run" --members 10 --out "$out/last-ten.hrm" 2>&1 | tee -a "$out/train.log" || true
echo "done after $((SECONDS - begin)) seconds: $out"

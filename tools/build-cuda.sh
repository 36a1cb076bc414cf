#!/bin/bash
# Builds hrm-host with CUDA on a machine that has neither a GPU nor a driver nor a CUDA toolkit.
#
#   tools/build-cuda.sh [--features cuda,nccl] [--with FILE]...
#
# The result is target/cuda/carry/: hrm-host, throughput, configs/, the files given by --with in data/, run.sh, which finds the CUDA
# libraries of a Python environment, and session.sh (tools/gpu-session.sh). Carry that folder to the GPU machine. hrm-host starts
# anywhere; it loads the driver and libraries when --device cuda is given, and says which of them are missing.
#
# Needs cargo, g++, python3 with pip. Where a toolkit is installed, `cargo build --release -p hrm-host --features cuda` is enough.
#
# Two crates are patched, in copies under target/cuda: candle asks cudarc to link CUDA at build time, which needs the libraries
# here and makes a program that does not start without them, so cudarc loads them at run time instead; and
# candle-kernels leaves out its static library for quantised and mixture-of-experts models, which nothing here uses.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
work=$root/target/cuda
features=cuda
carried=()
while [ $# -gt 0 ]; do
  case $1 in
    --features) features=$2; shift 2 ;;
    --with) carried+=("$(realpath "$2")"); shift 2 ;;
    *) echo "error: unknown argument $1; usage: tools/build-cuda.sh [--features cuda,nccl] [--with FILE]..." >&2; exit 2 ;;
  esac
done
for tool in cargo g++ python3; do
  command -v "$tool" > /dev/null || { echo "error: $tool is not installed; install it and run this again" >&2; exit 1; }
done
mkdir -p "$work"

# 1. nvcc and headers, as NVIDIA publishes them for Python. 13.0 on purpose: a newer nvcc writes PTX that a driver for CUDA 13.0
# refuses.
cuda=$work/toolkit/nvidia/cu13
if [ ! -e "$work/toolkit/complete" ]; then
  echo "fetching nvcc and headers (about 100 MB)"
  rm -rf "$work/toolkit"
  mkdir -p "$work/wheels" "$work/toolkit"
  python3 -m pip download -q --no-deps --only-binary=:all: -d "$work/wheels" \
    nvidia-cuda-nvcc==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-crt==13.0.88 \
    nvidia-cuda-runtime==13.0.96 nvidia-cuda-cccl==13.0.85
  for wheel in "$work"/wheels/*.whl; do python3 -m zipfile -e "$wheel" "$work/toolkit"; done
  chmod +x "$cuda"/bin/* "$cuda"/nvvm/bin/*        # zipfile drops the execute bits
  ln -sfn lib "$cuda/lib64"
  touch "$work/toolkit/complete"
fi

# 2. The sources, as they are in the working tree, in a place of their own: the patches below change Cargo.lock.
rm -rf "$work/source.new"
mkdir -p "$work/source.new"
(cd "$root" && git ls-files -z --cached --others --exclude-standard | tar --null --ignore-failed-read -T - -cf - 2> /dev/null) \
  | tar -xf - -C "$work/source.new"                # keeps the times, so that cargo builds only what has changed
rm -rf "$work/source" && mv "$work/source.new" "$work/source"

# 3. The patched crates, in the versions of Cargo.lock.
cd "$work/source"
python3 - "$work" <<'PYTHON'
import json, pathlib, shutil, subprocess, sys

work = pathlib.Path(sys.argv[1])
metadata = json.loads(subprocess.run(
    ["cargo", "metadata", "--locked", "--format-version", "1", "--features", "hrm-host/cuda"],
    check=True, stdout=subprocess.PIPE).stdout)
crates = {p["name"]: (p["version"], pathlib.Path(p["manifest_path"]).parent) for p in metadata["packages"]}

def patched(name, edits):
    """A copy of a crate with `edits`: (file, from this text, up to this text, replacement)."""
    version, source = crates[name]
    target = work / "patched" / name
    stamp = target / ".patched"
    if stamp.exists() and stamp.read_text() == version:
        return                                     # unchanged times: nothing to build again
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("Cargo.lock", "Cargo.toml.orig", ".cargo*"))
    for file, start, end, text in edits:
        path = target / file
        content = path.read_text()
        try:
            i = content.index(start)
            j = content.index(end, i)
        except ValueError:
            sys.exit(f"error: {name} {version} is not what this script knows: {file} lacks {start!r}; adapt tools/build-cuda.sh")
        path.write_text(content[:i] + text + content[j:])
    stamp.write_text(version)

patched("cudarc", [
    ("Cargo.toml", "dynamic-linking = []", "\n", 'dynamic-linking = ["dynamic-loading"]'),
    ("build.rs", '    #[cfg(all(feature = "dynamic-loading", feature = "dynamic-linking"))]',
     '    #[cfg(all(\n        feature = "fallback-dynamic-loading"', ""),
    ("build.rs", '    #[cfg(feature = "dynamic-linking")]\n    dynamic_linking',
     '    #[cfg(feature = "static-linking")]\n    static_linking', ""),
])
patched("candle-kernels", [("build.rs", "    let mut moe_sources", "    Ok(())", "")])
PYTHON

# 4. The program. One PTX for compute capability 9.0 (H100, H200) by default; the driver translates it for newer ones.
export CUDA_HOME=$cuda NVCC=$cuda/bin/nvcc PATH=$cuda/bin:$PATH
export CUDA_COMPUTE_CAP=${CUDA_COMPUTE_CAP:-90} CUDARC_CUDA_VERSION=13000 CUDAFORGE_THREADS=${CUDAFORGE_THREADS:-2}
cargo build --release -p hrm-host --bin hrm-host --example throughput --features "$features" --target-dir "$work/build" \
  --config "patch.crates-io.cudarc.path=\"$work/patched/cudarc\"" \
  --config "patch.crates-io.candle-kernels.path=\"$work/patched/candle-kernels\""

# 5. What is carried.
carry=$work/carry
rm -rf "$carry"
mkdir -p "$carry/data"
cp "$work/build/release/hrm-host" "$work/build/release/examples/throughput" "$carry/"
cp "$work/source/tools/gpu-session.sh" "$carry/session.sh"
cp "$work/source/tools/compare/throughput.py" "$carry/"
cp -r "$work/source/configs" "$carry/"
for file in "${carried[@]}"; do cp "$file" "$carry/data/"; done
cat > "$carry/run.sh" <<'RUN'
#!/bin/bash
# hrm-host, or the PROGRAM beside it, with the CUDA libraries of the Python environment, where there are any:
# run.sh train --device cuda ...; PROGRAM=throughput run.sh --cuda ...
here=$(cd "$(dirname "$0")" && pwd)
folders=$(python3 -c '
import glob, sysconfig
print(":".join(sorted(glob.glob(sysconfig.get_paths()["purelib"] + "/nvidia/*/lib"))))' 2> /dev/null)
export LD_LIBRARY_PATH="$folders${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export CUDA_CACHE_PATH=${CUDA_CACHE_PATH:-$here/cuda-cache}
exec "$here/${PROGRAM:-hrm-host}" "$@"
RUN
chmod +x "$carry/run.sh"
"$carry/hrm-host" --version
echo "ready: $carry ($(du -sh "$carry" | cut -f1))"

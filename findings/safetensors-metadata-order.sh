#!/bin/sh
# safetensors 0.8.0 (its Python package), numpy 2.4.6.
#
# Guess, written down first: the same tensors with the same metadata are saved as the same bytes, as
# the format sorts tensors.
#
# Seen: the order of tensors is fixed, that of metadata is not. With six entries, 20 saves of one
# dictionary by one process give 18 to 20 different files; with one entry, or none, always one
# file. All read back alike.
# So "same seed, same file" and a digest of a whole checkpoint do not hold once there is a second
# entry: a cache or a signature by the file's digest sees a change that is none. Around it: a digest
# of the tensors and of the sorted entries, or one entry that holds the others.
#
# Fails where that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet numpy==2.4.6 safetensors==0.8.0
cd "$folder"
cat > try.py <<'PYTHON'
import json
from importlib.metadata import version

import numpy as np
from safetensors.numpy import load, save

tensors = {name: np.full((2, 3), value, np.float32) for value, name in enumerate("qkvo")}


def files(entries):
    metadata = {f"key{number}": str(number) for number in range(entries)}
    return {save(tensors, metadata or None) for _ in range(20)}


def header(file):
    length = int.from_bytes(file[:8], "little")
    return json.loads(file[8 : 8 + length]), file[8 + length :]


print("safetensors", version("safetensors"), "numpy", np.__version__)
for entries in (0, 1, 6):
    saved = files(entries)
    print(f"{entries} entries of metadata, 20 saves: {len(saved)} different files")
    assert (len(saved) > 1) == (entries > 1)
    # Nothing but the order of entries differs.
    assert len({len(file) for file in saved}) == 1 and len({header(file)[1] for file in saved}) == 1
    assert all(header(file)[0] == header(min(saved))[0] for file in saved)
    assert (
        len({tuple(name for name in header(file)[0] if name != "__metadata__") for file in saved})
        == 1
    )
    assert all((load(file)[name] == tensors[name]).all() for file in saved for name in tensors)
print("as seen")
PYTHON
"$folder/python/bin/python" try.py

"""Predicted sizes, compared with llama.cpp's own dry run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from chatdesk.library.models.quantized_size import MIXTURES, quantized_bytes

DRY_RUN = """
import ctypes, json, re, sys
from llama_cpp import llama_cpp as lib
lines = []
callback = lib.llama_log_callback(lambda level, text, data: lines.append(text.decode()))
lib.llama_log_set(callback, None)
found = {}
for name in sys.argv[2:]:
    lines.clear()
    parameters = lib.llama_model_quantize_default_params()
    parameters.ftype = getattr(lib, "LLAMA_FTYPE_MOSTLY_" + name)
    parameters.allow_requantize = parameters.dry_run = True
    source = sys.argv[1].encode()
    assert lib.llama_model_quantize(source, source + b".dry", ctypes.byref(parameters)) == 0
    found[name] = float(re.search(r"quant size *= *([0-9.]+) MiB", "".join(lines))[1])
lib.llama_log_set(lib.llama_log_callback(), None)
print(json.dumps(found))
"""


@pytest.mark.engine
def test_sizes_are_what_llama_cpp_makes(starter_model: Path) -> None:
    command = [sys.executable, "-c", DRY_RUN, str(starter_model), *MIXTURES]
    real = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    predicted = {name: quantized_bytes(starter_model, name) / 2**20 for name in MIXTURES}
    for name, size in real.items():
        assert size < predicted[name] < 1.04 * size, name  # with the metadata, which it leaves out

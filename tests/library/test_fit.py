from collections.abc import Sequence

import pytest

from chatdesk.core.loading import Device
from chatdesk.core.models import Fit, ModelHeader
from chatdesk.library.fit import COMPUTE_BYTES, judge, memory_needed

GB = 1024**3
CONTEXT = 8192

# 4 GB of weights and 1 GB of KV cache at CONTEXT: with the compute buffer 5.25 GB
HEADER = ModelHeader(
    name="Some 8B",
    architecture="llama",
    parameters=8_000_000_000,
    quantization="Q4_K_M",
    bytes=4 * GB,
    context_length=131_072,
    layers=32,
    kv_bytes_per_token=GB // CONTEXT,
    has_chat_template=True,
)


def device(kind: str, free: int, name: str = "GPU0") -> Device:
    return Device(name, "a device", kind, free, 2 * free)


CPU = device("cpu", 64 * GB, "CPU")
GPU_4 = device("gpu", 4 * GB)
GPU_6 = device("gpu", 6 * GB)
SMALL_GPU = device("gpu", 3 * GB)
IGPU = device("igpu", 16 * GB)
METAL = device("gpu", 6 * GB, "Metal")


def test_memory_needed() -> None:
    assert memory_needed(HEADER, CONTEXT) == 5 * GB + COMPUTE_BYTES
    assert memory_needed(HEADER, 2 * CONTEXT) == 6 * GB + COMPUTE_BYTES


@pytest.mark.parametrize(
    ("devices", "available", "fit"),
    [
        pytest.param([], 8 * GB, Fit.CPU, id="no device known yet"),
        pytest.param([CPU], 8 * GB, Fit.CPU, id="the processor's device is no GPU"),
        pytest.param([CPU], 4 * GB, Fit.TOO_LARGE, id="not enough memory"),
        pytest.param([CPU, GPU_6], 1 * GB, Fit.GPU, id="all on the GPU"),
        pytest.param([CPU, GPU_4], 8 * GB, Fit.PARTIAL, id="the GPU takes a part"),
        pytest.param([CPU, GPU_4], 2 * GB, Fit.PARTIAL, id="only both together hold it"),
        pytest.param([CPU, GPU_4], 1 * GB, Fit.TOO_LARGE, id="not even both together"),
        pytest.param([CPU, SMALL_GPU, SMALL_GPU], GB, Fit.GPU, id="spread over two GPUs"),
        pytest.param([CPU, IGPU], 8 * GB, Fit.GPU, id="integrated GPU"),
        pytest.param([CPU, IGPU], 4 * GB, Fit.TOO_LARGE, id="its memory is the computer's"),
        pytest.param([CPU, METAL], 8 * GB, Fit.GPU, id="Apple"),
        pytest.param([CPU, METAL], 4 * GB, Fit.TOO_LARGE, id="Apple's memory is the computer's"),
    ],
)
def test_judge(devices: Sequence[Device], available: int, fit: Fit) -> None:
    assert judge(HEADER, CONTEXT, devices, available) is fit

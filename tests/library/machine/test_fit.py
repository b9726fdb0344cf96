import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from chatdesk.core.generation import Finished
from chatdesk.core.loading import Device, LoadOptions, ModelLoaded
from chatdesk.core.models import Fit, ModelHeader
from chatdesk.library.machine.fit import EFFICIENCY, ENGINE_BYTES, estimate
from chatdesk.library.models.header import read_header
from chatdesk.library.models.starter import find_starter
from tests.inference.engine_process import EngineProcess

GB = 1 << 30
CONTEXT = 8192
OPTIONS = LoadOptions(CONTEXT)

# 4 GB of weights and 1 GB of KV cache at CONTEXT, 40 MB of buffers
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
    vocabulary=128_000,
    decode_bytes=3 * GB,
)
BUFFERS = 80 * 4 * 128_000


def device(kind: str, free: int, name: str = "GPU0") -> Device:
    return Device(name, "a device", kind, free, 2 * free)


CPU = device("cpu", 64 * GB, "CPU")
GPU_5 = device("gpu", 5 * GB)
GPU_7 = device("gpu", 7 * GB)
GPU_4 = device("gpu", 4 * GB)
IGPU = device("igpu", 16 * GB)
METAL = device("gpu", 7 * GB, "Metal")


@pytest.mark.parametrize(
    ("options", "window", "kv_bytes"),
    [
        pytest.param(OPTIONS, CONTEXT, GB, id="as asked for"),
        pytest.param(LoadOptions(2 * CONTEXT), 2 * CONTEXT, 2 * GB, id="twice the window"),
        pytest.param(LoadOptions(1000), 1024, GB // 8, id="rounded up"),
        pytest.param(LoadOptions(10**6), 131_072, 16 * GB, id="no more than it was trained for"),
        pytest.param(LoadOptions(CONTEXT, kv_type="q8_0"), CONTEXT, GB * 34 // 64, id="q8_0"),
        pytest.param(LoadOptions(CONTEXT, kv_type="q4_0"), CONTEXT, GB * 18 // 64, id="q4_0"),
        pytest.param(
            LoadOptions(1 << 18, rope_scaling="yarn"), 1 << 18, 32 * GB, id="scaled beyond that"
        ),
    ],
)
def test_memory(options: LoadOptions, window: int, kv_bytes: int) -> None:
    found = estimate(HEADER, options, [], 64 * GB, 0)
    assert found.context_window == window
    assert found.memory_bytes == 4 * GB + kv_bytes + BUFFERS + ENGINE_BYTES


@pytest.mark.engine
@pytest.mark.skipif(sys.platform != "linux", reason="other systems count memory in other ways")
@pytest.mark.parametrize("window", [2048, 8192])
@pytest.mark.parametrize("kv_type", ["f16", "q8_0", "q4_0"])
def test_the_engine_takes_what_was_estimated(window: int, kv_type: str) -> None:
    starter = find_starter()
    assert starter
    options = LoadOptions(window, kv_type=kv_type, gpu_layers=0)
    found = estimate(read_header(starter), options, [], 8 * GB, 0)
    with EngineProcess() as engine:
        loaded = engine.load(starter, window, kv_type=kv_type, gpu_layers=0)
        assert isinstance(loaded, ModelLoaded)
        _, outcome = engine.answer("Tell me about the sea.", max_tokens=8)
        assert isinstance(outcome, Finished)
        used = psutil.Process(engine.process.pid).memory_info().rss
    assert found.context_window == loaded.context_window
    assert found.memory_bytes == pytest.approx(used, rel=0.1)


@pytest.mark.engine
@pytest.mark.skipif(sys.platform != "linux", reason="other systems count memory in other ways")
def test_several_answers_at_once_take_little_more() -> None:
    starter = find_starter()
    assert starter
    found = estimate(read_header(starter), LoadOptions(8192, gpu_layers=0), [], 8 * GB, 0)
    with EngineProcess() as engine:
        assert isinstance(engine.load(starter, 8192, gpu_layers=0), ModelLoaded)
        for number in range(4):
            engine.ask(f"{number} Tell me about the sea.", max_tokens=8)
        left = 4
        while left:
            left -= isinstance(engine.next(), Finished)
        status = Path(f"/proc/{engine.process.pid}/status").read_text("utf-8")
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    assert found.memory_bytes == pytest.approx(1024 * int(peak.split()[1]), rel=0.1)


@pytest.mark.parametrize(
    ("devices", "available", "fit"),
    [
        pytest.param([], 8 * GB, Fit.CPU, id="no device known yet"),
        pytest.param([CPU], 8 * GB, Fit.CPU, id="the processor's device is no GPU"),
        pytest.param([CPU], 4 * GB, Fit.TOO_LARGE, id="not enough memory"),
        pytest.param([CPU], int(5.2 * GB), Fit.TOO_LARGE, id="some is left to other programs"),
        pytest.param([CPU, GPU_7], 1 * GB, Fit.GPU, id="all on the GPU"),
        pytest.param([CPU, GPU_5], 8 * GB, Fit.PARTIAL, id="the GPU takes a part"),
        pytest.param([CPU, GPU_5], 2 * GB, Fit.PARTIAL, id="only both together hold it"),
        pytest.param([CPU, GPU_5], GB // 2, Fit.TOO_LARGE, id="not even both together"),
        pytest.param([CPU, GPU_4, GPU_4], GB, Fit.GPU, id="spread over two GPUs"),
        pytest.param([CPU, IGPU], 8 * GB, Fit.GPU, id="integrated GPU"),
        pytest.param([CPU, IGPU], 4 * GB, Fit.TOO_LARGE, id="its memory is the computer's"),
        pytest.param([CPU, METAL], 8 * GB, Fit.GPU, id="Apple"),
        pytest.param([CPU, METAL], 4 * GB, Fit.TOO_LARGE, id="Apple's memory is the computer's"),
    ],
)
def test_fit(devices: Sequence[Device], available: int, fit: Fit) -> None:
    assert estimate(HEADER, OPTIONS, devices, available, 0).fit is fit


@pytest.mark.parametrize(
    ("options", "fit"),
    [
        (LoadOptions(CONTEXT, gpu_layers=0), Fit.CPU),
        (LoadOptions(CONTEXT, gpu_layers=16), Fit.PARTIAL),
        (LoadOptions(CONTEXT, gpu_layers=32), Fit.GPU),
        (LoadOptions(CONTEXT, devices=("CPU",)), Fit.CPU),
        (LoadOptions(CONTEXT, devices=("GPU0",)), Fit.GPU),
    ],
)
def test_a_gpu_that_is_not_to_be_used(options: LoadOptions, fit: Fit) -> None:
    assert estimate(HEADER, options, [CPU, GPU_7], 16 * GB, 0).fit is fit


def test_speed_is_bandwidth_by_what_a_token_reads() -> None:
    read = 3.5 * GB  # the weights, and half of the KV cache
    found = estimate(HEADER, OPTIONS, [CPU], 16 * GB, 20e9)
    assert found.tokens_per_s == pytest.approx(EFFICIENCY * 20e9 / read)
    older = replace(HEADER, decode_bytes=0)  # listed before that was recorded
    found = estimate(older, OPTIONS, [CPU], 16 * GB, 20e9)
    assert found.tokens_per_s == pytest.approx(EFFICIENCY * 20e9 / (4.5 * GB))


@pytest.mark.parametrize(
    ("devices", "available", "bandwidth"),
    [([], 16 * GB, 0), ([GPU_7], 16 * GB, 20e9), ([], GB, 20e9)],
)
def test_no_speed_where_it_cannot_be_known(
    devices: Sequence[Device], available: int, bandwidth: float
) -> None:
    assert estimate(HEADER, OPTIONS, devices, available, bandwidth).tokens_per_s == 0

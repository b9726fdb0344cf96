"""The devices of a model, with real processes that are GPUs to llama.cpp."""

import json
import socket
import struct
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gguf
import psutil
import pytest

from chatdesk.core.generation import FailureCode
from chatdesk.core.loading import LoadOptions, StepDown
from chatdesk.inference.loading.open_model import Opened, open_model
from chatdesk.inference.native.bindings import AbortFlag
from chatdesk.inference.native.load_errors import LoadError
from chatdesk.inference.native.model import Aborted
from chatdesk.inference.native.thread_count import candidates, fastest, useful_threads
from tests.inference.device_process import DeviceProcess, free_port
from tests.tiny_models import tiny_model

MB = 1_000_000
WEIGHTS = 96_576_768  # of the starter model, in its 30 layers and its output layer
TOKENS = 40


@contextmanager
def opened(path: Path, **options: Any) -> Iterator[Opened]:
    model = open_model(path, LoadOptions(**options), AbortFlag())
    try:
        yield model
    finally:
        model.close()


def refused(path: Path, **options: Any) -> LoadError:
    with pytest.raises(LoadError) as caught, opened(path, **options):
        pass
    return caught.value


class Child:
    """A separate process that opens the starter model."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, options: dict[str, Any], **task: int) -> dict[str, Any]:
        request = {"path": str(self._path), "options": {"threads": 2} | options, **task}
        done = subprocess.run(
            [sys.executable, "-m", "tests.inference.opening_child"],
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        result: dict[str, Any] = json.loads(done.stdout)
        return result


@pytest.fixture
def child(starter_model: Path) -> Child:
    return Child(starter_model)


@pytest.fixture(scope="module")
def on_cpu(starter_model: Path) -> dict[str, Any]:
    return Child(starter_model)({}, tokens=TOKENS)


@pytest.fixture(scope="module")
def device() -> Iterator[DeviceProcess]:
    with DeviceProcess() as process:
        yield process


@pytest.fixture(scope="module")
def other_device() -> Iterator[DeviceProcess]:
    with DeviceProcess() as process:
        yield process


def by_device(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {part["description"]: part for part in result["placements"]}


# This computer alone


@pytest.mark.parametrize("kv_type", ["f16", "q8_0", "q4_0"])
@pytest.mark.parametrize("window", [2048, 8192])
def test_memory_is_reported_as_it_is(starter_model: Path, window: int, kv_type: str) -> None:
    """30 layers of keys and values, 192 of each for a token; logits of 64 + 16 rows."""
    with opened(starter_model, context_window=window, kv_type=kv_type, threads=2) as model:
        (part,) = model.placements
        value_bytes = {"f16": 2, "q8_0": 34 / 32, "q4_0": 18 / 32}[kv_type]
        assert model.kv_type == kv_type
        assert model.context.window == window
        assert part.device == "CPU"
        assert part.layers == 30
        assert part.weight_bytes == WEIGHTS
        assert part.kv_bytes == pytest.approx(30 * 2 * 192 * value_bytes * window, rel=0.001)
        assert part.compute_bytes == pytest.approx(80 * 49_152 * 4, rel=0.1)
        assert model.device == part.description
        assert model.stepped_down == ()
        assert model.gpu_layers == 0


def test_every_option_reaches_llama_cpp(starter_model: Path) -> None:
    with opened(starter_model, batch=32, threads=1, mmap=False, mlock=True) as model:
        assert model.context.batch == 32
        assert (model.threads, model.threads_measured) == (1, False)


@pytest.mark.parametrize("scaling", ["linear", "yarn"])
def test_a_scaled_context_is_larger_than_the_trained_one(
    starter_model: Path, scaling: str, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(starter_model, context_window=16_384, threads=2) as model:
        assert model.context.window == 8192
    with opened(starter_model, context_window=16_384, rope_scaling=scaling, threads=2) as model:
        assert model.context.window == 16_384
    assert "possible training context overflow" in caplog.text


@pytest.mark.parametrize(
    "options",
    [
        {"context_window": 0},
        {"threads": 0},
        {"gpu_layers": -1},
        {"batch": 0},
        {"batch": 10**6},
        {"kv_type": "f32"},
        {"rope_scaling": "cubic"},
        {"rope_freq_base": float("nan")},
        {"rope_freq_scale": -1.0},
        {"tensor_split": (1.0, 2.0)},
        {"tensor_split": (-1.0,)},
    ],
    ids=str,
)
def test_meaningless_options_are_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    problem = refused(tiny_model(tmp_path / "tiny.gguf"), **options)
    assert problem.code is FailureCode.PARAMETER
    assert next(iter(options)) in problem.detail


def test_a_cache_that_does_not_go_with_the_model_is_refused(tmp_path: Path) -> None:
    """Its heads are 80 wide, which are not whole blocks of 32."""
    problem = refused(tiny_model(tmp_path / "tiny.gguf"), kv_type="q8_0")
    assert problem.code is FailureCode.PARAMETER
    assert "q8_0" in problem.detail


def test_an_unknown_device_is_refused(starter_model: Path) -> None:
    problem = refused(starter_model, devices=("CUDA7",))
    assert (problem.code, problem.detail) == (FailureCode.DEVICE, "CUDA7")


def test_an_aborted_load_is_no_failure(tmp_path: Path) -> None:
    abort = AbortFlag()
    abort.set()
    with pytest.raises(Aborted):
        open_model(tiny_model(tmp_path / "tiny.gguf"), LoadOptions(), abort)


def test_threads_are_measured_once(starter_model: Path) -> None:
    with opened(starter_model, context_window=512) as model:
        assert model.threads in candidates()
    with opened(starter_model, context_window=512, threads=2) as model:
        assert (model.threads, model.threads_measured) == (2, False)
        counts = (1, 2)
        assert fastest(model.context, counts) in (*counts, None)
        assert model.context.length(0) == 0
    assert useful_threads() in candidates()


def test_a_busy_machine_is_not_measured(starter_model: Path) -> None:
    busy = [sys.executable, "-c", "while True: pass"]
    others = [subprocess.Popen(busy) for _ in range(psutil.cpu_count() or 1)]
    try:
        with opened(starter_model, context_window=512) as model:
            assert (model.threads, model.threads_measured) == (useful_threads(), False)
    finally:
        for other in others:
            other.kill()
            other.wait()


@pytest.mark.parametrize("blocks", [0, 513])
def test_a_number_of_layers_that_would_end_llama_cpp(tmp_path: Path, blocks: int) -> None:
    path = tiny_model(tmp_path / "tiny.gguf")
    before = b"llama.block_count" + struct.pack("<I", 4)
    sound = path.read_bytes()
    assert sound.count(before + struct.pack("<I", 1)) == 1
    path.write_bytes(
        sound.replace(before + struct.pack("<I", 1), before + struct.pack("<I", blocks))
    )
    problem = refused(path)
    assert (problem.code, problem.detail) == (FailureCode.LOAD_FAILED, f"block_count = {blocks}")


def test_damaged_headers_end_in_an_error_or_in_a_model(tmp_path: Path) -> None:
    """With 2,000 others, llama.cpp once ended its process: over a token that came twice."""
    path = tiny_model(tmp_path / "tiny.gguf")
    header_bytes = gguf.GGUFReader(path).data_offset
    done = subprocess.run(
        [sys.executable, "-m", "tests.inference.fuzz_child", path, str(header_bytes), "60"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    outcomes = Counter(done.stdout.split())
    assert outcomes.total() == 60
    assert 5 < outcomes["loaded"] < 40
    assert outcomes.keys() <= {"loaded", *FailureCode}


# Running out of this computer's memory


@pytest.mark.parametrize(
    ("available", "window", "kv_type", "given_up"),
    [
        (400 * MB, 8192, "f16", []),
        (250 * MB, 4096, "f16", ["smaller_context"]),
        (180 * MB, 2048, "f16", ["smaller_context"]),
        (155 * MB, 2048, "q8_0", ["smaller_context", "quantized_kv"]),
        (145 * MB, 2048, "q4_0", ["smaller_context", "quantized_kv"]),
        (85 * MB, 2048, "f16", ["smaller_context"]),  # the weights are read from disk anyway
    ],
)
def test_what_would_not_fit_is_not_tried(
    child: Child, available: int, window: int, kv_type: str, given_up: list[str]
) -> None:
    result = child({}, available=available)
    assert (result["window"], result["kv_type"]) == (window, kv_type)
    assert result["stepped_down"] == given_up


def test_too_little_memory_for_anything(child: Child) -> None:
    assert child({}, available=20 * MB)["code"] == FailureCode.OUT_OF_MEMORY
    assert child({"mmap": False}, available=85 * MB)["code"] == FailureCode.OUT_OF_MEMORY


@pytest.mark.skipif(not hasattr(psutil, "RLIMIT_AS"), reason="no limits on memory")
def test_an_allocation_that_fails_is_tried_smaller(child: Child) -> None:
    scaled = {"context_window": 65_536, "rope_scaling": "linear"}  # a KV cache of 1.4 GiB
    result = child(scaled, spare=1200 * MB)
    assert result["window"] == 32_768
    assert result["stepped_down"] == [StepDown.SMALLER_CONTEXT]


# Other devices


def test_a_device_is_found_with_its_memory(child: Child, device: DeviceProcess) -> None:
    result = child({"remote": [device.address]})
    assert result["device"] == device.address
    lent, cpu = result["placements"]
    assert lent["device"].startswith("RPC")
    assert lent["layers"] == result["gpu_layers"] == 30
    assert lent["weight_bytes"] == pytest.approx(WEIGHTS, rel=0.001)
    assert lent["kv_bytes"] == pytest.approx(30 * 2 * 192 * 2 * 8192, rel=0.001)
    assert lent["compute_bytes"] > 64 * 49_152 * 4
    assert (cpu["layers"], cpu["kv_bytes"]) == (0, 0)
    assert result["stepped_down"] == []


def test_a_device_is_used_again_under_the_same_name(child: Child, device: DeviceProcess) -> None:
    result = child({"remote": [device.address]}, before=2)
    assert [part["device"] for part in result["placements"]] == ["RPC0", "CPU"]
    assert result["gpu_layers"] == 30


@pytest.mark.parametrize("layers", [30, 12, 1, 0])
def test_greedy_answers_are_the_same_wherever_the_layers_are(
    child: Child, device: DeviceProcess, on_cpu: dict[str, Any], layers: int
) -> None:
    result = child({"remote": [device.address], "gpu_layers": layers}, tokens=TOKENS)
    assert result["gpu_layers"] == layers
    assert result["tokens"] == on_cpu["tokens"]
    assert len(set(result["tokens"])) > TOKENS // 2
    parts = [part["layers"] for part in result["placements"]]
    assert parts == ([layers, 30 - layers] if layers else [30])


def test_layers_are_split_as_asked_for(
    child: Child, device: DeviceProcess, other_device: DeviceProcess, on_cpu: dict[str, Any]
) -> None:
    remote = [device.address, other_device.address]
    result = child({"remote": remote, "tensor_split": [1, 2]}, tokens=TOKENS)
    parts = by_device(result)
    assert [parts[address]["layers"] for address in remote] == [10, 20]
    assert parts[remote[1]]["kv_bytes"] == 2 * parts[remote[0]]["kv_bytes"]
    assert result["tokens"] == on_cpu["tokens"]
    named = {"devices": [remote[1]], "tensor_split": [1], "gpu_layers": 5}
    assert by_device(child({"remote": remote} | named))[remote[1]]["layers"] == 5


@pytest.mark.parametrize(
    ("room", "devices", "on_cpu_too"),
    [(400 * MB, 1, False), (250 * MB, 2, False), (150 * MB, 2, True)],
)
def test_layers_go_where_there_is_room(
    child: Child,
    device: DeviceProcess,
    other_device: DeviceProcess,
    room: int,
    devices: int,
    on_cpu_too: bool,
) -> None:
    result = child({"remote": [device.address, other_device.address]}, room=room)
    *lent, cpu = result["placements"]
    assert len(lent) == devices
    assert bool(cpu["layers"]) == on_cpu_too
    assert sum(part["layers"] for part in result["placements"]) == 30
    for part in lent:
        assert part["weight_bytes"] + part["kv_bytes"] + part["compute_bytes"] <= room
    assert result["stepped_down"] == []


def test_the_processor_alone_can_be_chosen(child: Child, device: DeviceProcess) -> None:
    result = child({"remote": [device.address], "devices": ["CPU"]})
    assert (result["gpu_layers"], len(result["placements"])) == (0, 1)


@pytest.mark.skipif(not hasattr(psutil, "RLIMIT_AS"), reason="no limits on memory")
@pytest.mark.parametrize(
    ("spare", "layers"), [pytest.param(220, [22, 15], id="some"), pytest.param(25, [0], id="none")]
)
def test_a_device_with_less_memory_than_it_says_gets_fewer_layers(
    child: Child, on_cpu: dict[str, Any], spare: int, layers: list[int]
) -> None:
    with DeviceProcess() as device:
        device.limit(spare * MB)
        result = child({"remote": [device.address]}, tokens=TOKENS)
    assert result["gpu_layers"] in layers
    assert result["window"] == 8192
    assert result["stepped_down"] == [StepDown.FEWER_LAYERS]
    assert result["tokens"] == on_cpu["tokens"]


def test_a_computer_that_is_not_there(starter_model: Path) -> None:
    gone = f"127.0.0.1:{free_port()}"
    for address, reason in (
        (gone, f"{gone} does not answer"),
        ("no.such.host.invalid:50052", "no.such.host.invalid:50052 does not answer"),
        ("nonsense", "“nonsense” is not an address like 192.168.1.20:50052"),
    ):
        problem = refused(starter_model, remote=(address,))
        assert (problem.code, problem.detail) == (FailureCode.DEVICE, reason)


def test_a_computer_that_is_busy(child: Child) -> None:
    with DeviceProcess() as device, Holder(device.address):
        problem = child({"remote": [device.address]})
    assert problem["detail"] == f"{device.address} is busy with another computer"


class Holder:
    """A process that occupies a device, as another computer may."""

    def __init__(self, address: str) -> None:
        host, port = address.split(":")
        self._connection = socket.create_connection((host, int(port)))

    def __enter__(self) -> None:
        self._connection.sendall(b"\x0e")

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def test_a_server_of_another_kind(starter_model: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"

        def hang_up() -> None:
            server.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        problem = refused(starter_model, remote=(address,))
        thread.join()
    assert problem.detail == f"{address} is no computer that lends its devices"

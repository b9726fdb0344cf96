"""The pure parts of dev.py. That it sets up a fresh machine is what CI itself shows."""

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


PROJECT = """
[project]
dependencies = ["jinja2", "llama-cpp-python"]
optional-dependencies = {personalize = ["torch"], dev = ["pytest"]}
"""
HAS_RPC = "llama_cpp/lib/libggml-rpc.so"


@pytest.fixture
def dev(tmp_path: Path) -> Any:
    """A fresh dev.py that believes its project lies, set up, in an empty folder."""
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    assert spec
    assert spec.loader
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "pyvenv.cfg").write_text(f"command = {tmp_path / '.venv'}", "utf-8")
    (tmp_path / "lock.txt").write_text("jinja2==1\nllama-cpp-python==0.1\n", "utf-8")
    (tmp_path / "pyproject.toml").write_text(PROJECT, "utf-8")
    move(module, tmp_path)
    return module


def move(dev: Any, root: Path) -> None:
    """Let the project lie in `root`."""
    dev.ROOT = root
    dev.VENV = root / ".venv"
    dev.LOCK = root / "lock.txt"
    dev.STAMP = dev.VENV / "chatdesk-setup"
    dev.BUILT = dev.VENV / "chatdesk-llama"
    dev.LEARNING = dev.VENV / "chatdesk-learning"
    dev.PYTHON = sys.executable


def make_wheel(command: Sequence[str], *files: str) -> None:
    """What `pip wheel` leaves in its folder."""
    with zipfile.ZipFile(Path(command[command.index("-w") + 1], "llama.whl"), "w") as wheel:
        for name in files:
            wheel.writestr(name, "")


@pytest.fixture
def steps(dev: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps of the set-up that would run, which here do nothing but make a wheel."""
    taken: list[str] = []

    def take(step: str, command: Sequence[str], **_: str) -> None:
        taken.append(step)
        if "wheel" in command:
            make_wheel(command, HAS_RPC)

    monkeypatch.setattr(dev, "run", take)
    monkeypatch.setattr(dev, "provide_system", lambda compiler: taken.append("system"))
    return taken


PACKAGES = ["Installing the packages", "Fetching the starter model"]
LLAMA = ["Building llama.cpp", "Installing llama.cpp"]
EVERYTHING = sorted(["system", *PACKAGES, *LLAMA, "Installing ChatDesk"])


def test_a_finished_set_up_takes_no_step(dev: Any, steps: list[str]) -> None:
    dev.set_up("cpu", "everything")
    assert sorted(steps) == EVERYTHING  # llama.cpp is built beside the others
    steps.clear()
    for kind in dev.EXTRAS:  # everything is enough for each
        dev.set_up(None, kind)
    assert steps == []


def test_the_app_alone_is_not_enough_for_the_tests(dev: Any, steps: list[str]) -> None:
    dev.set_up("cpu", "chat")
    steps.clear()
    dev.set_up(None, "everything")
    assert "Installing the packages" in steps
    assert "Building llama.cpp" not in steps


@pytest.mark.parametrize("changed", ["pyproject.toml", "lock.txt", ".venv/pyvenv.cfg"])
def test_a_change_is_set_up_again(dev: Any, steps: list[str], tmp_path: Path, changed: str) -> None:
    dev.set_up("cpu", "everything")
    steps.clear()
    with (tmp_path / changed).open("a", encoding="utf-8") as file:
        file.write("# changed")
    dev.set_up(None, "everything")
    assert "Installing the packages" in steps
    assert "Building llama.cpp" not in steps


def test_another_accelerator_is_built_and_then_kept(dev: Any, steps: list[str]) -> None:
    dev.set_up("cpu", "everything")
    steps.clear()
    dev.set_up("vulkan", "everything")
    assert "Building llama.cpp (--accel cpu needs no GPU tools)" in steps
    steps.clear()
    dev.set_up(None, "everything")
    assert steps == []


def test_a_change_of_the_flags_is_built(dev: Any, steps: list[str]) -> None:
    dev.set_up("cpu", "everything")
    steps.clear()
    dev.EVERY_BUILD += " -DGGML_NEW=ON"
    dev.set_up(None, "everything")
    assert "Building llama.cpp" in steps


def test_an_older_wheel_from_the_cache_is_built_again(
    dev: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    built: list[str] = []
    forgotten: list[tuple[str, ...]] = []

    def build(step: str, command: Sequence[str], **_: str) -> None:
        built.append(step)
        make_wheel(command, *([HAS_RPC] if forgotten else []))

    monkeypatch.setattr(dev, "run", build)
    monkeypatch.setattr(dev, "works", lambda *command: forgotten.append(command))
    dev.build_llama("cpu", tmp_path)
    assert built == ["Building llama.cpp"] * 2
    assert [command[2:] for command in forgotten] == [
        ("pip", "cache", "remove", "llama_cpp_python")
    ]
    dev.build_llama("cpu", tmp_path)  # from a cache that is as it must be
    assert built == ["Building llama.cpp"] * 3


def test_what_learning_needs_does_not_hold_the_window_up(
    dev: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted: list[str] = []
    monkeypatch.setattr(dev, "provide_system", lambda compiler: None)
    monkeypatch.setattr(dev, "build_llama", lambda accelerator, folder: folder / "llama.whl")
    monkeypatch.setattr(dev, "run", lambda _step, command, **_: wanted.extend(command))
    dev.set_up("cpu", "chat")
    assert "jinja2" in wanted
    assert "torch" not in wanted
    assert wanted[-2:] == ["-e", "."]
    wanted.clear()
    dev.install_learning()
    assert "torch" in wanted
    assert not dev.LEARNING.exists()
    wanted.clear()
    dev.set_up("cpu", "chat")
    dev.set_up("cpu", "chat and learning")
    assert wanted == []


@pytest.fixture
def started(dev: Any, steps: list[str], monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The processes that are started in the background, after a set-up without learning."""
    processes: list[list[str]] = []
    dev.set_up("cpu", "chat")
    monkeypatch.setattr(dev.subprocess, "Popen", lambda command, **_: processes.append(command))
    steps.clear()
    return processes


def test_learning_is_installed_in_the_background_once_and_resumed(
    dev: Any, started: list[list[str]]
) -> None:
    dev.start_learning()
    assert [command[-1] for command in started] == ["learning"]
    dev.start_learning()  # the other one goes on
    assert len(started) == 1
    let_it_be_old(dev.LEARNING)
    dev.start_learning()
    assert len(started) == 2
    dev.install_learning()
    dev.start_learning()
    assert len(started) == 2


def test_a_set_up_waits_for_learning(
    dev: Any, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dev.set_up("cpu", "chat")
    dev.LEARNING.touch()
    monkeypatch.setattr(dev.time, "sleep", lambda _s: dev.LEARNING.unlink())
    dev.set_up(None, "chat")  # no need to
    assert dev.LEARNING.exists()
    dev.set_up(None, "everything")
    assert not dev.LEARNING.exists()
    assert "Installing the packages" in steps


def test_it_shows_that_it_goes_on_and_fails_in_one_line(
    dev: Any, started: list[list[str]], capfd: pytest.CaptureFixture[str]
) -> None:
    def install(*_: str) -> None:
        let_it_be_old(dev.LEARNING)
        while not dev.learning_is_being_installed():
            time.sleep(0.02)
        raise dev.SetupError("No network.")

    dev.start_learning()
    dev.TOUCHED_S = 0.1
    dev.pip = install
    assert dev.main(["learning"]) == 1
    assert capfd.readouterr().err.splitlines()[-1] == "dev.py: No network."
    assert dev.LEARNING.exists()  # so that the app says that this was interrupted
    dev.start_learning()
    assert len(started) == 1


def let_it_be_old(path: Path) -> None:
    """Nobody touched it for an hour."""
    path.touch()
    os.utime(path, (time.time() - 3600,) * 2)


def test_the_tests_without_the_engine_get_neither_it_nor_pytorch(
    dev: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[Sequence[str]] = []
    compilers: list[bool] = []
    monkeypatch.setattr(dev, "run", lambda _step, command, **_: commands.append(command))
    monkeypatch.setattr(dev, "provide_system", lambda **asked: compilers.append(asked["compiler"]))
    dev.set_up(None, "tests without the engine")
    packages, starter, project = (command[-2:] for command in commands)
    assert packages == ["jinja2", "pytest"]
    assert starter == ["--no-deps", dev.STARTER]
    assert project == ["-e", ".[dev]"]
    assert "--no-deps" in commands[-1]
    assert compilers == [False]


def test_the_tests_without_the_engine_are_pytest_alone(
    dev: Any, programs: Callable[[str, str], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    dev.BIN = programs("pytest", 'echo "$@"')
    kinds: list[str] = []
    dev.set_up = lambda _accelerator, kind: kinds.append(kind)
    assert dev.main(["test", "--without-engine", "-x"]) == 0
    assert capfd.readouterr().out == "--without-engine -x\n"
    assert kinds == ["tests without the engine"]


def test_another_llama_cpp_is_built(dev: Any, steps: list[str]) -> None:
    dev.set_up("cpu", "everything")
    steps.clear()
    dev.LOCK.write_text("llama-cpp-python==0.2", "utf-8")
    dev.set_up(None, "everything")
    assert "Building llama.cpp" in steps


def test_a_moved_project_gets_a_new_venv(dev: Any, steps: list[str], tmp_path: Path) -> None:
    dev.set_up("cpu", "everything")
    assert "Making .venv" not in steps
    shutil.copytree(tmp_path, tmp_path / "moved")
    move(dev, tmp_path / "moved")
    dev.set_up(None, "everything")
    assert "Making .venv" in steps


def test_an_interrupted_set_up_goes_on_where_it_was(
    dev: Any, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    take = dev.run

    def interrupted(step: str, *arguments: Any, **environment: str) -> None:
        if step == "Installing ChatDesk":
            raise KeyboardInterrupt
        take(step, *arguments, **environment)

    with monkeypatch.context() as patch:
        patch.setattr(dev, "run", interrupted)
        assert dev.main(["test", "--accel", "cpu"]) == 130
    steps.clear()
    dev.set_up(None, "everything")
    assert sorted(steps) == [step for step in EVERYTHING if step not in LLAMA]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Puts a shell script on the otherwise empty PATH."""
    if sys.platform == "win32":
        pytest.skip("needs shell scripts")
    folder = tmp_path / "bin"
    folder.mkdir()
    shell = shutil.which("sh")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("VULKAN_SDK", raising=False)

    def add(name: str, script: str) -> Path:
        (folder / name).write_text(f"#!{shell}\n{script}\n", "utf-8")
        (folder / name).chmod(0o755)
        return folder

    return add


@pytest.mark.parametrize(("defines", "accelerator"), [("_loader", "cpu"), ("_settings", "vulkan")])
def test_headers_that_are_too_old_for_llama_cpp_are_none(
    dev: Any,
    programs: Callable[[str, str], Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    defines: str,
    accelerator: str,
) -> None:
    programs("glslc", "exit 0")
    monkeypatch.setattr(dev.sys, "platform", "linux")
    monkeypatch.setattr(dev, "VULKAN_HEADER", tmp_path / "vulkan_core.h")
    dev.VULKAN_HEADER.write_text(f"#define VK_EXT_layer{defines} 1", "utf-8")
    assert dev.pick_accelerator("auto", None) == accelerator


@pytest.mark.parametrize(
    ("system", "machine", "found", "accelerator"),
    [
        ("darwin", "arm64", [], "metal"),
        ("darwin", "x86_64", [], "cpu"),
        ("linux", "x86_64", [], "cpu"),
        ("linux", "x86_64", ["nvcc", "nvidia-smi", "glslc"], "cuda"),
        ("linux", "x86_64", ["nvcc"], "cpu"),
        ("linux", "x86_64", ["glslc"], "vulkan"),
    ],
)
def test_the_best_accelerator(
    dev: Any,
    programs: Callable[[str, str], Path],
    monkeypatch: pytest.MonkeyPatch,
    system: str,
    machine: str,
    found: list[str],
    accelerator: str,
) -> None:
    for name in found:
        programs(name, "exit 0")
    if "glslc" in found:
        monkeypatch.setenv("VULKAN_SDK", "/sdk")
    monkeypatch.setattr(dev.sys, "platform", system)
    monkeypatch.setattr(dev.platform, "machine", lambda: machine)
    assert dev.pick_accelerator("auto", "vulkan") == accelerator
    assert dev.pick_accelerator(None, "") == accelerator


def test_the_accelerator_asked_for_and_the_one_built(dev: Any) -> None:
    assert dev.pick_accelerator("cuda", "cpu") == "cuda"
    assert dev.pick_accelerator(None, "metal") == "metal"


def test_debian_packages(dev: Any) -> None:
    packages = [dev.debian_package(library) for library in dev.QT_LIBRARIES.split()]
    known = "libegl1 libgl1 libx11-xcb1 libdbus-1-3 libfontconfig1 libglib2.0-0 libgssapi-krb5-2"
    assert packages[:8] == [*known.split(), "libxcb-cursor0"]
    assert packages[-1] == "libxkbcommon-x11-0"


@pytest.fixture
def bare_linux(dev: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Linux with all but one library and the compiler."""
    monkeypatch.setattr(dev.sys, "platform", "linux")
    monkeypatch.setattr(dev, "loads", lambda library: library != "libxcb-cursor.so.0")
    monkeypatch.setattr(dev, "has_compiler", lambda: False)


@pytest.mark.usefixtures("bare_linux")
def test_system_packages_are_installed_by_root(
    dev: Any, programs: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    programs("apt-get", f'echo "$@" >> {tmp_path}/calls')
    programs("env", 'shift; "$@"')
    dev.provide_system()
    update, install = (tmp_path / "calls").read_text("utf-8").splitlines()
    assert update.startswith("update")
    assert install.endswith(" libxcb-cursor0 g++")


@pytest.mark.usefixtures("bare_linux")
@pytest.mark.parametrize("sudo", [None, "exit 1"])
def test_who_may_not_install_is_told_the_line(
    dev: Any,
    programs: Callable[[str, str], Path],
    monkeypatch: pytest.MonkeyPatch,
    sudo: str | None,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    programs("apt-get", "exit 1")
    if sudo:
        programs("sudo", sudo)
    with pytest.raises(dev.SetupError, match=r": sudo apt-get install -y libxcb-cursor0 g\+\+$"):
        dev.provide_system()


@pytest.mark.usefixtures("bare_linux", "programs")
def test_other_linuxes_are_told_the_packages(dev: Any) -> None:
    with pytest.raises(dev.SetupError, match=r"libxcb-cursor0 g\+\+$"):
        dev.provide_system()


@pytest.mark.parametrize(("system", "words"), [("darwin", "xcode-select"), ("win32", "Visual")])
def test_no_compiler_elsewhere(
    dev: Any, monkeypatch: pytest.MonkeyPatch, system: str, words: str
) -> None:
    monkeypatch.setattr(dev.sys, "platform", system)
    monkeypatch.setattr(dev, "has_compiler", lambda: False)
    with pytest.raises(dev.SetupError, match=words):
        dev.provide_system()


def test_a_step_that_fails_is_one_line(dev: Any, capfd: pytest.CaptureFixture[str]) -> None:
    dev.PYTHON = sys.executable
    dev.set_up = lambda *_, **__: dev.run("Making tea", [sys.executable, "-c", "exit(3)"])
    assert dev.main(["setup"]) == 1
    assert re.fullmatch(r"dev\.py: Making tea failed \(exit code 3\)\..*\n", capfd.readouterr().err)


def test_a_step_that_cannot_start_is_one_line(dev: Any, capfd: pytest.CaptureFixture[str]) -> None:
    dev.set_up = lambda *_, **__: dev.run("Making tea", [str(dev.ROOT / "kettle")])
    assert dev.main(["setup"]) == 1
    assert re.fullmatch(r"dev\.py: Making tea could not start: .*\n", capfd.readouterr().err)


def test_every_check_runs_and_one_failure_fails_all(
    dev: Any, programs: Callable[[str, str], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    tools = {"ruff": 0, "mypy": 1, "lint-imports": 0, "pytest": 0}
    for tool, code in tools.items():
        dev.BIN = programs(tool, f'echo {tool} "$@"; exit {code}')
    dev.set_up = lambda *_, **__: None
    assert dev.main(["test"]) == 1
    out, err = capfd.readouterr()
    assert " ".join(out.split()) == (
        "ruff format --check ruff check mypy lint-imports pytest --durations=15"
    )
    assert err.splitlines()[-1] == "-- Failed: types"


def test_arguments_of_test_go_to_pytest_alone(
    dev: Any,
    programs: Callable[[str, str], Path],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)  # tests of widgets set it
    dev.BIN = programs("pytest", 'echo "$QT_QPA_PLATFORM: $@"')
    dev.set_up = lambda *_, **__: None
    assert dev.main(["test", "-x", "tests/a.py", "-k", "some thing"]) == 0
    assert capfd.readouterr().out == "offscreen: -x tests/a.py -k some thing\n"


def test_arguments_of_pictures_go_to_their_program(
    dev: Any, programs: Callable[[str, str], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    dev.PYTHON = str(programs("python", 'echo "$PYTHONPATH $@"; exit 1') / "python")
    dev.set_up = lambda *_, **__: None
    assert dev.main(["pictures", "shots", "--only", "first screen", "--check"]) == 1
    told = f"{dev.ROOT} -m tests.pictures shots --only first screen --check\n"
    assert capfd.readouterr().out == told


def test_arguments_of_run_go_to_the_app(dev: Any) -> None:
    dev.set_up = lambda *_, **__: None
    dev.start_learning = lambda: None
    dev.run_app = lambda arguments: 7 if arguments == ["ask", "--accel", "--", "hi"] else 0
    assert dev.main(["run", "--accel", "cpu", "--", "ask", "--accel", "--", "hi"]) == 7


@pytest.mark.parametrize(
    "arguments",
    [["setup", "x"], ["nonsense"], ["run", "--accel", "x"], ["run", "--without-engine"], []],
)
def test_wrong_usage(dev: Any, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        dev.main(arguments)
    assert caught.value.code == 2


def test_the_lock_pins_every_dependency() -> None:
    lock = (ROOT / "packaging" / "lock.txt").read_text("utf-8").lower()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    for requirement in chain(project["dependencies"], *extras):
        name = re.split(r"[\[<]", requirement)[0].lower()
        assert f"\n{name}==" in lock


@pytest.mark.engine
def test_every_package_that_is_imported_is_a_direct_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["personalize"]]
    declared = {canonical(re.split(r"[\[<]", line)[0]) for line in wanted}
    imported = set(chain.from_iterable(map(imports, (ROOT / "chatdesk").rglob("*.py"))))
    outside = imported - sys.stdlib_module_names - {"chatdesk"}
    packages = packages_distributions()
    undeclared = {
        name for name in outside if declared.isdisjoint(map(canonical, packages.get(name, ())))
    }
    assert undeclared == set()


def imports(file: Path) -> Iterator[str]:
    """The packages that a file imports anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def canonical(package: str) -> str:
    """Its name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", package).lower()


def test_help_needs_no_set_up() -> None:
    command = [sys.executable, str(ROOT / "dev.py"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "translations" in done.stdout

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.loading import LoadOptions
from chatdesk.core.sampling import SamplingParams
from chatdesk.core.settings import MIN_CONTEXT_WINDOW, Settings, write_json


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.json"


def read(file: Path, value: object) -> Settings:
    write_json(file, value)
    return Settings.read(file)


def test_a_round_trip(file: Path) -> None:
    settings = Settings(
        language="zh_CN",
        enter_sends=False,
        model="qwen",
        context_window=4096,
        system_prompt="说话要短。",
        sampling=SamplingParams(temperature=0.0, seed=2**32 - 2, max_tokens=64, stop=("\n", "。")),
    )
    settings.save(file)
    assert Settings.read(file) == settings
    assert "说话要短" in file.read_text("utf-8")


def test_no_file_means_the_defaults(file: Path) -> None:
    assert Settings.read(file) == Settings()
    assert not file.exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe\x00", b"[" * 100_000, b'{"sampling": 3}'],
)
def test_a_damaged_file_means_the_defaults_and_is_left_alone(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    assert Settings.read(file) == Settings()
    assert file.read_bytes() == content


def test_what_does_not_fit_is_left_at_its_default(file: Path) -> None:
    found = read(
        file,
        {
            "language": 5,
            "theme": "dark",
            "enter_sends": "yes",
            "model": ["x"],
            "context_window": True,
            "from_the_future": 1,
            "sampling": {"temperature": "hot", "top_k": 1.5, "top_p": 1, "stop": "x", "seed": 5},
        },
    )
    assert found == Settings(theme="dark", sampling=SamplingParams(top_p=1.0, seed=5))


@pytest.mark.parametrize(
    ("written", "learn_from"),
    [("everything", "everything"), ("nothing", "nothing"), ("all", "rated"), (1, "rated")],
)
def test_what_may_be_learned_from_is_one_of_three(
    file: Path, written: object, learn_from: str
) -> None:
    assert read(file, {"learn_from": written}) == Settings(learn_from=learn_from)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e300", "1" + "0" * 400, "true", "null"])
def test_numbers_that_are_none(file: Path, number: str) -> None:
    file.parent.mkdir()
    sampling = f'{{"temperature": {number}, "top_k": {number}, "min_p": {number}}}'
    file.write_text(f'{{"context_window": {number}, "sampling": {sampling}}}', "utf-8")
    assert Settings.read(file) == Settings()


@pytest.mark.parametrize(
    ("written", "options"),
    [
        ({}, LoadOptions()),
        ({"context_window": 4096, "parallel": 2}, LoadOptions(4096, 2)),
        ({"remote_devices": ["10.0.0.2:50052"]}, LoadOptions(remote=("10.0.0.2:50052",))),
        ({"parallel": 0}, LoadOptions(parallel=1)),
        ({"model_options": {"m": {"threads": 3}}}, LoadOptions(threads=3)),
        ({"model_options": {"m": {"context_window": 1}}}, LoadOptions(MIN_CONTEXT_WINDOW)),
        (
            {"model_options": {"m": {"tensor_split": [1, 0.5], "devices": ["RPC0"]}}},
            LoadOptions(tensor_split=(1.0, 0.5), devices=("RPC0",)),
        ),
        ({"model_options": {"other": {"threads": 3}}}, LoadOptions()),
        ({"model_options": {"m": {"threads": None, "mlock": True}}}, LoadOptions(mlock=True)),
        ({"model_options": {"m": {"threads": "3", "kv_type": "f64", "?": 1}}}, LoadOptions()),
        ({"model_options": {"m": {"tensor_split": ["x"], "devices": 1}}}, LoadOptions()),
        ({"model_options": {"m": [1], "n": None}}, LoadOptions()),
        ({"model_options": ["m"]}, LoadOptions()),
    ],
)
def test_what_a_model_is_loaded_with(
    file: Path, written: dict[str, object], options: LoadOptions
) -> None:
    assert read(file, written).load_options("m") == options


def test_options_of_one_model_are_what_was_set_by_hand(file: Path) -> None:
    settings = Settings(context_window=4096)
    chosen = replace(settings.load_options("m"), kv_type="q8_0", devices=("CPU",))
    settings = settings.with_load_options("m", chosen)
    settings.save(file)
    assert Settings.read(file) == settings
    settings = replace(settings, context_window=2048)
    assert settings.load_options("m") == replace(chosen, context_window=2048)
    assert settings.load_options("other") == LoadOptions(2048)
    general = settings.load_options("other")
    assert settings.with_load_options("m", general) == Settings(context_window=2048)


def test_values_within_values(file: Path) -> None:
    found = read(file, {"sampling": {"logit_bias": [[5, -100], [7, 1.5]], "stop": ["a"]}})
    assert found.sampling == SamplingParams(logit_bias=((5, -100.0), (7, 1.5)), stop=("a",))
    for broken in ([[5]], [[5, 1, 2]], [5], ["ab"], [[1.5, 1]], {"5": 1}):
        assert read(file, {"sampling": {"logit_bias": broken}}) == Settings()


def test_sizes_in_bytes_may_be_large(file: Path) -> None:
    assert read(file, {"sessions_limit_bytes": 2**35}).sessions_limit_bytes == 2**35
    assert read(file, {"sessions_limit_bytes": 2**51}) == Settings()


def test_a_context_window_has_a_least_size(file: Path) -> None:
    assert read(file, {"context_window": -5}).context_window == MIN_CONTEXT_WINDOW


def test_saving_where_nothing_can_be_saved(tmp_path: Path) -> None:
    (tmp_path / "config").touch()
    with pytest.raises(EnvironmentProblem):
        Settings().save(tmp_path / "config" / "settings.json")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(file: Path) -> None:
    write_json(file, {"old": 1})
    with pytest.raises(TypeError):
        write_json(file, {"new": object()})
    file.unlink()
    file.mkdir()
    with pytest.raises(OSError, match="settings"):
        write_json(file, {"new": 1})
    assert list(file.parent.iterdir()) == [file]


def test_writing_from_many_threads_leaves_one_whole_file(file: Path) -> None:
    values = [{"value": str(n) * 10_000} for n in range(8)]
    threads = [threading.Thread(target=write_json, args=(file, value)) for value in values]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert json.loads(file.read_text("utf-8")) in values
    assert list(file.parent.iterdir()) == [file]


def test_half_a_character_does_not_stop_the_saving(file: Path) -> None:
    replace(Settings(), system_prompt="a\ud83d").save(file)
    assert Settings.read(file).system_prompt == "a?"

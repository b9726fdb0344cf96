"""What is read from the file of the settings, and what is written."""

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.files import write_json
from chatdesk.core.loading import MIN_CONTEXT_WINDOW, LoadOptions
from chatdesk.core.personalization import LearnFrom
from chatdesk.core.sampling import Preset, SamplingParams
from chatdesk.core.settings import (
    ChatSettings,
    DeviceSettings,
    DownloadSettings,
    GeneralSettings,
    LearningSettings,
    ModelSettings,
    ServerSettings,
    SessionSettings,
    Settings,
)
from chatdesk.core.settings_file import read_settings, save_settings

WITHOUT_SECTIONS = Settings(  # what versions without sections could set, each to another value
    general=GeneralSettings("zh_CN", "dark", enter_sends=False, look_for_updates=True),
    chat=ChatSettings(
        "说话要短。",
        SamplingParams(temperature=0.0, seed=2**32 - 2, max_tokens=64, stop=("\n", "。")),
    ),
    models=ModelSettings("qwen", 4096, 2, 5, {"qwen": {"threads": 3, "kv_type": "q8_0"}}),
    sessions=SessionSettings(keep=False, limit_bytes=2**35),
    devices=DeviceSettings(("10.0.0.2:50052",)),
    server=ServerSettings(on=True, port=9090, key="secret"),
    learning=LearningSettings(
        LearnFrom.EVERYTHING, on_battery=True, when_hot=True, when_idle=True, tensorboard=True
    ),
    downloads=DownloadSettings("https://mirror.example", 3, 2_500_000, "/disk/models"),
)
OTHERS = WITHOUT_SECTIONS.edited(  # than the defaults, each of them; newer ones are added here
    "general", text_percent=125, announce_answers=False
).edited("chat", presets=(Preset("Mine", SamplingParams(temperature=0.3, stop=("。",))),))
OTHERS = OTHERS.edited("server", allow_hosts=("chat.example",), allow_origins=("app://x",))
OTHERS = OTHERS.edited("downloads", token_saved=True)
OTHERS = OTHERS.edited("chat", trash_days=90)
OTHERS = OTHERS.edited("backup", daily=False, kept=7, folder="/disk/backups")
FLAT = {  # as versions without sections wrote them
    "language": "zh_CN",
    "theme": "dark",
    "enter_sends": False,
    "model": "qwen",
    "context_window": 4096,
    "parallel": 2,
    "unload_after_min": 5,
    "keep_sessions": False,
    "sessions_limit_bytes": 2**35,
    "remote_devices": ["10.0.0.2:50052"],
    "server_on": True,
    "server_port": 9090,
    "server_key": "secret",
    "learn_from": "everything",
    "learn_on_battery": True,
    "learn_when_hot": True,
    "learn_when_idle": True,
    "tensorboard": True,
    "hub_endpoint": "https://mirror.example",
    "downloads_at_once": 3,
    "download_limit_bytes": 2_500_000,
    "models_folder": "/disk/models",
    "look_for_updates": True,
    "model_options": {"qwen": {"threads": 3, "kv_type": "q8_0"}},
    "system_prompt": "说话要短。",
    "sampling": {"temperature": 0.0, "seed": 2**32 - 2, "max_tokens": 64, "stop": ["\n", "。"]},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.json"


def read(file: Path, value: object) -> Settings:
    write_json(file, value)
    return read_settings(file)


def test_a_round_trip(file: Path) -> None:
    defaults = Settings()
    for section in (getattr(OTHERS, each.name) for each in fields(OTHERS)):
        for each in fields(section):
            standard = getattr(type(section)(), each.name)
            assert getattr(section, each.name) != standard, each.name
    save_settings(OTHERS, file)
    assert read_settings(file) == OTHERS
    assert "说话要短" in file.read_text("utf-8")
    save_settings(defaults, file)
    assert read_settings(file) == defaults


def test_a_file_of_a_version_without_sections(file: Path) -> None:
    assert len(FLAT) == 26
    assert read(file, FLAT) == WITHOUT_SECTIONS
    save_settings(WITHOUT_SECTIONS, file)
    written = json.loads(file.read_text("utf-8"))
    assert written == json.loads(json.dumps(asdict(WITHOUT_SECTIONS)))


@pytest.mark.parametrize(("found", "percent"), [(10, 80), (500, 200), (110, 110), ("big", 100)])
def test_the_size_of_text_stays_within_what_can_be_read(
    file: Path, found: object, percent: int
) -> None:
    assert read(file, {"general": {"text_percent": found}}).general.text_percent == percent


def test_a_section_holds_before_what_an_older_version_wrote(file: Path) -> None:
    found = read(file, {"server_port": 1, "server_key": "old", "server": {"port": 2}})
    assert found.server == ServerSettings(port=2, key="old")
    assert read(file, {"server_port": 1, "server": "none"}) == Settings()


def test_what_another_version_wrote_stays(file: Path) -> None:
    future = {"weather": {"on": True}, "server": {"port": 1, "tls": "yes"}, "odd": None}
    sampler = {"sampling": {"top_z": 0.5, "top_k": 3}}
    settings = read(file, {**future, **sampler})
    save_settings(settings.edited("server", port=2), file)
    written = json.loads(file.read_text("utf-8"))
    assert (written["weather"], written["odd"]) == ({"on": True}, None)
    assert (written["server"]["port"], written["server"]["tls"]) == (2, "yes")
    assert (written["chat"]["sampling"]["top_z"], written["chat"]["sampling"]["top_k"]) == (0.5, 3)
    assert "sampling" not in written


def test_no_file_means_the_defaults(file: Path) -> None:
    assert read_settings(file) == Settings()
    assert not file.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"sampling": 3}',
        b'{"chat": {"sampling": 3}, "server": 5, "models": [1]}',
    ],
)
def test_a_damaged_file_means_the_defaults_and_is_left_alone(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    assert read_settings(file) == Settings()
    assert file.read_bytes() == content
    save_settings(OTHERS, file)
    assert read_settings(file) == OTHERS


def test_what_does_not_fit_is_left_at_its_default(file: Path) -> None:
    sampling = {"temperature": "hot", "top_k": 1.5, "top_p": 1, "stop": "x", "seed": 5}
    found = read(
        file,
        {
            "general": {"language": 5, "theme": "dark", "enter_sends": "yes"},
            "models": {"chosen": ["x"], "context_window": True},
            "chat": {"sampling": sampling},
            "from_the_future": 1,
        },
    )
    assert found == Settings(
        general=GeneralSettings(theme="dark"),
        chat=ChatSettings(sampling=SamplingParams(top_p=1.0, seed=5)),
    )


@pytest.mark.parametrize(
    ("written", "learn_from"),
    [("everything", "everything"), ("nothing", "nothing"), ("all", "rated"), (1, "rated")],
)
def test_what_may_be_learned_from_is_one_of_three(
    file: Path, written: object, learn_from: str
) -> None:
    found = read(file, {"learning": {"learn_from": written}}).learning.learn_from
    assert found is LearnFrom(learn_from)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e300", "1" + "0" * 400, "true", "null"])
def test_numbers_that_are_none(file: Path, number: str) -> None:
    file.parent.mkdir()
    sampling = f'{{"temperature": {number}, "top_k": {number}, "min_p": {number}}}'
    models = f'{{"context_window": {number}}}'
    file.write_text(f'{{"models": {models}, "chat": {{"sampling": {sampling}}}}}', "utf-8")
    assert read_settings(file) == Settings()


@pytest.mark.parametrize(
    ("models", "options"),
    [
        ({}, LoadOptions()),
        ({"context_window": 4096, "parallel": 2}, LoadOptions(4096, 2)),
        ({"parallel": 0}, LoadOptions(parallel=1)),
        ({"options": {"m": {"threads": 3}}}, LoadOptions(threads=3)),
        ({"options": {"m": {"context_window": 1}}}, LoadOptions(MIN_CONTEXT_WINDOW)),
        (
            {"options": {"m": {"tensor_split": [1, 0.5], "devices": ["RPC0"]}}},
            LoadOptions(tensor_split=(1.0, 0.5), devices=("RPC0",)),
        ),
        ({"options": {"other": {"threads": 3}}}, LoadOptions()),
        ({"options": {"m": {"threads": None, "mlock": True}}}, LoadOptions(mlock=True)),
        ({"options": {"m": {"threads": "3", "kv_type": "f64", "?": 1}}}, LoadOptions()),
        ({"options": {"m": {"tensor_split": ["x"], "devices": 1}}}, LoadOptions()),
        ({"options": {"m": [1], "n": None}}, LoadOptions()),
        ({"options": ["m"]}, LoadOptions()),
    ],
)
def test_what_a_model_is_loaded_with(
    file: Path, models: dict[str, object], options: LoadOptions
) -> None:
    assert read(file, {"models": models}).load_options("m") == options


def test_other_computers_lend_their_devices_to_every_model(file: Path) -> None:
    found = read(file, {"devices": {"remote": ["10.0.0.2:50052"]}})
    assert found.load_options("m") == LoadOptions(remote=("10.0.0.2:50052",))


def test_values_within_values(file: Path) -> None:
    def sampling(**values: Any) -> SamplingParams:
        return read(file, {"chat": {"sampling": values}}).chat.sampling

    found = sampling(logit_bias=[[5, -100], [7, 1.5]], stop=["a"])
    assert found == SamplingParams(logit_bias=((5, -100.0), (7, 1.5)), stop=("a",))
    for broken in ([[5]], [[5, 1, 2]], [5], ["ab"], [[1.5, 1]], {"5": 1}):
        assert sampling(logit_bias=broken) == SamplingParams()


def test_sizes_in_bytes_may_be_large(file: Path) -> None:
    assert read(file, {"sessions": {"limit_bytes": 2**35}}).sessions.limit_bytes == 2**35
    assert read(file, {"sessions": {"limit_bytes": 2**51}}) == Settings()


def test_numbers_have_a_least_value(file: Path) -> None:
    found = read(
        file,
        {
            "models": {"context_window": -5, "unload_after_min": -1},
            "downloads": {"at_once": 0, "limit_bytes": -1},
        },
    )
    assert found.models == ModelSettings(context_window=MIN_CONTEXT_WINDOW, unload_after_min=0)
    assert found.downloads == DownloadSettings(at_once=1, limit_bytes=0)


def test_saving_where_nothing_can_be_saved(tmp_path: Path) -> None:
    (tmp_path / "config").touch()
    with pytest.raises(EnvironmentProblem):
        save_settings(Settings(), tmp_path / "config" / "settings.json")


def test_half_a_character_does_not_stop_the_saving(file: Path) -> None:
    save_settings(Settings(chat=ChatSettings("a\ud83d")), file)
    assert read_settings(file).chat.system_prompt == "a?"


def test_half_a_character_is_mended_in_every_key_and_value(file: Path) -> None:
    options = {"a\ud83d": {"note\ud83d": ["b\udc00", {"c": "\ud83d\ude42"}]}}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"models": {"options": options}, "another\ud83d": "x\ud83d"}))
    found = read_settings(file)
    mended = {"a\ufffd": {"note\ufffd": ["b\ufffd", {"c": "🙂"}]}}
    assert found.models.options == mended
    save_settings(found, file)
    written = json.loads(file.read_text(encoding="utf-8"))
    assert written["models"]["options"] == mended
    assert written["another\ufffd"] == "x\ufffd"


def test_words_and_choices_that_cannot_be_are_mended(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    for theme in ("blue", "a\u0000b", "", "../light"):
        file.write_text(
            json.dumps({"general": {"theme": theme}, "chat": {"system_prompt": "a\ud83db"}})
        )
        settings = read_settings(file)
        assert settings.general.theme == "system"
        assert settings.chat.system_prompt == "a\ufffdb"

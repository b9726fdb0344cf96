"""The user's settings: a section for each feature.

A new setting is a field here and a field on the feature's page. A new feature is a section here, a
page, and the page's line in the dialog.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any, Self

from chatdesk.core.coercion import AtLeast, Between, OneOf, fitting, unknown
from chatdesk.core.loading import ContextWindow, LoadOptions, Parallel
from chatdesk.core.personalization import LearnFrom
from chatdesk.core.sampling import Preset, SamplingParams
from chatdesk.core.units import GB

TEXT_PERCENTS = (80, 90, 100, 110, 125, 150, 175, 200)
TextPercent = Annotated[int, Between(TEXT_PERCENTS[0], TEXT_PERCENTS[-1])]


@dataclass(frozen=True, slots=True)
class GeneralSettings:
    """Look and behaviour of the window; the size of its text is in percent of the usual one.

    With `look_for_updates`, once a day a server is asked whether there is a newer version. With
    `announce_answers` the desktop tells that a long answer is ready while the window is behind.
    """

    language: str = "system"
    theme: Annotated[str, OneOf(("system", "light", "dark"))] = "system"
    enter_sends: bool = True
    look_for_updates: bool = False
    text_percent: TextPercent = 100
    announce_answers: bool = True


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """Defaults of new chats, and the presets that a person has made.

    Deleted chats are gone for good after `trash_days`; 0 keeps them.
    """

    system_prompt: str = ""
    sampling: SamplingParams = field(default_factory=SamplingParams)
    presets: tuple[Preset, ...] = ()
    trash_days: Annotated[int, Between(0, 3650)] = 30


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The models. `chosen` is the id of the model in use, `context_window` is in tokens.

    A model that was not used for `unload_after_min` minutes is unloaded (0: never). `options` are,
    by a model's id, the fields of `LoadOptions` that were set by hand.
    """

    chosen: str | None = None
    context_window: ContextWindow = 8192
    parallel: Parallel = 4
    unload_after_min: Annotated[int, AtLeast(0)] = 30
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """The saving of KV states to disk: on or off, and its limit."""

    keep: bool = True
    limit_bytes: int = 2 * GB


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """Devices: `remote` are addresses of other computers that run `chatdesk serve-device`."""

    remote: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """The server: while `on`, other programs on this computer may ask the model at `port`.

    Only those that know `key`, unless it is empty. `allow_hosts` are names that it answers to
    beside its own, `allow_origins` those whose pages may ask, too.
    """

    on: bool = False
    port: int = 8089
    key: str = ""
    allow_hosts: tuple[str, ...] = ()
    allow_origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LearningSettings:
    """Personalization: the conversations to learn from, and the times for it.

    Training continues also `on_battery`, also `when_hot` (the processor), and with `when_idle` only
    while nobody uses the computer. With `tensorboard` each run writes files for it.
    """

    learn_from: LearnFrom = LearnFrom.RATED
    on_battery: bool = False
    when_hot: bool = False
    when_idle: bool = False
    tensorboard: bool = False


@dataclass(frozen=True, slots=True)
class BackupSettings:
    """Backups: with `daily` one is made each day, and the newest `kept` of those stay.

    They are in `folder`, "" for the app's own.
    """

    daily: bool = True
    kept: Annotated[int, Between(1, 99)] = 3
    folder: str = ""


@dataclass(frozen=True, slots=True)
class DownloadSettings:
    """Downloads: `mirror` is used instead of the Hugging Face hub, "" for the hub itself.

    `at_once` models are fetched together, with at most `limit_bytes` per second (0: no limit), into
    `folder` ("" for the app's own). `token_saved` says if there was an access token when the
    keyring was last asked.
    """

    mirror: str = ""
    at_once: Annotated[int, AtLeast(1)] = 2
    limit_bytes: Annotated[int, AtLeast(0)] = 0
    folder: str = ""
    token_saved: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """All sections."""

    general: GeneralSettings = field(default_factory=GeneralSettings)
    chat: ChatSettings = field(default_factory=ChatSettings)
    models: ModelSettings = field(default_factory=ModelSettings)
    sessions: SessionSettings = field(default_factory=SessionSettings)
    devices: DeviceSettings = field(default_factory=DeviceSettings)
    server: ServerSettings = field(default_factory=ServerSettings)
    learning: LearningSettings = field(default_factory=LearningSettings)
    downloads: DownloadSettings = field(default_factory=DownloadSettings)
    backup: BackupSettings = field(default_factory=BackupSettings)

    def edited(self, section: str, **values: object) -> Self:
        """Return the settings with other values in one section."""
        edited = replace(getattr(self, section), **values)
        return replace(self, **{section: edited})

    def general_options(self) -> LoadOptions:
        """Load options of a model that has none of its own."""
        models = self.models
        return LoadOptions(models.context_window, models.parallel, remote=self.devices.remote)

    def load_options(self, model_id: str) -> LoadOptions:
        """Return a model's load options: its own, then the general settings."""
        own = fitting(LoadOptions, self.models.options.get(model_id))
        return replace(self.general_options(), **own)

    def with_load_options(self, model_id: str, options: LoadOptions) -> Self:
        """Return the settings with the model's own options: where `options` differ from these."""
        general = asdict(self.general_options())
        own = {name: value for name, value in asdict(options).items() if value != general[name]}
        options_of = dict(self.models.options)
        own |= unknown(LoadOptions, options_of.pop(model_id, None))
        return self.edited("models", options={**options_of, **({model_id: own} if own else {})})

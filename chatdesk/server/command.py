"""The API without a window: the `chatdesk serve` command."""

from collections.abc import Callable

from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import Settings
from chatdesk.server.api_server import ApiServer
from chatdesk.services.app import build

TICK_S = 0.5  # on Windows a waiting thread gets Ctrl+C only between waits


def serve(
    paths: AppPaths,
    settings: Settings,
    model: str | None,
    host: str,
    port: int,
    key: str | None,
    on_listening: Callable[[str], None],
) -> None:
    """Serve until Ctrl+C (`KeyboardInterrupt` is not caught); `on_listening` gets the address.

    `model` is an id or a path; None means the model chosen last. Raises `EnvironmentProblem`, also
    when that model cannot be loaded.
    """
    services = build(paths, lambda fact: None, lambda: settings)
    allowed = settings.server
    server = ApiServer(services, host, port, key, allowed.allow_hosts, allowed.allow_origins)
    try:
        chosen = services.models.chosen(model, settings.models.chosen)
        server.start()
        services.load_model(chosen, to_embed=True)
        on_listening(server.url)
        services.engine.wait_loaded()
        while server.running:
            server.wait(TICK_S)
    finally:
        server.stop()
        services.close()

"""The command line: one short function per subcommand, no logic of its own.

0 on success, 1 on a failure the user can mend (one line on stderr), 2 on wrong usage, 130 when
interrupted. Only the bare `chatdesk` imports Qt.
"""

import argparse
import contextlib
import importlib
import io
import json
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from chatdesk import __version__
from chatdesk.cli.backup import add_backup
from chatdesk.cli.conversations import add_conversations
from chatdesk.cli.models import add_models
from chatdesk.cli.parts import (
    FAILURE,
    INTERRUPTED,
    OK,
    Command,
    add_json,
    fail,
    note,
    print_json,
    seed_argument,
    text_argument,
    within,
)
from chatdesk.cli.personalize import add_personalize
from chatdesk.cli.projects import add_projects
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import set_language, system_language, tr
from chatdesk.core.paths import AppPaths, assets_dir
from chatdesk.core.settings import Settings
from chatdesk.core.settings_file import read_settings
from chatdesk.services.system.locations import find_paths, start_logging
from chatdesk.startup import NoWindow, check_folders, check_processor, check_screen

BENCHES = ("engine", "sessions", "ui", "hour", "library", "training", "faults", "store")
MAX_TOKENS, MAX_TEMPERATURE = 2**31 - 1, 100  # what the engine takes
MAX_PORT, MAX_THREADS = 2**16 - 1, 512
KEY_VARIABLE = "CHATDESK_API_KEY"  # unlike an option it is in no list of processes

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code. Raises `SystemExit(2)` on wrong usage."""
    _use_utf8()
    locale_dir = assets_dir() / "locale"
    set_language(system_language(), locale_dir)
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words and words[0].lower().endswith(".gguf"):  # dropped on the app's icon, on Windows
        words.insert(0, "open")
    options = _parser().parse_args(words)
    try:
        return _run(options, locale_dir)
    except EnvironmentProblem as problem:
        code = fail(str(problem))
        if options.command is _window and not isinstance(problem, NoWindow):
            from chatdesk.app import show_problem

            show_problem(problem)
        return code
    except BrokenPipeError:  # whoever read our output has left
        _drop_output()
        return FAILURE
    except OSError as problem:  # output to a full disk, input from a folder and the like
        _log.exception("the system refused something")
        _drop_output()
        return fail(tr("The system reports an error: {reason}.", reason=problem))
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(options: argparse.Namespace, locale_dir: Path) -> int:
    command: Command = options.command
    check_processor()
    if command is _window:
        check_screen()
    paths = find_paths()
    if paths.restoring.exists():  # else nothing of it is imported
        from chatdesk.services.history.restoring import finish

        finish(paths)
    settings = read_settings(paths.settings)
    if settings.general.language != "system":
        set_language(settings.general.language, locale_dir)
    log = start_logging(paths, "window" if command is _window else "commands")
    try:
        code = command(options, paths, settings)
        if sys.stdout is not None:  # there is none in a windowed app
            sys.stdout.flush()  # at exit it would be too late to report an error
        return code
    except (EnvironmentProblem, OSError):
        raise
    except Exception as bug:
        _log.exception("a bug in a command")
        kind = type(bug).__name__
        return fail(
            tr("This is a bug in ChatDesk ({kind}). Details are in {log}.", kind=kind, log=log)
        )


def _drop_output() -> None:
    """Let what could not be written vanish; Python would complain about it once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _use_utf8() -> None:
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "chatdesk",
        description=tr("A private AI assistant that lives on your computer."),
        epilog=tr("Without a command the window opens."),
    )
    parser.add_argument("--version", action="version", version=f"ChatDesk {__version__}")
    parser.set_defaults(command=_window, files=[])
    commands = parser.add_subparsers(metavar=tr("COMMAND"))
    window = commands.add_parser("open", help=tr("open the window and use these model files"))
    window.add_argument("files", metavar="FILE", type=Path, nargs="*", help=tr("a GGUF file"))
    window.set_defaults(command=_window)
    _add_ask(commands)
    add_models(commands)
    add_conversations(commands)
    add_projects(commands)
    add_backup(commands)
    add_personalize(commands)
    _add_serve(commands)
    _add_serve_device(commands)
    doctor = commands.add_parser(
        "doctor", help=tr("check this computer, and print what is wrong with it")
    )
    doctor.set_defaults(command=_doctor)
    add_json(doctor)
    bench = commands.add_parser("bench", help=tr("measure this app against a baseline"))
    bench.add_argument("name", choices=BENCHES)
    add_json(bench)
    bench.add_argument("--quick", action="store_true", help=tr("with store: a hundredth of it"))
    bench.set_defaults(command=_bench)
    return parser


def _add_ask(commands: Any) -> None:
    parser = commands.add_parser("ask", help=tr("ask one question and print the answer"))
    prompt = tr("the question; - reads it from stdin")
    parser.add_argument("prompt", metavar="PROMPT", type=text_argument, help=prompt)
    for name, metavar, kind, text in (
        ("--model", "ID|PATH", str, tr("the model to ask, instead of the one chosen last")),
        ("--system", "TEXT", text_argument, tr("the system prompt of a new chat")),
        ("--conversation", "ID|new", text_argument, tr("go on with this chat; new begins one")),
        ("--adapter", "ID|none", str, tr("the adapter to use; none asks the model as it is")),
        ("--max-tokens", "N", _max_tokens, tr("the longest answer, in tokens")),
        ("--temperature", "T", _temperature, tr("0 always takes the likeliest word")),
        ("--seed", "N", seed_argument, tr("the same seed gives the same answer")),
    ):
        default = "new" if name == "--conversation" else None
        parser.add_argument(name, metavar=metavar, type=kind, default=default, help=text)
    parser.add_argument("--temporary", action="store_true", help=tr("do not save this chat"))
    parser.add_argument("--stream", action="store_true", help=tr("with --json: an object a line"))
    parser.set_defaults(command=_ask, parser=parser)
    add_json(parser)


def _add_serve(commands: Any) -> None:
    serve = commands.add_parser(
        "serve", help=tr("serve other programs through OpenAI's HTTP interface")
    )
    key = tr("the key that clients must send; it can also be in {variable}", variable=KEY_VARIABLE)
    for name, metavar, kind, default, text in (
        ("--host", "HOST", str, "127.0.0.1", tr("the address to listen on; others need a key")),
        ("--port", "PORT", _port, 8089, tr("the port to listen on; 0 takes a free one")),
        ("--api-key", "KEY", str, None, key),
        ("--model", "ID|PATH", str, None, tr("the model to ask, instead of the one chosen last")),
    ):
        serve.add_argument(name, metavar=metavar, type=kind, default=default, help=text)
    for name, metavar, text in (
        ("--allow-host", "NAME", tr("answer to this name, too, as host.docker.internal")),
        ("--allow-origin", "ORIGIN", tr("let pages of it ask, too, as app://obsidian.md")),
    ):
        serve.add_argument(name, metavar=metavar, action="append", default=[], help=text)
    serve.set_defaults(command=_serve)


def _add_serve_device(commands: Any) -> None:
    lend = commands.add_parser(
        "serve-device", help=tr("let ChatDesk on other computers compute on this one")
    )
    for name, metavar, kind, default, text in (
        ("--host", "HOST", str, "127.0.0.1", tr("the address of this computer to listen on")),
        ("--port", "PORT", _fixed_port, 50052, tr("the port to listen on")),
        ("--threads", "N", _threads, None, tr("how many threads compute")),
    ):
        lend.add_argument(name, metavar=metavar, type=kind, default=default, help=text)
    lend.set_defaults(command=_serve_device)


def _max_tokens(text: str) -> int:
    return within(int, text, 1, MAX_TOKENS)


def _temperature(text: str) -> float:
    return within(float, text, 0, MAX_TEMPERATURE)


def _port(text: str) -> int:
    return within(int, text, 0, MAX_PORT)


def _fixed_port(text: str) -> int:
    return within(int, text, 1, MAX_PORT)


def _threads(text: str) -> int:
    return within(int, text, 1, MAX_THREADS)


def _window(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    check_folders(paths)
    from chatdesk.app import run

    return run(paths, settings, models=[path.absolute() for path in options.files])


def _ask(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    from chatdesk.cli.ask import AskRequest, ask

    new = options.conversation == "new"
    if not new and (options.temporary or options.system is not None):
        options.parser.error(tr("--temporary and --system go with a new conversation"))
    prompt = sys.stdin.read() if options.prompt == "-" else options.prompt
    if not prompt.strip():
        options.parser.error(tr("the question is empty"))
    request = AskRequest(
        prompt=prompt,
        model=options.model,
        system=options.system,
        conversation=None if new else options.conversation,
        temporary=options.temporary,
        adapter=options.adapter,
        max_tokens=options.max_tokens,
        temperature=options.temperature,
        seed=options.seed,
    )

    def on_text(text: str) -> None:
        if options.json and options.stream:
            print(json.dumps({"text": text}, ensure_ascii=False), flush=True)
        elif not options.json:
            print(text, end="", flush=True)

    result = ask(paths, settings, request, on_text, note)
    if options.json:
        print_json(asdict(result))
    else:
        print()
    return INTERRUPTED if result.stop_reason == "cancelled" else OK


def _serve(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    from chatdesk.server.command import serve

    def on_listening(url: str) -> None:
        print(tr("Serving on {url}. Ctrl+C ends it.", url=url), flush=True)

    key = options.api_key or os.environ.get(KEY_VARIABLE)
    hosts = (*settings.server.allow_hosts, *options.allow_host)
    origins = (*settings.server.allow_origins, *options.allow_origin)
    settings = settings.edited("server", allow_hosts=hosts, allow_origins=origins)
    serve(paths, settings, options.model, options.host, options.port, key, on_listening)
    return OK


def _serve_device(options: argparse.Namespace, _paths: AppPaths, _: Settings) -> int:
    from chatdesk.services.devices.device_server import lend_devices

    lend_devices(options.host, options.port, options.threads, lambda text: print(text, flush=True))


def _doctor(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    from chatdesk.services.system.doctor import examine

    checks = examine(paths, settings)
    if options.json:
        print_json({"checks": [asdict(check) for check in checks], "version": __version__})
    else:
        for check in checks:
            print(f"{'ok ' if check.ok else 'BAD'}  {check.name}: {check.detail}")
    return OK if all(check.ok for check in checks) else FAILURE


def _bench(options: argparse.Namespace, _paths: AppPaths, _: Settings) -> int:
    folder = Path(__file__).resolve().parents[2] / "benchmarks"
    if not folder.is_dir():
        raise EnvironmentProblem(
            tr("The benchmarks are not part of an installed ChatDesk."),
            tr(
                "Run them in a checkout, with: python3 dev.py run -- bench {name}",
                name=options.name,
            ),
        )
    sys.argv = [f"chatdesk bench {options.name}", *(["--quick"] if options.quick else [])]
    measure = importlib.import_module(f"benchmarks.{options.name}").main
    if not options.json:
        measure()
        return OK
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        measure()
    print(printed.getvalue().splitlines()[-1])
    return OK

"""The commands of `chatdesk personalize`."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatdesk.cli.parts import (
    OK,
    Action,
    Argument,
    Document,
    add_actions,
    fail,
    note,
    print_fields,
    print_json,
    print_rows,
    seed_argument,
    show_share,
    text_argument,
    within,
)
from chatdesk.core.i18n import tr
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import Settings

if TYPE_CHECKING:  # each command imports what it needs itself
    from chatdesk.cli.personalize_runs import LearnRequest
    from chatdesk.core.personalization import Preview
    from chatdesk.services.personalize.facts import LearningProgress

MAX_EPOCHS, MAX_RANK = 100, 256


def add_personalize(commands: Any) -> None:
    """Make the commands known."""
    adapter = Argument("id", "ID", type=text_argument)
    place, file = Argument("dest", "DEST", type=Path), Argument("file", "FILE", type=Path)
    model = Argument("--model", "ID|PATH", help=tr("the model, instead of the one chosen last"))
    name = Argument("--name", "NAME", type=text_argument, help=tr("what to call it"))
    sources, training = _sources(), _training()
    actions = (
        Action("preview", tr("show exactly what would be learned"), _preview, (model, *sources)),
        Action(
            "train",
            tr("learn it, and print the result"),
            _train,
            (model, *sources, *training, name),
        ),
        Action("resume", tr("go on where it was interrupted"), _resume, (adapter,)),
        Action("list", tr("list the adapters, the newest first"), _list),
        Action("show", tr("print what was measured of an adapter"), _show, (adapter,)),
        Action("activate", tr("use an adapter for its model"), _activate, (adapter,)),
        Action("rollback", tr("go back to what was active before"), _rollback, (model,)),
        Action("delete", tr("remove an adapter for good"), _delete, (adapter,)),
        Action("export", tr("copy an adapter to a .gguf or folder"), _export, (adapter, place)),
        Action(
            "import",
            tr("import a .gguf or PEFT adapter made elsewhere"),
            _import,
            (file, model, name),
        ),
    )
    add_actions(commands, "personalize", tr("have the model learn from you"), actions)


def _sources() -> tuple[Argument, ...]:
    several: dict[str, Any] = {"nargs": "+", "action": "extend"}
    chats = tr("learn from all of this chat, whatever the settings say; may be given again")
    files = tr("learn from this file of chats, one JSON object a line; may be given again")
    return (
        Argument("--conversation", "ID", type=text_argument, help=chats, **several),
        Argument("--dataset", "FILE", type=Path, help=files, **several),
    )


def _training() -> tuple[Argument, ...]:
    seed = tr("the same seed gives the same adapter")
    return (
        Argument(
            "--epochs", "N", type=_epochs, help=tr("how many times it goes through all examples")
        ),
        Argument("--rank", "N", type=_rank, help=tr("how much the adapter can hold")),
        Argument("--seed", "N", type=seed_argument, help=seed),
        Argument("--yes", action="store_true", help=tr("agree to what preview shows")),
    )


def _epochs(text: str) -> int:
    return within(int, text, 1, MAX_EPOCHS)


def _rank(text: str) -> int:
    return within(int, text, 1, MAX_RANK)


def _learn_request(options: argparse.Namespace) -> "LearnRequest":
    from chatdesk.cli.personalize_runs import LearnRequest
    from chatdesk.core.personalization import TrainingConfig

    given = {name: getattr(options, name, None) for name in ("epochs", "rank", "seed")}
    return LearnRequest(
        conversations=tuple(options.conversation or ()),
        files=tuple(options.dataset or ()),
        model=options.model,
        config=TrainingConfig(**{name: value for name, value in given.items() if value}),
        name=getattr(options, "name", None) or "",
    )


def _preview(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    from chatdesk.cli.personalize_runs import preview

    document = preview(paths, settings, _learn_request(options))
    if options.json:
        print_json(document)
        return OK
    for example in document["examples"]:
        left_out = "" if example["chosen"] else f", {', '.join(example['doubts'])}"
        print(f"## {example['why']}, {example['tokens']} tokens{left_out}")
        for turn in example["turns"]:
            print(f"{turn['role']}: {turn['content']}")
        print(f"-> {example['target']}\n")
    print(_summary(document["chosen"], len(document["examples"]), document["tokens"]))
    if document["problem"]:
        print(document["problem"])
    return OK


def _summary(chosen: int, examples: int, tokens: int) -> str:
    return tr(
        "{chosen} of {n} examples would be learned, {tokens} tokens.",
        chosen=chosen,
        n=examples,
        tokens=f"{tokens:,}",
    )


def _train(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    from chatdesk.cli.personalize_runs import train

    if not options.yes and not sys.stdin.isatty():
        return fail(
            tr(
                "This is not a terminal, so ChatDesk cannot ask you. Look at what "
                "`chatdesk personalize preview` shows, then agree with --yes."
            )
        )

    def agree(preview: "Preview") -> bool:
        tokens = sum(example.tokens for example in preview.chosen)
        return options.yes or _agreed(_summary(len(preview.chosen), len(preview.examples), tokens))

    request = _learn_request(options)
    document = train(paths, settings, request, agree, _show_progress, note)
    if document is None:
        return fail(tr("Nothing was learned."))
    return _print_adapter(document, as_json=options.json)


def _agreed(summary: str) -> bool:
    print(summary, file=sys.stderr)
    print(tr("Learn from them? [y/N]"), end=" ", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes", tr("yes"))


def _show_progress(progress: "LearningProgress") -> None:
    show_share(progress.share)


def _resume(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    from chatdesk.cli.personalize_runs import resume

    document = resume(paths, settings, options.id, _show_progress, note)
    return _print_adapter(document, as_json=options.json)


def _print_adapter(document: Document, *, as_json: bool) -> int:
    if as_json:
        print_json(document)
        return OK
    for name, value in document.items():
        parts = "" if isinstance(value, list) else str(value or "")
        if isinstance(value, dict):
            numbers = {part: each for part, each in value.items() if isinstance(each, float)}
            parts = ", ".join(f"{part} {number:.4g}" for part, number in numbers.items() if number)
        if parts:
            print(f"{name}: {parts}")
    finished = document["finished"] or {"reasons": [], "facts": None}
    for reason in (*document["reasons"], *finished["reasons"]):
        print(f"- {reason}")
    if facts := finished["facts"]:
        print(tr("Facts told: {told} of {asked}, before: {before}", **_counted(facts)))
        for missed in facts["missed"]:
            print(f"- {missed['question']} -> {missed['expected']}")
    return OK


def _counted(facts: Document) -> Document:
    return {name: facts[name] for name in ("told", "asked", "before")}


def _list(options: argparse.Namespace, paths: AppPaths, _: Settings) -> int:
    from chatdesk.cli.documents.adapters import list_adapters

    def line(each: Document) -> str:
        state = tr("active") if each["active"] else each["state"]
        return f"{each['id']}  {each['created'][:16]}  {state}  {each['model']}  {each['name']}"

    return print_rows(list_adapters(paths), line, as_json=options.json)


def _show(options: argparse.Namespace, paths: AppPaths, _: Settings) -> int:
    from chatdesk.cli.documents.adapters import show_adapter

    return _print_adapter(show_adapter(paths, options.id), as_json=options.json)


def _activate(options: argparse.Namespace, paths: AppPaths, _: Settings) -> int:
    from chatdesk.cli.documents.adapters import activate_adapter

    return print_fields(activate_adapter(paths, options.id), as_json=options.json)


def _rollback(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    from chatdesk.cli.documents.adapters import roll_back

    return print_fields(roll_back(paths, settings, options.model), as_json=options.json)


def _delete(options: argparse.Namespace, paths: AppPaths, _: Settings) -> int:
    from chatdesk.cli.documents.adapters import delete_adapter

    return print_fields(delete_adapter(paths, options.id), as_json=options.json)


def _export(options: argparse.Namespace, paths: AppPaths, _: Settings) -> int:
    from chatdesk.cli.documents.adapters import export_adapter

    document = export_adapter(paths, options.id, options.dest)
    if options.json:
        print_json(document)
    else:
        print("\n".join(document["files"]))
    return OK


def _import(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    from chatdesk.cli.documents.adapters import import_adapter

    name = options.name or ""
    document = import_adapter(paths, settings, options.file, options.model, name)
    return _print_adapter(document, as_json=options.json)

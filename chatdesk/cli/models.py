"""The commands of `chatdesk models`."""

import argparse
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from chatdesk.cli.parts import (
    OK,
    Action,
    Argument,
    Document,
    add_actions,
    note,
    print_fields,
    print_json,
    print_rows,
    show_share,
    text_argument,
)
from chatdesk.core.i18n import tr
from chatdesk.core.model_files import Presence
from chatdesk.core.models import ModelRole
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import Settings
from chatdesk.core.units import size_words

SORTS = {"downloads": "downloads", "likes": "likes", "updated": "lastModified"}


def add_models(commands: Any) -> None:
    """Make the commands known."""
    model = Argument("model", "ID|PATH")
    actions = (
        Action("list", tr("list the models"), _list),
        Action("info", tr("print what is known about a model or a repository"), _info, (model,)),
        Action(
            "add",
            tr("add a GGUF file; it stays where it is"),
            _add,
            (Argument("path", "PATH", type=Path),),
        ),
        Action(
            "search",
            tr("search the hub for models"),
            _search,
            (
                Argument("words", "WORDS", type=text_argument, nargs="+"),
                Argument("--sort", choices=SORTS, default="downloads"),
            ),
        ),
        Action(
            "pull",
            tr("download a model; the same command resumes it"),
            _pull,
            (Argument("repo", "REPO[:FILE]", type=text_argument),),
        ),
        Action(
            "remove",
            tr("move a model to the trash"),
            _remove,
            (model, _flag("--forget", tr("only take it off the list; the file stays"))),
        ),
        Action(
            "elsewhere",
            tr("list the models that other apps keep"),
            _elsewhere,
            (_flag("--add", tr("add them all; they stay where they are")),),
        ),
        Action("duplicates", tr("find model files with the same content"), _duplicates),
        Action(
            "catalog",
            tr("list the models that are recommended"),
            _catalog,
            (_flag("--update", tr("download a newer list first")),),
        ),
        Action(
            "quantize",
            tr("make a smaller version of a model"),
            _quantize,
            (
                model,
                Argument("type", "TYPE"),
                _flag("--compare", tr("measure both models after it")),
            ),
        ),
        Action(
            "perplexity",
            tr("measure how well a model predicts a text"),
            _perplexity,
            (model, Argument("file", "FILE", type=Path)),
        ),
    )
    add_actions(commands, "models", tr("the models on this computer"), actions)


def _flag(name: str, text: str) -> Argument:
    return Argument(name, action="store_true", help=text)


def _list(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    from chatdesk.cli.documents.models import list_models

    infos = list_models(paths, settings)
    if options.json:  # a program wants those that it can use
        print_json([info for info, presence in infos if presence is Presence.THERE])
        return OK
    troubles = {Presence.MISSING: tr("file missing"), Presence.CHANGED: tr("file changed")}
    for info, presence in infos:
        name = f"{info['name']} {info['quantization']}"
        state = troubles.get(presence) or info["fit"]
        if presence is Presence.THERE and info["role"] != ModelRole.CHAT:
            state = f"{state}  {info['role']}"
        print(f"{info['id']}  {name}  {size_words(info['bytes'])}  {state}")
    return OK


def _info(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    from chatdesk.cli.documents.hub import is_repository, repository_info
    from chatdesk.cli.documents.models import model_info

    name = options.model
    if not is_repository(name) or os.path.exists(name):  # noqa: PTH110 - never raises
        return print_fields(model_info(paths, settings, name), as_json=options.json)
    document = repository_info(paths, settings, name)
    if options.json:
        print_json(document)
        return OK
    variants = document.pop("variants")
    print_fields(document, as_json=False)
    for variant in variants:
        mark = tr("recommended") if variant["recommended"] else ""
        kind, size = variant["quantization"], size_words(variant["bytes"])
        print(f"{kind:10} {size:>12}  {variant['fit'] or '?':9}  {mark}".rstrip())
    return OK


def _add(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    from chatdesk.cli.documents.models import add_model

    return print_fields(add_model(paths, settings, options.path), as_json=options.json)


def _search(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    from chatdesk.cli.documents.hub import search_hub

    def line(each: Document) -> str:
        role = "" if each["role"] == ModelRole.CHAT else each["role"]
        gated = tr("gated") if each["gated"] else ""
        told = (each["repo"], each["license"], role, gated)
        return f"{each['downloads']:>12,}  {'  '.join(filter(None, told))}"

    found = search_hub(paths, settings, " ".join(options.words), SORTS[options.sort])
    return print_rows(found, line, as_json=options.json)


def _pull(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    from chatdesk.cli.documents.hub import pull

    document = pull(paths, settings, options.repo, show_share)
    return print_fields(document, as_json=options.json)


def _remove(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    from chatdesk.cli.documents.models import remove_model

    document = remove_model(paths, settings, options.model, forget=options.forget)
    return print_fields(document, as_json=options.json)


def _elsewhere(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    from chatdesk.cli.documents.models import models_elsewhere

    return print_rows(
        models_elsewhere(paths, settings, add=options.add),
        lambda each: f"{each['app']}  {each['name']}  {size_words(each['bytes'])}  {each['path']}",
        as_json=options.json,
    )


def _duplicates(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    from chatdesk.cli.documents.models import duplicates

    groups = duplicates(paths, settings)
    if options.json:
        print_json(groups)
        return OK
    for group in groups:
        print(size_words(group[0]["bytes"]))
        for each in group:
            print(f"  {each['id']}  {each['path']}")
    return OK


def _catalog(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    from chatdesk.cli.documents.hub import catalog

    def line(each: Document) -> str:
        file = f"{each['repo']}:{each['file']}"
        return f"{each['name']}  {size_words(each['bytes'])}  {each['fit']}  {file}"

    return print_rows(catalog(paths, settings, update=options.update), line, as_json=options.json)


def _quantize(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    from chatdesk.cli.documents.models import quantize_model

    document = quantize_model(
        paths,
        settings,
        options.model,
        options.type,
        comparing=options.compare,
        on_progress=show_share,
        on_note=note,
    )
    if options.json:
        print_json(document)
        return OK
    comparison = document.pop("comparison")
    print_fields(document, as_json=False)
    for name in ("original", "smaller") if comparison else ():
        speed, perplexity = comparison[name]["tokens_per_s"], comparison[name]["perplexity"]
        print(f"{name}: {speed:.1f} tokens/s, perplexity {perplexity:.3f}")
    if comparison and comparison["problem"]:
        note(comparison["problem"])
    return OK


def _perplexity(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    from chatdesk.cli.perplexity import measure

    result = measure(paths, settings, options.model, options.file, show_share)
    return print_fields(asdict(result), as_json=options.json)

"""Rules of the whole house that no other tool checks."""

import ast
import re
from collections import Counter

from tests.conftest import NEED_THE_ENGINE, TESTS

PACKAGE = TESTS.parent / "chatdesk"


def test_a_class_has_a_name_of_its_own() -> None:
    names = Counter(
        node.name
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_what_is_left_out_without_the_engine_is_there() -> None:
    assert [each for each in NEED_THE_ENGINE if not (TESTS / each).exists()] == []


def test_the_clock_that_jumps_tells_dates_and_measures_nothing() -> None:
    asking = {
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        if re.search(r"\btime\.time(_ns)?\(", file.read_text("utf-8"))
    }
    assert asking == {
        "core/files.py",  # beside the date of a file, as the next three
        "store/attachments.py",
        "inference/sessions/files.py",
        "services/system/installation.py",
        "server/wording/base.py",  # the moment of an answer
    }

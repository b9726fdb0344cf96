"""Writes the stored database of the newest revision: `python -m tests.store.golden`.

It is the one of the revision before, migrated. New columns and tables need a value by hand.
"""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from chatdesk.store.database import Database
from chatdesk.store.schema import REVISION
from tests.store.conftest import FILES, stored, stored_revisions


def main() -> None:
    before = max(each for each in stored_revisions() if each < REVISION)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "chatdesk.db")
        stored(path, before)
        Database.open(path).close()
        with closing(sqlite3.connect(path)) as connection:
            lines = [f"-- A database of revision {REVISION}.", *connection.iterdump(), ""]
    with (FILES / f"store_{REVISION}.sql").open("x", encoding="utf-8") as file:
        file.write("\n".join(lines))


if __name__ == "__main__":
    main()

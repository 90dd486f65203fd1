"""Write a new migration script from the difference between tables.py and the newest script.

`python -m callanalysis.store.migrations "Add reviews"`; then raise HEAD in schema_version.py.
"""

from __future__ import annotations

import sys

from alembic import command
from alembic.config import Config

from callanalysis.store.engine import open_engine
from callanalysis.store.schema_version import HEAD, SCRIPTS, migrate


def main(message: str) -> None:
    """Write the script for `message` into migrations/versions."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with open_engine("sqlite://").begin() as connection:
        migrate(connection)
        config.attributes["connection"] = connection
        command.revision(config, message, autogenerate=True, rev_id=f"{int(HEAD) + 1:04d}")


if __name__ == "__main__":
    main(sys.argv[1])

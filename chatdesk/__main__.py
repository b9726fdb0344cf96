"""`python -m chatdesk` is the `chatdesk` command, and how its child processes start."""

import sys


def main() -> int:
    """Run a child process's loop or the command line; the exit code.

    Children are dispatched first: they must load neither Qt nor the database.
    """
    if sys.argv[1:] == ["--worker", "engine"]:
        from chatdesk.inference.worker import main as engine_main

        return engine_main()
    if sys.argv[1:] == ["--worker", "trainer"]:
        from chatdesk.training.worker import main as trainer_main

        return trainer_main()
    if sys.argv[1:3] == ["--worker", "device"]:
        from chatdesk.inference.device_server import main as device_main

        return device_main(sys.argv[3:])
    from chatdesk.cli.main import main as cli_main

    return cli_main()


if __name__ == "__main__":
    sys.exit(main())

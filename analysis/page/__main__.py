"""Show studies in a browser: those that search now, and those that have ended.

    python -m analysis.page results/            # all studies, compared
    python -m analysis.page results/age         # one, and the way to the others

The page is served to this machine alone and changes nothing. From another machine: ssh -L 8300:127.0.0.1:8300 HOST
"""
# PYTHON_ARGCOMPLETE_OK

import argparse
import contextlib
import os
import socket
import sys
import threading
from pathlib import Path
from urllib.parse import quote

from analysis.page.contents.followed import FollowedStudies
from analysis.page.contents.overview import is_study, study_folders
from analysis.page.serving.app import page_application
from analysis.page.serving.limits import limited_server
from analysis.page.serving.sockets import PORT, listening_socket, port_number, port_of
from command_line.console import say, say_error
from command_line.parser import command_parser, parsed
from studies.study_folder import StudyError, StudyFolder


def main() -> int:
    """Serve the page until Ctrl-C; return the exit code."""
    options = parse_options()
    try:
        results, address = _place(options.folder)
        listening = (
            socket.socket(fileno=options.socket) if options.socket is not None else listening_socket(options.port)
        )
    except (ValueError, OSError) as error:
        say_error(error)
        return 2
    if options.socket is not None:
        threading.Thread(target=_end_with_the_launch, daemon=True).start()
    else:
        taken = f" (port {options.port} is taken)" if options.port not in (0, port_of(listening)) else ""
        say(f"Page: http://127.0.0.1:{port_of(listening)}/{address}{taken}", "Ctrl-C ends it; searches go on.")
    studies = FollowedStudies(results)
    application = page_application(studies, port_of(listening))
    server = limited_server(application, listening)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    return 0


def parse_options() -> argparse.Namespace:
    """Return the command line's options."""
    parser = command_parser(__doc__)
    parser.add_argument("folder", type=Path, help="folder of all studies, such as results, or of one")
    parser.add_argument_group("where it is served").add_argument(
        "--port", type=port_number, default=PORT, help=f"or the next one that is free (default: {PORT})"
    )
    parser.add_argument("--socket", type=int, help=argparse.SUPPRESS)  # a launch has opened it already
    return parsed(parser)


def _place(folder: Path) -> tuple[Path, str]:
    """Return the folder of all studies and the address of what was named."""
    if is_study(StudyFolder(folder)):
        return folder.absolute().parent, f"study/{quote(folder.absolute().name, safe='')}"
    if not folder.is_dir():
        raise StudyError(f"{folder}: is no folder; name a study, such as results/age, or the folder of all")
    if not study_folders(folder):
        raise StudyError(f"{folder}: holds no study; launch_search.py begins one")
    return folder, ""


def _end_with_the_launch() -> None:
    """End when the launch that began this process does, however it ends: its end of the pipe is closed then."""
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())

"""Check every invariant between a study's record, its trial folders and their manifests.

    python -m analysis.check results/age
    python -m analysis.check results/age --repair

Prints what is wrong and exits 1; 0 if nothing is. `--repair` sets damaged files aside under `set_aside/` and marks in
the record what is gone, so that the next launch trains it again; nothing is deleted.
"""
# PYTHON_ARGCOMPLETE_OK

import sys
from pathlib import Path

from analysis.check.folder_checks import folder_findings
from analysis.check.record_checks import record_findings
from analysis.check.repair import repair
from command_line.console import say, say_error
from command_line.parser import command_parser, parsed
from studies.errors import check_command
from studies.study import Study
from studies.study_folder import StudyFolder


def main() -> int:
    """Run the command and return its exit code."""
    parser = command_parser(__doc__)
    parser.add_argument("study", type=Path, help="a study's folder")
    mended = parser.add_argument_group("what is done about it")
    mended.add_argument("--repair", action="store_true", help="set damaged files aside and mark what is gone")
    arguments = parsed(parser)
    try:
        return check(Study.existing(StudyFolder(arguments.study)), mend=arguments.repair)
    except (ValueError, OSError) as error:
        say_error(error)
        return 2


def check(study: Study, *, mend: bool) -> int:
    """Print the findings, repair if asked, and return the exit code."""
    folder = study.folder
    if mend:
        lock = folder.lock()
        try:
            for done in repair(study):
                say(f"repaired: {done}")
        finally:
            lock.release()
    findings = [*record_findings(folder), *folder_findings(study)]
    for finding in findings:
        say(str(finding))
    wrong = sum(finding.wrong for finding in findings)
    advice = "" if not wrong or mend else f" To set aside what is damaged: {check_command(folder.path)} --repair"
    say(f"{folder.path}: {wrong} wrong, {len(findings) - wrong} notes.{advice}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

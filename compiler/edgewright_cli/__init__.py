"""The command line: one file a verb, and this one list. Nothing heavy is imported before a verb runs."""

from __future__ import annotations

import argparse
import contextlib
import errno
import importlib
import io
import os
import sys
from collections.abc import Sequence

from edgewright_cli.console import routed_warnings, say_error
from edgewright_cli.streams import OutputError, guarded_streams
from edgewright_targets import EdgewrightError, InputError, __version__

# Verb -> one line for `edgewright --help`. A verb is the module of its name with `configure` and `execute`.
VERBS = {
    "init": "write a build file for a source, with comments, from what is found",
    "build": "make a package from a trained model: export, quantize, measure, choose",
    "run": "run a package on inputs",
    "serve": "answer over HTTP with packages and applications",
    "bench": "measure a package on data, write a report",
    "compare": "compare two results, and fail by rules: a gate for CI",
    "matrix": "run a package with several versions of ONNX Runtime and other libraries, side by side",
    "verify": "check a package: structure, digests, golden samples through the engine",
    "finish": "on the device: make and judge the engines that a build could only compile",
    "inspect": "show what is in a package, how it was chosen, on which evidence",
    "targets": "show the known targets, and which one this machine is",
    "cache": "show or clear what builds keep",
}

EPILOG = """\
exit codes: 0 ok, 1 a check failed, 2 wrong use or input

example:
  edgewright build checkpoints/intents --target host --calibration train.csv \\
      --evaluation validation.csv --max-drop 1% -o intents.ortpackage
  edgewright run intents.ortpackage "turn on the kitchen lights"
"""


def make_parser(verb: str | None = None) -> argparse.ArgumentParser:
    """The parser; arguments are added for `verb` alone, so that the others' modules are not imported."""
    parser = argparse.ArgumentParser(
        prog="edgewright",
        description="From a trained model to the fastest engine that keeps its accuracy, with the evidence.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"edgewright {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, summary in VERBS.items():
        module = importlib.import_module(f"edgewright_cli.{name}") if name == verb else None
        sub = verbs.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            epilog=module.EPILOG if module else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if module is not None:
            module.configure(sub)
            sub.add_argument("-q", "--quiet", action="store_true", help="print only the result and errors")
            sub.add_argument("--json", action="store_true", help="print the result as JSON on standard output")
    return parser


def _parse(parser: argparse.ArgumentParser, arguments: list[str]) -> argparse.Namespace:
    """As `parse_args`, but inputs that may be none are found behind options too, where argparse does not look again."""
    options, rest = parser.parse_known_args(arguments)
    plain = rest[rest.index("--") + 1 :] if "--" in rest else []
    words = [word for word in rest[: len(rest) - len(plain)] if word != "--"]
    if rest and (not hasattr(options, "inputs") or any(word[0] == "-" and word != "-" for word in words if word)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        options.inputs = [*options.inputs, *words, *plain]
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; gives the exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A label that the terminal's encoding lacks is shown escaped.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    with guarded_streams():
        return _main(list(sys.argv[1:] if argv is None else argv))


def _main(arguments: list[str]) -> int:
    verb = next((word for word in arguments if not word.startswith("-")), None)
    try:
        try:
            options = _parse(make_parser(verb if verb in VERBS else None), arguments)
            with routed_warnings():
                code: int = importlib.import_module(f"edgewright_cli.{options.verb}").execute(options)
        finally:
            # Here and not at exit, where a closed pipe could not be answered any more; help ends in SystemExit.
            if sys.stdout is not None:
                sys.stdout.flush()
    except OutputError as error:
        _forget_output()
        # Standard error may lie on the same disk.
        with contextlib.suppress(OutputError):
            say_error(error)
        return error.exit_code
    except EdgewrightError as error:
        say_error(error)
        return error.exit_code
    except MemoryError:
        say_error(
            InputError(
                "There is not enough memory for this.",
                hint="Close other programs, lift a limit (ulimit -v), or use less data (--samples) or a smaller model.",
            )
        )
        return InputError.exit_code
    except BrokenPipeError:
        # The reader (`| head`) has enough.
        _forget_output()
        return 0
    except OSError as error:
        # Any path of a command line can be one; each place that opens files need not look for it.
        if error.errno != errno.ENAMETOOLONG:
            raise
        say_error(InputError(f"{error.strerror}: '{error.filename}'.", hint="A name has at most 255 bytes."))
        return InputError.exit_code
    except KeyboardInterrupt:
        then = "; the same command continues after the last finished stage" if verb == "build" else ""
        print(f"\nInterrupted{then}.", file=sys.stderr)
        return 130
    return code


def _forget_output() -> None:
    """Let what is left in the buffer of standard output go nowhere: Python would complain as it closes the stream."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

"""`edgewright serve`: packages and applications over HTTP."""

from __future__ import annotations

import argparse
import logging
import sys
from typing import TYPE_CHECKING

from edgewright_cli.console import print_json
from edgewright_cli.options import memory_size, positive
from edgewright_targets.installed import needs

if TYPE_CHECKING:
    from edgewright_serving.service import Service

EPILOG = """\
addresses: /predict/NAME for every package, /v1/chat/completions, /v1/completions, /v1/embeddings and
/v1/audio/transcriptions where a package does it, /v1/models, /openapi.json, /health, /metrics, and a page at /

example:
  edgewright serve intents.ortpackage
  edgewright serve intents.ortpackage chat=gpt.ortpackage --port 9000 --max-memory 800MB
  curl http://127.0.0.1:8000/predict/intents --json '{"input": "turn on the kitchen lights"}'
  EDGEWRIGHT_TOKEN=$(cat token) edgewright serve intents.ortpackage --host 0.0.0.0
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("packages", nargs="+", metavar="PACKAGE", help="package folder or archive, or NAME=PACKAGE")
    words = "address to listen at (default: %(default)s); any but loopback needs a token"
    parser.add_argument("--host", default="127.0.0.1", help=words)
    words = "port to listen at, 0 for a free one (default: %(default)s)"
    parser.add_argument("--port", type=int, default=8000, help=words)
    words = (
        "what requests must bring as 'Authorization: Bearer TOKEN'. Other users of this machine can see it on the "
        "command line; the variable EDGEWRIGHT_TOKEN hides it"
    )
    parser.add_argument("--token", help=words)
    words = (
        "resident memory of the server, such as 800MB; beyond it the least recently used package is unloaded (default: "
        "no limit)"
    )
    parser.add_argument("--max-memory", type=memory_size, metavar="SIZE", help=words)
    words = "largest body of a request (default: 32MiB)"
    parser.add_argument("--max-request", type=memory_size, default=32 * 2**20, metavar="SIZE", help=words)
    words = "requests under way at once, those that wait included; more are refused (default: %(default)s)"
    parser.add_argument("--queue", type=positive, default=128, metavar="N", help=words)
    words = "longest time from a request to the end of its answer (default: 60)"
    parser.add_argument("--time-limit", type=float, default=60.0, metavar="SECONDS", help=words)
    parser.add_argument("--threads", type=positive, help="threads of each engine (default: as it was measured)")


def execute(options: argparse.Namespace) -> int:
    """Run the verb; it ends with SIGINT or SIGTERM."""
    with needs("serve"):
        from edgewright_serving import ServeSettings, serve
    from edgewright_serving.settings import token_of

    settings = ServeSettings(
        host=options.host,
        port=options.port,
        token=token_of(options.token),
        most_requests=options.queue,
        most_bytes=options.max_request,
        seconds=options.time_limit,
        memory_bytes=options.max_memory,
        threads=options.threads,
    )

    def started(address: str, service: Service) -> None:
        _log_to_stderr(quiet=options.quiet)
        names = list(service.packages)
        if options.json:
            print_json({"url": address, "packages": names})
        else:
            print(f"Serving {', '.join(names)} at {address} (Ctrl-C ends it)")
        sys.stdout.flush()

    serve(options.packages, settings, started)
    return 0


def _log_to_stderr(*, quiet: bool) -> None:
    """What the server does, a line each; of uvicorn only what goes wrong."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name, level in (("edgewright_serving", logging.INFO), ("uvicorn", logging.WARNING)):
        log = logging.getLogger(name)
        log.addHandler(handler)
        log.setLevel(logging.WARNING if quiet else level)
        log.propagate = False

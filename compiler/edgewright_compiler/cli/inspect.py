"""`edgewright inspect`: what is in a package, how it was chosen, on which evidence."""

from __future__ import annotations

import argparse

from edgewright_compiler.cli.console import bold, megabytes, print_json, wrapped

EPILOG = """\
example:
  edgewright inspect intents.ortpackage
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("package", help="package folder or archive")


def execute(options: argparse.Namespace) -> int:
    """Run the verb."""
    from edgewright_benchmarks.result import result_from_json
    from edgewright_compiler.cli.summary import result_text
    from edgewright_runtime import Package
    from edgewright_targets.record import write_record

    package = Package.open(options.package)
    manifest = package.manifest
    evidence = package.evidence()
    if options.json:
        manifest_data = write_record(manifest)
        print_json({"bytes": package.size_bytes(), "manifest": manifest_data, "evidence": evidence})
        return 0
    result = result_from_json(evidence, f"{package.root}: evidence")
    labels = f", {len(manifest.labels)} labels" if manifest.labels else ""
    versions = ", ".join(f"{name} {version}" for name, version in manifest.tools.items())
    print(bold(f"{manifest.name}: {manifest.task}{labels}, {megabytes(package.size_bytes())}"))
    print(wrapped(result.reason))
    print()
    facts = {
        "source": f"{manifest.source.kind} '{manifest.source.name}', sha256 {manifest.source.digest[:16]}...",
        "steps": " -> ".join(step.step for step in manifest.pipeline.steps),
        "order": ", then ".join(manifest.order),
        "made with": versions,
        "measured": f"{result.created} on {result.machine.cpu}, {result.machine.system}",
    }
    for name, text in facts.items():
        print(wrapped(text, " " * 11, f"{name:<9}  "))
    if manifest.unreproducible:
        print(wrapped(f"not reproducible byte for byte: {', '.join(manifest.unreproducible)}"))
    print()
    print(result_text(result))
    for warning in result.warnings:
        print()
        print(wrapped(warning, "  ", "warning: "))
    return 0

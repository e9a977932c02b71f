"""`edgewright inspect`: what is in a package, how it was chosen, on which evidence."""

from __future__ import annotations

import argparse

from edgewright_cli import applications
from edgewright_cli.console import bold, megabytes, print_json, table, wrapped
from edgewright_cli.samples import sample_words
from edgewright_runtime import Package
from edgewright_runtime.applications.application import is_application
from edgewright_runtime.selftest import stored_samples
from edgewright_targets.record import write_record

EPILOG = """\
example:
  edgewright inspect intents.ortpackage
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("package", help="package folder or archive")


def execute(options: argparse.Namespace) -> int:
    """Run the verb."""
    from edgewright_benchmarks.result_files import result_from_json
    from edgewright_cli.summary import result_text

    if is_application(options.package):
        return applications.inspect(options)
    package = Package.open(options.package)
    manifest = package.manifest
    evidence = {target: package.evidence(target) for target in package.targets}
    golden = [sample_words(sample.sample) for sample in stored_samples(package)]
    if options.json:
        manifest_data = write_record(manifest)
        facts = {"bytes": package.size_bytes(), "manifest": manifest_data, "golden_samples": golden}
        print_json({**facts, "evidence": evidence})
        return 0
    results = [result_from_json(data, f"{package.root}: {target}") for target, data in evidence.items()]
    labels = f", {len(manifest.labels)} labels" if manifest.labels else ""
    versions = ", ".join(f"{name} {version}" for name, version in manifest.tools.items())
    print(bold(f"{manifest.name}: {manifest.task}{labels}, {megabytes(package.size_bytes())}"))
    for result in results:
        print(wrapped(result.reason))
    print()
    facts = {
        "source": f"{manifest.source.kind} '{manifest.source.name}', sha256 {manifest.source.digest[:16]}...",
        "steps": " -> ".join(step.step for step in manifest.pipeline.steps),
        "order": ", then ".join(manifest.order),
        "made with": versions,
        "samples": "; ".join(golden) or "none, so 'verify' has nothing to compare",
        "evidence": "; ".join(f"{r.created} on {r.machine.cpu}, {r.machine.system}" for r in results),
    }
    for name, text in facts.items():
        print(wrapped(text, " " * 11, f"{name:<9}  "))
    if manifest.unreproducible:
        print(wrapped(f"not reproducible byte for byte: {', '.join(manifest.unreproducible)}"))
    for result in results:
        print()
        print(result_text(result))
        for warning in result.warnings:
            print()
            print(wrapped(warning, "  ", "warning: "))
    settings = next((result.build_settings for result in results if result.build_settings), ())
    if settings:
        print()
        print(table(("setting of the build", "value", "said by"), [(s.name, s.value, s.origin) for s in settings]))
    return 0

"""A comparison as GitLab's code-quality report: an issue for each rule that does not pass.

Source: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

import hashlib
import json

from edgewright_benchmarks.gate.comparison import GateResult


def code_quality_from_comparison(found: GateResult, *, undecided_fails: bool = False) -> str:
    """The report as JSON. Fingerprints stay the same as long as a rule of a model fails."""
    issues = [
        {
            "description": f"{found.new.model}: {rule.rule}: {rule.sentence}",
            "check_name": f"edgewright/{rule.figure}",
            "fingerprint": hashlib.sha256(f"{found.new.model}\n{rule.rule}\n{rule.verdict}".encode()).hexdigest(),
            "severity": "major" if rule.verdict == "fail" or undecided_fails else "minor",
            "location": {"path": found.base.source, "lines": {"begin": 1}},
        }
        for rule in found.rules
        if rule.verdict != "pass"
    ]
    return json.dumps(issues, indent=2) + "\n"

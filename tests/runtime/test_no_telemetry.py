"""Nothing is kept about the user, and nothing is sent: ONNX Runtime would, unless it is told before its import."""

import os
import subprocess
import sys
from pathlib import Path


def test_nothing_is_written_into_the_users_cache(tmp_path: Path) -> None:
    # Where these are set ONNX Runtime takes the machine for a build server and keeps quiet by itself.
    servers = ("CI", "TF_BUILD", "GITHUB_ACTIONS", "ORT_DISABLE_TELEMETRY")
    environment = {name: value for name, value in os.environ.items() if name not in servers}
    environment["XDG_CACHE_HOME"] = str(tmp_path)
    script = "import edgewright_runtime, onnxruntime; onnxruntime.SessionOptions()"
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)
    assert list(tmp_path.rglob("*")) == []

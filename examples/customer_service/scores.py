"""How right the application is, and how often it refuses, by the score below which it knows nothing.

The score is chosen on validation with this, and given to make_data.py.

Example:
    python scores.py --application service.ortpackage --data validation.csv
"""

import argparse
import csv
from pathlib import Path

from edgewright_runtime.applications import load_application

SCORES = (0.0, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)
REFUSAL = "I do not know."


def figures(found: list[tuple[float, str, str]], score: float) -> tuple[float, float]:
    """The share of right replies and that of refusals, of cosines, answers and what is to be replied."""
    replies = [answer if cosine >= score else REFUSAL for cosine, answer, _ in found]
    right = sum(reply == wanted for reply, (_, _, wanted) in zip(replies, found, strict=True))
    return right / len(found), replies.count(REFUSAL) / len(found)


def main() -> None:
    """Ask every question once, and print a line for each score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--application", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="table of make_data.py")
    arguments = parser.parse_args()
    with arguments.data.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = []
    with load_application(arguments.application) as application:
        for row in rows:
            best = application.run(row["question"]).values["best"]
            found.append((best["score"], best["text"], row["reply"]))
    print("score   right   refused")
    for score in SCORES:
        right, refused = figures(found, score)
        print(f"{score:<8}{right:.3f}   {refused:.3f}")


if __name__ == "__main__":
    main()

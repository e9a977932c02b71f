"""Texts for models that label words, and the scores between labels beside their graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_compiler.checkpoints.checkpoint import read_json
from edgewright_compiler.graphs.exported import ASSET_PREFIX, ASSETS_FOLDER
from edgewright_compiler.processors import ProcessorKind
from edgewright_compiler.processors.text import TEXT, ComparingBeside
from edgewright_compiler.processors.tokenizer import CheckpointTokenizer
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps.text.crf import Crf
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

CRF_FILE = "crf.json"
_ASSET = "crf"
_KNOWN = ("transitions", "start", "end", "over")


class TaggerBeside(ComparingBeside):
    """The tokenizer beside an ONNX file that labels words, and its `crf.json` if there is one.

    Raises:
        InputError: There is no tokenizer.
    """

    def __init__(self, path: Path, task: str) -> None:
        super().__init__(path, task)
        self._crf = self._checkpoint.folder / CRF_FILE

    def take_labels(self, labels: Sequence[str]) -> None:
        """See whether the scores between labels fit the labels.

        Raises:
            InputError: They do not, or cannot be read.
        """
        if not self._crf.is_file():
            return
        entry = read_json(self._crf)
        if unknown := sorted(set(entry) - set(_KNOWN)):
            raise InputError(f"'{self._crf}' has the unknown keys {', '.join(unknown)}; known: {', '.join(_KNOWN)}.")
        try:
            Crf(entry, len(labels))
        except LookupError as error:
            raise InputError(f"'{self._crf}': the scores between labels, 'transitions', are missing.") from error
        except (ValueError, TypeError) as error:
            raise InputError(f"'{self._crf}': {error}.", hint="It is read in the order of the labels.") from error

    def answer(self, outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """From the scores of tokens to entities."""
        more = {"crf": f"{ASSET_PREFIX}{_ASSET}/{CRF_FILE}"} if self._crf.is_file() else {}
        return (StepSpec("tag_words", {"logits": outputs[0], **more}),)

    def compared(self, feeds: Arrays, outputs: Arrays) -> Arrays:
        """All of them."""
        del feeds
        return outputs

    def keep(self, folder: Path) -> None:
        """Copy the tokenizer and the scores between labels into the assets of the component in `folder`."""
        super().keep(folder)
        if self._crf.is_file():
            place = folder / ASSETS_FOLDER / _ASSET
            place.mkdir(parents=True)
            (place / CRF_FILE).write_bytes(self._crf.read_bytes())


TAGGED = ProcessorKind(
    input_name="text",
    tools=TEXT.tools,
    check=TEXT.check,
    from_checkpoint=CheckpointTokenizer,
    beside=TaggerBeside,
    files=(*TEXT.files, CRF_FILE),
)

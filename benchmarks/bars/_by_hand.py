"""The same answer by hand: what a person writes with numpy, onnxruntime and tokenizers, and nothing of Edgewright.

Prints the best label of a text; the parts are the JSON of `_bars.parts_by_hand`.

    python _by_hand.py PARTS TEXT
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import onnxruntime
import tokenizers


class ByHand:
    """Tokenizer, session, softmax."""

    def __init__(self, parts: dict[str, Any]) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = parts["threads"]
        for name, value in parts["session_options"].items():
            options.add_session_config_entry(name, value)
        if parts["provider"] == "OpenVINOExecutionProvider":
            add_openvino(options, parts["provider_options"])
        self.session = onnxruntime.InferenceSession(parts["graph"], options)
        self.tokenizer = tokenizers.Tokenizer.from_file(parts["tokenizer"])
        self.tokenizer.enable_truncation(parts["max_length"])
        self.tokenizer.no_padding()
        if parts["pad_to_multiple_of"] > 1:
            self.tokenizer.enable_padding(
                direction=parts["padding_side"],
                pad_id=parts["pad_id"],
                pad_to_multiple_of=parts["pad_to_multiple_of"],
            )
        self.names = [entry.name for entry in self.session.get_inputs()]
        self.logits = parts["logits"]
        self.labels = parts["labels"]

    def __call__(self, text: str) -> tuple[str, float]:
        """The best label and its probability."""
        encoding = self.tokenizer.encode(text)
        made = {
            "input_ids": encoding.ids,
            "attention_mask": encoding.attention_mask,
            "token_type_ids": encoding.type_ids,
        }
        feeds = {name: np.array([made[name]], dtype=np.int64) for name in self.names}
        logits = self.session.run([self.logits], feeds)[0][0]
        exponents = np.exp(logits - logits.max())
        scores = exponents / exponents.sum()
        best = int(scores.argmax())
        return self.labels[best], float(scores[best])


def add_openvino(options: Any, provider_options: dict[str, str]) -> None:
    """The plugin's CPU device, as its documentation says it."""
    import onnxruntime_ep_openvino

    name = "OpenVINOExecutionProvider"
    onnxruntime.register_execution_provider_library(name, onnxruntime_ep_openvino.get_library_path())
    cpu = onnxruntime.OrtHardwareDeviceType.CPU
    devices = [d for d in onnxruntime.get_ep_devices() if d.ep_name == name and d.device.type == cpu][:1]
    options.add_provider_for_devices(devices, provider_options)


if __name__ == "__main__":
    print(*ByHand(json.loads(sys.argv[1]))(sys.argv[2]))

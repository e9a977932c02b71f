"""Parts of a diffusers pipeline, each a model of named arrays: its unet, the decoder of its vae, its text encoders."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_benchmarks.own_code import own_failures
from edgewright_compiler.checkpoints.checkpoint import OFFLINE, read_json
from edgewright_compiler.sources._source import SourceOptions
from edgewright_compiler.sources.torch_module import TorchSource
from edgewright_targets import InputError
from edgewright_targets.installed import needs

if TYPE_CHECKING:
    from torch import Tensor

PIPELINE_FILE = "model_index.json"
# Tokens of a text whose vectors a unet is given as an example: CLIP's number.
_TOKENS = 77
# Height and width of what a unet gets where its configuration says none.
_EDGE = 64
# A step of the thousand that a noise schedule has.
_STEP = 500


def parts_of(pipeline: Path) -> dict[str, tuple[str, str]]:
    """The parts of a pipeline that are built: their folder to their library and class.

    Raises:
        InputError: What its model_index.json says cannot be read.
    """
    listed = read_json(pipeline / PIPELINE_FILE)
    found = {}
    for name, value in listed.items():
        if isinstance(value, list) and len(value) == 2 and value[1] in _FORMS and (pipeline / name).is_dir():
            found[name] = (str(value[0]), str(value[1]))
    return found


class DiffusersPart(TorchSource):
    """A part of a pipeline, in a folder of its own.

    Raises:
        InputError: It is not of a class that is built, cannot be loaded, or has another task than named arrays.
    """

    def __init__(self, folder: Path, options: SourceOptions) -> None:
        pipeline = folder.resolve().parent
        parts = parts_of(pipeline)
        if folder.resolve().name not in parts:
            raise InputError(
                f"'{folder}' is not a part of a diffusers pipeline that is built; of this one these are: "
                f"{', '.join(parts) or 'none'}.",
                hint=f"Classes that are built: {', '.join(_FORMS)}. For others, build package.module:function.",
            )
        if options.task not in (None, "arrays"):
            raise InputError(
                f"'{folder}': a part of a diffusers pipeline takes and gives named arrays, no {options.task}."
            )
        self._folder = folder
        super().__init__(*parts[folder.resolve().name], options)
        self.name = f"{pipeline.name}-{folder.resolve().name}"
        self.tools = (*self.tools, "diffusers", "transformers")

    def _call(self, module: str, function: str) -> tuple[Any, Any, dict[str, object] | None]:
        with needs("diffusers"):
            library = importlib.import_module(module)
        self._torch.manual_seed(0)
        safe = {"use_safetensors": True, "torch_dtype": self._torch.float32} if module == "diffusers" else {}
        settings = {"local_files_only": True, **safe} if module == "diffusers" else {**OFFLINE}
        with own_failures(f"'{self._folder}': loading it as {function}"):
            net = getattr(library, function).from_pretrained(self._folder, **settings).float().eval()
        made, inputs = _FORMS[function](net, self._torch)
        return made.eval(), inputs, None


def _unet(net: Any, torch: Any) -> tuple[Any, dict[str, Tensor]]:
    config = net.config
    if getattr(config, "addition_embed_type", None) or getattr(config, "class_embed_type", None):
        raise InputError(
            "This unet takes more than a noisy picture, a step and the vectors of a text, which is not supported.",
            hint="Build package.module:function, whose module takes all of it as tensors.",
        )

    class Unet(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, sample: Tensor, timestep: Tensor) -> Any:
            return self.net(sample, timestep, return_dict=False)[0]

    class ConditionalUnet(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, sample: Tensor, timestep: Tensor, encoder_hidden_states: Tensor) -> Any:
            return self.net(sample, timestep, encoder_hidden_states, return_dict=False)[0]

    edge = config.sample_size if isinstance(config.sample_size, int) else _EDGE
    inputs = {"sample": torch.randn(1, config.in_channels, edge, edge), "timestep": torch.tensor([_STEP])}
    width = getattr(config, "cross_attention_dim", None)
    if width is None:
        return Unet(), inputs
    return ConditionalUnet(), {**inputs, "encoder_hidden_states": torch.randn(1, _TOKENS, width)}


def _vae(net: Any, torch: Any) -> tuple[Any, dict[str, Tensor]]:
    class Decoder(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, latent_sample: Tensor) -> Any:
            return self.net.decode(latent_sample, return_dict=False)[0]

    edge = net.config.sample_size // 2 ** (len(net.config.block_out_channels) - 1)
    return Decoder(), {"latent_sample": torch.randn(1, net.config.latent_channels, edge, edge)}


def _text(net: Any, torch: Any) -> tuple[Any, dict[str, Tensor]]:
    class Encoder(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, input_ids: Tensor) -> Any:
            return self.net(input_ids=input_ids).to_tuple()[:2]

    tokens = torch.arange(net.config.max_position_embeddings)[None] % net.config.vocab_size
    return Encoder(), {"input_ids": tokens}


# Class -> the module that is called with arrays by name, and an example of them.
_FORMS: dict[str, Callable[[Any, Any], tuple[Any, dict[str, Tensor]]]] = {
    "UNet2DConditionModel": _unet,
    "UNet2DModel": _unet,
    "AutoencoderKL": _vae,
    "CLIPTextModel": _text,
    "CLIPTextModelWithProjection": _text,
}

"""Mutations of files that keep their form and lie in it: arrays, graphs, tokenizers, weights, options, sums."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import onnx

from fuzz.json_operators import places

# The bytes of the file, and strings that lead somewhere.
Lie = Callable[[Random, bytes, Sequence[str]], bytes]

_DIMENSIONS = (-1, 0, 1, 3, 7, 10**6, 2**31, 2**40, 2**62, 2**63 - 1)
# Of ONNX Runtime: each writes a file, reads one, or takes another form than the compiler gives it.
_SESSION_OPTIONS = (
    "session.collect_node_memory_stats_to_file", "session.model_external_initializers_file_folder_path",
    "session.optimized_model_external_initializers_file_name", "session.record_ep_graph_assignment_info",
    "session.profiling_output", "session.intra_op.allow_spinning", "ep.context_enable", "ep.context_file_path",
    "intra_op_num_threads", "session.debug_layout_transformation", "session.use_env_allocators", "",
)  # fmt: skip


def arrays(random: Random, data: bytes, hostile: Sequence[str]) -> bytes:
    """An array of a `.npz` has another shape, type or name than its bytes, or is missing, or there twice."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        members = [(name, old.read(name)) for name in old.namelist()]
        chosen = random.randrange(len(members))
        for index, (name, content) in enumerate(members):
            if index != chosen:
                new.writestr(name, content)
                continue
            what = random.randrange(5)
            if what == 0:
                # The form of a zip has no names that are longer, and none with a zero.
                other = random.choice(hostile).replace("\0", "0")[:65_000]
                new.writestr(other + ".npy", content)
            elif what == 1:
                new.writestr(name, bytes(random.choice((1, 2**20, 2**28))))
            elif what > 1:
                new.writestr(name, _array_header(random) + content[-16:])
    return made.getvalue()


def _array_header(random: Random) -> bytes:
    shape = tuple(random.choice(_DIMENSIONS) for _ in range(random.randrange(4)))
    kind = random.choice(("<f4", "|O", "<U9", "<f8", "|V0", "<M8[s]", "|b1", "<i8", "|S99999", "nonsense"))
    text = f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    if random.randrange(6) == 0:
        text = "(" * 3000 + text
    return b"\x93NUMPY\x02\x00" + len(text).to_bytes(4, "little") + text.encode()


def graph(random: Random, data: bytes, hostile: Sequence[str]) -> bytes:
    """A part of an ONNX graph says something else."""
    model = onnx.load_model_from_string(data)
    nodes, weights = list(model.graph.node), list(model.graph.initializer)
    changes = [_edit_input]
    if nodes:
        changes += [_edit_node, _edit_attribute]
    if weights:
        changes += [_edit_weight, _edit_location]
    random.choice(changes)(random, model, hostile)
    return bytes(model.SerializeToString())


def _edit_input(random: Random, model: Any, hostile: Sequence[str]) -> None:
    value = random.choice([*model.graph.input, *model.graph.output])
    if random.randrange(2):
        value.name = random.choice(hostile)
    else:
        value.type.tensor_type.elem_type = random.choice((0, 2, 7, 8, 9, 10, 99))


def _edit_node(random: Random, model: Any, hostile: Sequence[str]) -> None:
    node = random.choice(model.graph.node)
    what = random.randrange(4)
    if what == 0:
        node.op_type = random.choice(("Loop", "If", "ConstantOfShape", "Identity", "Tile", "NoSuchOperator"))
    elif what == 1:
        node.domain = random.choice((*hostile, "com.microsoft"))
    elif what == 2 and node.input:
        node.input[0] = random.choice((node.output[0], *hostile))
    else:
        model.graph.node.add().CopyFrom(node)


def _edit_attribute(random: Random, model: Any, hostile: Sequence[str]) -> None:
    attribute = random.choice(model.graph.node).attribute.add()
    attribute.name, attribute.type = random.choice(("transB", "axis", "shape", "value")), 2
    attribute.i = random.choice(_DIMENSIONS)


def _edit_weight(random: Random, model: Any, hostile: Sequence[str]) -> None:
    weight = random.choice(model.graph.initializer)
    if random.randrange(2):
        del weight.dims[:]
        weight.dims.extend(random.choice(_DIMENSIONS) for _ in range(random.randrange(4)))
    else:
        weight.data_type = random.choice((0, 1, 2, 7, 8, 16, 22, 99))


def _edit_location(random: Random, model: Any, hostile: Sequence[str]) -> None:
    weight = random.choice(model.graph.initializer)
    weight.data_location = 1
    del weight.external_data[:]
    values = {"location": random.choice(hostile), "offset": str(random.choice(_DIMENSIONS)), "length": "512"}
    for name, value in values.items():
        entry = weight.external_data.add()
        entry.key, entry.value = name, value


def tokenizer(random: Random, data: bytes, hostile: Sequence[str]) -> bytes:
    """A tokenizer makes very much out of little, or refers to what it does not have."""
    document = json.loads(data)
    longer = {"type": "Replace", "pattern": {"String": "t"}, "content": "t" * 1000}
    token = {"id": random.choice((0, 2**31, 2**32 - 1)), "special": True, "normalized": False}
    changes: list[dict[str, Any]] = [
        {"normalizer": {"type": "Sequence", "normalizers": [longer] * random.choice((1, 2, 4))}},
        {"normalizer": {"type": "Prepend", "prepend": random.choice(hostile)}},
        {"normalizer": {"type": "Replace", "pattern": {"Regex": "(a|a)*(b|b)*$" * 20}, "content": "x"}},
        {"post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "no", "type_id": 0}}],
                            "pair": [], "special_tokens": {}}},
        {"added_tokens": [{**token, "content": random.choice(hostile), "single_word": False, "lstrip": True,
                           "rstrip": True}]},
        {"truncation": {"direction": "Right", "max_length": 0, "strategy": "LongestFirst", "stride": 2**40}},
        {"padding": {"strategy": {"Fixed": random.choice((10**7, 2**33))}, "direction": "Right", "pad_id": 0,
                     "pad_to_multiple_of": None, "pad_type_id": 0, "pad_token": "[PAD]"}},
        {"model": {**document["model"], "vocab": {}}},
        {"model": {**document["model"], "vocab": {"[UNK]": 2**31, "a": -1}}},
        {"model": {"type": random.choice(("BPE", "Unigram", "WordLevel", "None"))}},
    ]  # fmt: skip
    return json.dumps({**document, **random.choice(changes)}).encode()


def safetensors(random: Random, data: bytes, hostile: Sequence[str]) -> bytes:
    """The header of a safetensors file lies about its length, or where a tensor is and of what type."""
    length = int.from_bytes(data[:8], "little")
    if random.randrange(4) == 0:
        return random.choice((0, 1, 2**30, 2**40, 2**63, 2**64 - 1)).to_bytes(8, "little") + data[8:]
    header = json.loads(data[8 : 8 + length])
    tensor = random.choice([value for value in header.values() if "dtype" in value])
    what = random.randrange(3)
    if what == 0:
        tensor["dtype"] = random.choice(("F64", "U8", "BOOL", "F8_E5M2", "X9", 3))
    elif what == 1:
        tensor["shape"] = [random.choice(_DIMENSIONS) for _ in range(random.randrange(4))]
    else:
        tensor["data_offsets"] = [random.choice(_DIMENSIONS), random.choice(_DIMENSIONS)]
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def options(random: Random, data: bytes, hostile: Sequence[str]) -> bytes:
    """A manifest hands options to ONNX Runtime, its provider or a step that no compiler writes."""
    document = json.loads(data)
    found = [container[key] for container, key in places(document) if key in ("session_options", "options", "ort")]
    target = random.choice(found)
    target[random.choice((*_SESSION_OPTIONS, *hostile))] = random.choice((*hostile, "1", "0", 1, None, {"a": 1}))
    return json.dumps(document).encode()


def sums(random: Random, data: bytes, hostile: Sequence[str]) -> bytes:
    """The list of digests has a line twice, one of an unusual form, or one that is very long."""
    lines = data.decode().splitlines()
    line = random.choice(lines)
    more = random.choice(
        (
            line,
            f"{'0' * 64}  {line[66:]}",
            f"{'0' * 64}  {random.choice(hostile)}",
            line.upper(),
            "",
            f"{'0' * 64}  {'a/' * 40_000}b",
            "x" * random.choice((10**5, 3 * 10**7)),
        )
    )
    lines.insert(random.randrange(len(lines) + 1), more)
    return "\n".join(lines).encode(errors="surrogatepass") + b"\n"

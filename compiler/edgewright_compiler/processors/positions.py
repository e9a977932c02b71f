"""How many tokens a model takes, by its configuration: the rows of its table of positions that a text can reach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_POSITIONS = "max_position_embeddings"
# Models that count the positions of a text from the row after that of padding, as RoBERTa does: their code in
# transformers makes them with `create_position_ids_from_input_ids`. All others begin at row 0, or have rows to spare.
_AFTER_PADDING = frozenset({
    "altclip_text_model", "bridgetower_text_model", "camembert", "clap_text_model", "data2vec-text", "esm", "ibert",
    "layoutlmv3", "lilt", "longformer", "luke", "markuplm", "mpnet", "roberta", "roberta-prelayernorm", "xlm-roberta",
    "xlm-roberta-xl", "xmod",
})  # fmt: skip
# Rows for padding where a configuration does not say which: that of RoBERTa.
_PADDING = 1


def position_limit(config: Mapping[str, object]) -> int | None:
    """Tokens that a text may have for the model of this `config.json`; None where its positions have no table.

    >>> position_limit({"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1})
    512
    >>> position_limit({"model_type": "gpt2", "n_positions": 1024})
    1024
    """
    kind, positions, padding = _filled(config)
    if not isinstance(positions, int) or positions < 1:
        return None
    if kind not in _AFTER_PADDING:
        return positions
    # A table without a row for a text is wrong in another place, which is told when the model is loaded.
    return max(positions - (padding if isinstance(padding, int) else _PADDING) - 1, 1)


def _filled(config: Mapping[str, object]) -> tuple[Any, Any, Any]:
    """Kind of model, rows of its table and the token of padding, with what its class in transformers adds."""
    from transformers import CONFIG_MAPPING

    kind = config.get("model_type")
    as_it_is = kind, config.get(_POSITIONS), config.get("pad_token_id")
    if not isinstance(kind, str) or kind not in CONFIG_MAPPING:
        return as_it_is
    try:
        whole = CONFIG_MAPPING[kind].from_dict(dict(config))
        # Of a model with several parts, the one that reads texts.
        made = whole.encoder if hasattr(whole, "encoder") else whole.get_text_config()
        return made.model_type, getattr(made, _POSITIONS, None), getattr(made, "pad_token_id", None)
    except Exception:  # noqa: BLE001 - transformers checks values in many ways, and says so when it loads the model
        return as_it_is

"""Which encoder a training starts from: a fresh small one, a tagger's own, or any other from Hugging Face.

It knows how they are opened, not how they are trained.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, AutoTokenizer

from callanalysis import __version__
from callanalysis.errors import CheckpointError
from callanalysis.tagging.model import TaggerConfig, TaggerModel
from callanalysis.tagging.scoring import load, load_tokenizer
from callanalysis.tagging.tokens import VOCABULARY, with_role_markers


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of our own encoder: the largest that tags 800 utterances a second on two cores."""

    layers: int = 4
    width: int = 320
    heads: int = 5
    inner: int = 1280
    vocabulary: int = VOCABULARY
    ngram_buckets: int = 32768
    wide_buckets: int = 90_000

    def config(self, vocabulary: int) -> TaggerConfig:
        """Return the configuration of a fresh tagger of this size."""
        encoder = {
            "model_type": "bert",
            "vocab_size": vocabulary,
            "hidden_size": self.width,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "intermediate_size": self.inner,
            "max_position_embeddings": 200,
            "pad_token_id": 0,
        }
        return TaggerConfig(
            encoder=encoder,
            ngram_buckets=self.ngram_buckets,
            wide_buckets=self.wide_buckets,
            version=__version__,
        )


def open_encoder(name: str, wide_buckets: int) -> tuple[TaggerModel, Any]:
    """Return a tagger around an encoder (folder or hub name) with its tokenizer.

    The folder of a tagger gives that tagger, to be trained further; any other encoder gets fresh heads. Where
    there is no wide path yet, one of `wide_buckets` is added.
    """
    if (Path(name) / "config.json").is_file():
        written = json.loads((Path(name) / "config.json").read_text("utf-8"))
        if written.get("model_type") == TaggerConfig.model_type:
            scorer = load(Path(name))
            model, config = scorer.model, scorer.config
            config.version = __version__
            if model.wide is None and wide_buckets:
                config.wide_buckets = wide_buckets
                model.wide = TaggerModel(config).wide
            return model, scorer.codec.tokenizer
    try:
        tokenizer = with_role_markers(
            load_tokenizer(Path(name)) if Path(name).is_dir() else AutoTokenizer.from_pretrained(name)
        )
        settings = AutoConfig.from_pretrained(name)
        encoder = AutoModel.from_pretrained(name, dtype=torch.float32)
    except (OSError, ValueError, KeyError) as error:
        remedy = "Give the folder of a Hugging Face encoder, or a hub name where there is a network"
        raise CheckpointError(name, "cannot be opened as an encoder", remedy) from error
    encoder.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    settings.vocab_size = len(tokenizer)
    described = settings.to_diff_dict() | {"model_type": settings.model_type, "vocab_size": len(tokenizer)}
    longest = int(getattr(settings, "max_position_embeddings", 512) or 512)
    config = TaggerConfig(
        encoder=described,
        wide_buckets=wide_buckets,
        version=__version__,
        total_length=min(192, longest - 2),
    )
    model = TaggerModel(config)
    model.encoder.load_state_dict(encoder.state_dict(), strict=False)
    return model, tokenizer

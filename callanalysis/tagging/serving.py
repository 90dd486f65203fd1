"""The tagger's forward pass for serving: the tokens of many lines end to end, without padding, in bfloat16.

It computes what model.py computes, from the same weights, for encoders of BERT's form on a processor. It knows token
ids, neither text nor thresholds. How far its scores may lie from those in float32 is held by tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from callanalysis.tagging.model import Batch, Logits, TaggerModel

# Tokens of a batch are filled up to a multiple: oneDNN prepares a kernel for each new size, and below 512 rows (at a
# width of 320; below 256 at 256) takes one that sums in another order: a line alone would score otherwise.
ROUNDED = 512
_FUSED = hasattr(torch.ops.mkldnn, "_linear_pointwise")  # what torch.compile uses; else plain layers

Reader = Callable[[Batch], Logits]


def serving_form(model: TaggerModel) -> Reader:
    """Return the fastest way here to read batches with a model: packed, or the model's own forward pass.

    The weights are copied: training the model further does not change what was returned.
    """
    return PackedTagger(model, _precision()) if _is_plain_bert(model) else model


class PackedTagger:
    """A tagger that reads packed tokens; its batches should hold lines of equal length side by side."""

    @torch.inference_mode()
    def __init__(self, model: TaggerModel, dtype: torch.dtype) -> None:
        self._model, self._dtype = model, dtype
        settings, embeddings = model.encoder.config, model.encoder.embeddings
        self._heads = int(settings.num_attention_heads)
        tables = (
            embeddings.word_embeddings,
            embeddings.position_embeddings,
            embeddings.token_type_embeddings,
        )
        self._words, self._positions, self._segments = (table.weight.to(dtype) for table in tables)
        self._norm = _Norm(embeddings.LayerNorm, dtype)
        self._layers = [_Layer.of(layer, dtype) for layer in model.encoder.encoder.layer]
        if model.ngrams is not None:
            self._grams = model.ngrams.table.weight.to(dtype)
            self._widen = _Linear([model.ngrams.widen], dtype)

    @torch.inference_mode()
    def __call__(self, batch: Batch) -> Logits:
        """Return the logits of a batch, in float32."""
        return self._model.mixed(self._deep(batch), batch)

    def _deep(self, batch: Batch) -> Logits:
        """Return what the transformer says, before masking."""
        there = batch.mask > 0
        own = (batch.segments[there] == 0).nonzero().squeeze(-1)
        vectors, grams = self._embed(batch, there)
        states = self._encode(vectors, batch.mask.sum(1).tolist(), own)
        pooled = _pool(states, None if grams is None else grams[own], (there & (batch.segments == 0)).sum(1))
        model = self._model
        return Logits(model.intent(pooled), model.risk(pooled), model.role(pooled).squeeze(-1))

    def _embed(self, batch: Batch, there: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the vectors (tokens, width) that go into the first layer, and the n-gram part of them."""
        ids, positions = batch.ids[there], there.nonzero()[:, 1]
        vectors, grams = self._words[ids], None
        if self._model.ngrams is not None:
            pairs, triples = (keys[there] for keys in self._model.ngrams.keys(batch.ids))
            grams = self._widen(self._grams[pairs] + self._grams[triples])
            vectors = vectors + grams
        return vectors + self._positions[positions] + self._segments[batch.segments[there]], grams

    def _encode(self, vectors: Tensor, lengths: list[int], own: Tensor) -> Tensor:
        """Return the last states of the utterances' own tokens (own tokens, width): nothing else is read."""
        states = self._norm(F.pad(vectors, (0, 0, 0, -len(vectors) % ROUNDED)))
        runs = [(length, len(list(same))) for length, same in groupby(lengths)]
        for layer in self._layers:
            heard = _attend(layer.qkv(states), runs, self._heads)
            if layer is self._layers[-1]:
                rows = F.pad(own, (0, -len(own) % ROUNDED))
                states, heard = states[rows], heard[rows]
            states = layer.norm_heard(layer.out.plus(heard, states))
            states = layer.norm_thought(layer.down.plus(layer.up.gelu(states), states))
        return states[: len(own)]


class _Linear:
    """One or several linear layers of the same input side by side, with what follows fused where that is known."""

    def __init__(self, layers: list[nn.Linear], dtype: torch.dtype) -> None:
        weights: list[Tensor] = [layer.weight for layer in layers]
        biases: list[Tensor] = [layer.bias for layer in layers if layer.bias is not None]
        self.weight = torch.cat(weights).to(dtype)
        self.bias = torch.cat(biases).to(dtype) if biases else None
        self._fused = _FUSED and dtype is torch.bfloat16
        if self._fused:
            self.weight = torch.ops.mkldnn._reorder_linear_weight(self.weight)

    def __call__(self, x: Tensor) -> Tensor:
        return self._pointwise(x, "none") if self._fused else F.linear(x, self.weight, self.bias)

    def gelu(self, x: Tensor) -> Tensor:
        """Return GELU of the result."""
        return self._pointwise(x, "gelu") if self._fused else F.gelu(F.linear(x, self.weight, self.bias))

    def plus(self, x: Tensor, other: Tensor) -> Tensor:
        """Return the result with `other` added."""
        if not self._fused:
            return F.linear(x, self.weight, self.bias) + other
        total: Tensor = torch.ops.mkldnn._linear_pointwise.binary(x, other, self.weight, self.bias, "add")
        return total

    def _pointwise(self, x: Tensor, name: str) -> Tensor:
        found: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, name, [], "none")
        return found


class _Norm:
    """Layer normalisation."""

    def __init__(self, layer: nn.LayerNorm, dtype: torch.dtype) -> None:
        self.weight, self.bias, self.eps = layer.weight.to(dtype), layer.bias.to(dtype), layer.eps

    def __call__(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)


@dataclass(frozen=True, slots=True)
class _Layer:
    """The weights of one encoder layer."""

    qkv: _Linear
    out: _Linear
    norm_heard: _Norm
    up: _Linear
    down: _Linear
    norm_thought: _Norm

    @classmethod
    def of(cls, layer: Any, dtype: torch.dtype) -> _Layer:
        """Return the weights of a layer of transformers' BertModel."""
        listen, heard = layer.attention.self, layer.attention.output
        return cls(
            qkv=_Linear([listen.query, listen.key, listen.value], dtype),
            out=_Linear([heard.dense], dtype),
            norm_heard=_Norm(heard.LayerNorm, dtype),
            up=_Linear([layer.intermediate.dense], dtype),
            down=_Linear([layer.output.dense], dtype),
            norm_thought=_Norm(layer.output.LayerNorm, dtype),
        )


def _attend(qkv: Tensor, runs: list[tuple[int, int]], heads: int) -> Tensor:
    """Return what each token hears in its own line (tokens, width).

    `qkv` is (tokens, 3 × width); `runs` are (length, lines) of lines of equal length; tokens after them hear nothing.
    """
    width = qkv.shape[1] // 3
    heard = torch.zeros(len(qkv), width, dtype=qkv.dtype)
    start = 0
    for length, lines in runs:
        rows = slice(start, start + length * lines)
        q, k, v = qkv[rows].view(lines, length, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        found = F.scaled_dot_product_attention(q, k, v)
        heard[rows].view(lines, length, heads, width // heads).copy_(found.transpose(1, 2))
        start = rows.stop
    return heard


def _pool(states: Tensor, grams: Tensor | None, counts: Tensor) -> Tensor:
    """Return first state, mean and maximum of every line, and its summed n-grams, side by side, in float32.

    `states` and `grams` are (own tokens, width), `counts` (lines,) how many of them are each line's.
    """
    starts, rows = counts.cumsum(0) - counts, torch.arange(len(states))
    parts = [states[starts], *(F.embedding_bag(rows, states, starts, mode=mode) for mode in ("mean", "max"))]
    if grams is not None:
        total = F.embedding_bag(rows, grams, starts, mode="sum")
        parts.append(total / counts.sqrt().unsqueeze(1))
    return torch.cat([part.float() for part in parts], dim=-1)


def _is_plain_bert(model: TaggerModel) -> bool:
    """Return whether the encoder is computed here as transformers' BertModel would, and on the processor."""
    settings = model.encoder.config
    return (
        settings.model_type == "bert"
        and settings.hidden_act == "gelu"
        and not getattr(settings, "is_decoder", False)
        and settings.type_vocab_size >= 2
        and model.device.type == "cpu"
    )


def _precision() -> torch.dtype:
    """Return bfloat16 where the processor multiplies it (AVX-512 BF16, AMX), else float32."""
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return torch.bfloat16 if supported() else torch.float32

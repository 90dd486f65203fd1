"""The tagger: a small transformer encoder with heads for intent, risk and role, and a wide path beside it.

It knows tensors and label names, neither text nor where thresholds come from. The judgement on a whole call
is made in call_head.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel

from callanalysis.labels import INTENT_NAMES, RISK_NAMES, ROLES, intents_of
from callanalysis.tagging.call_head import CallHead
from callanalysis.tagging.wide import WideHead

MASKED = -30.0  # logit of a label that the speaker cannot carry
NGRAM_WIDTH = 64
SPEAKERS = ROLES[:2]  # what the role head tells apart


class TaggerConfig(PreTrainedConfig):  # type: ignore[misc]
    """Everything needed to rebuild the model and to turn its logits into labels.

    `encoder` is the configuration of the encoder as a dict with `model_type`; `thresholds` are per label;
    `temperatures` per head (intent, risk, role, willingness, ability, reason); `deep_share` per head is how much
    the transformer counts beside the wide path.
    """

    model_type = "callanalysis-tagger"

    def __init__(
        self,
        encoder: dict[str, Any] | None = None,
        ngram_buckets: int = 0,
        wide_buckets: int = 0,
        dropout: float = 0.3,
        thresholds: dict[str, float] | None = None,
        temperatures: dict[str, float] | None = None,
        **rest: Any,
    ) -> None:
        self.encoder = encoder or {"model_type": "bert"}
        self.ngram_buckets = ngram_buckets
        self.wide_buckets = wide_buckets
        self.dropout = dropout
        self.thresholds = thresholds or {}
        self.temperatures = temperatures or {}
        self.deep_share: dict[str, float] = rest.pop("deep_share", {})
        self.version = rest.pop("version", "0")
        self.corrections: dict[str, Any] = rest.pop("corrections", {})  # of reviewers, what it learnt from
        self.total_length = rest.pop("total_length", 192)
        self.context_length = rest.pop("context_length", 40)
        self.intents = list(rest.pop("intents", INTENT_NAMES))
        self.risks = list(rest.pop("risks", RISK_NAMES))
        super().__init__(**rest)


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded inputs: ids, mask, segments (batch, length); roles (batch,) as indices of labels.ROLES."""

    ids: Tensor
    mask: Tensor
    segments: Tensor
    roles: Tensor

    def to(self, device: torch.device) -> Batch:
        """Return the batch on that device."""
        return Batch(*(x.to(device) for x in (self.ids, self.mask, self.segments, self.roles)))


@dataclass(frozen=True, slots=True)
class Logits:
    """What comes out: intent (batch, intents), risk (batch, risks), role (batch,) the log-odds of collector."""

    intent: Tensor
    risk: Tensor
    role: Tensor


class NgramEmbedding(nn.Module):
    """Vectors of hashed token pairs and triples that end at each position, computed from the ids alone.

    They give a small encoder the words and phrases that characters hide (the idea of ZEN, arXiv:1911.00720).
    """

    def __init__(self, buckets: int, width: int) -> None:
        super().__init__()
        self.buckets = buckets
        self.table = nn.Embedding(buckets, NGRAM_WIDTH)
        self.widen = nn.Linear(NGRAM_WIDTH, width, bias=False)
        nn.init.normal_(self.table.weight, std=0.02)

    def forward(self, ids: Tensor) -> Tensor:
        """Return (batch, length, width)."""
        pairs, triples = self.keys(ids)
        found: Tensor = self.widen(self.table(pairs) + self.table(triples))
        return found

    def keys(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return the buckets (batch, length) of the pair and of the triple that end at each position."""
        one = nn.functional.pad(ids, (1, 0))[:, :-1]
        two = nn.functional.pad(ids, (2, 0))[:, :-2]
        pairs = (ids * 1000003 + one * 7919) % self.buckets
        triples = (ids * 15485863 + one * 104729 + two * 611953 + 17) % self.buckets
        return pairs, triples


class TaggerModel(PreTrainedModel):  # type: ignore[misc]
    """Encoder, pooling over the utterance, and one linear layer a head."""

    config_class = TaggerConfig
    base_model_prefix = "tagger"
    _no_split_modules: list[str] = []  # noqa: RUF012  transformers declares it without ClassVar

    def __init__(self, config: TaggerConfig) -> None:
        super().__init__(config)
        self.encoder = AutoModel.from_config(AutoConfig.for_model(**config.encoder))
        if getattr(self.encoder, "pooler", None) is not None:
            self.encoder.pooler = None
        width = int(self.encoder.config.hidden_size)
        self.ngrams = NgramEmbedding(config.ngram_buckets, width) if config.ngram_buckets else None
        self.features = width * (4 if config.ngram_buckets else 3)
        self.dropout = nn.Dropout(config.dropout)
        self.intent = nn.Linear(self.features, len(config.intents))
        self.risk = nn.Linear(self.features, len(config.risks))
        self.role = nn.Linear(self.features, 1)
        width_out = len(config.intents) + len(config.risks) + 1
        self.wide = WideHead(config.wide_buckets, width_out) if config.wide_buckets else None
        self.call = CallHead(len(config.intents) + len(config.risks))
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Small weights for the heads; the encoder keeps what it made for itself."""
        if module in (self.intent, self.risk, self.role):
            nn.init.normal_(module.weight, std=0.02)
            nn.init.zeros_(module.bias)

    def embed(self, ids: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the input vectors (batch, length, width) and the n-gram part of them."""
        words = self.encoder.get_input_embeddings()(ids)
        if self.ngrams is None:
            return words, None
        grams = self.ngrams(ids)
        return words + grams, grams

    def encode(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Return the encoder's states (batch, length, width) and the n-gram vectors that went in."""
        vectors, grams = self.embed(batch.ids)
        inputs: dict[str, Any] = {"inputs_embeds": vectors, "attention_mask": batch.mask}
        if getattr(self.encoder.config, "type_vocab_size", 0) >= 2:
            inputs["token_type_ids"] = batch.segments
        return self.encoder(**inputs).last_hidden_state, grams

    def forward(self, batch: Batch) -> Logits:
        """Return the logits of a batch: of transformer and wide path together, each with its share."""
        return self.mixed(self.deep(batch), batch)

    def mixed(self, deep: Logits, batch: Batch) -> Logits:
        """Return what the transformer said of a batch with the wide path beside it, masked."""
        wide = self.read_wide(batch)
        if wide is None:
            return self.masked(deep, batch)
        share = self.config.deep_share
        one, two, three = (share.get(head, 0.5) for head in ("intent", "risk", "role"))
        mixed = Logits(
            intent=one * deep.intent + (1 - one) * wide.intent,
            risk=two * deep.risk + (1 - two) * wide.risk,
            role=three * deep.role + (1 - three) * wide.role,
        )
        return self.masked(mixed, batch)

    def deep(self, batch: Batch) -> Logits:
        """Return what the transformer says, before masking."""
        states, grams = self.encode(batch)
        pooled = self.dropout(self._pool(states, grams, batch))
        return Logits(self.intent(pooled), self.risk(pooled), self.role(pooled).squeeze(-1))

    def read_wide(self, batch: Batch) -> Logits | None:
        """Return what the wide path says, before masking; None where the model has none."""
        if self.wide is None:
            return None
        read = self.wide(batch.ids, batch.mask, batch.segments)
        intents = len(self.config.intents)
        return Logits(read[:, :intents], read[:, intents:-1], read[:, -1])

    def masked(self, logits: Logits, batch: Batch) -> Logits:
        """Return the logits with MASKED where the speaker cannot carry the label."""
        intents, risks = _allowed(tuple(self.config.intents), batch.roles.device)
        intent = logits.intent.masked_fill(~intents[batch.roles], MASKED)
        risk = logits.risk.masked_fill(~risks[batch.roles], MASKED)
        return Logits(intent, risk, logits.role)

    def _pool(self, states: Tensor, grams: Tensor | None, batch: Batch) -> Tensor:
        """Return first state, mean and maximum over the utterance, and its summed n-grams, side by side."""
        own = ((batch.segments == 0) & (batch.mask > 0)).unsqueeze(-1)
        count = own.sum(1).clamp(min=1)
        mean = (states * own).sum(1) / count
        peak = states.masked_fill(~own, torch.finfo(states.dtype).min).amax(1)
        parts = [states[:, 0], mean, peak]
        if grams is not None:
            parts.append((grams * own).sum(1) / count.sqrt())
        return torch.cat(parts, dim=-1)


@lru_cache
def _allowed(intents: tuple[str, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    """Return (roles, intents) and (roles, 1): may that role carry that intent, and any risk.

    Not buffers: `from_pretrained` builds the model without values and would leave them so.
    """
    spoken = [[name in intents_of(role) for name in intents] for role in ROLES]  # type: ignore[arg-type]
    risky = [[role != "debtor"] for role in ROLES]
    return torch.tensor(spoken, device=device), torch.tensor(risky, device=device)


AutoConfig.register(TaggerConfig.model_type, TaggerConfig)
AutoModel.register(TaggerConfig, TaggerModel)

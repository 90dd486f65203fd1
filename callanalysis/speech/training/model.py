"""Whisper's own network in training form: true lengths, a compact softmax, a CTC head, guided cross-attention.

The weights are those of `whisper.model.Whisper`, so what is trained here is what Whisper loads. It knows tensors,
not files.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from whisper.model import ModelDimensions, ResidualAttentionBlock, Whisper

FRAMES_PER_SECOND = 50  # of the encoder's output: 10 ms hops, halved by its second convolution


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the network says.

    Encoder output (batch, frames, state), compact logits (batch, tokens, vocabulary), CTC logits (batch, frames,
    phones), attention of the guided heads (batch, heads, tokens, frames) or None.
    """

    audio: Tensor
    logits: Tensor
    ctc: Tensor
    attention: Tensor | None


def new_whisper(dims: ModelDimensions, seed: int) -> Whisper:
    """Return a Whisper network with fresh weights.

    Embeddings and outputs are scaled as GPT-2 scales them; the convolutions (He 2015) so that what they hear is as
    loud as the positions that are added to it, which it is not by torch's default.
    """
    torch.manual_seed(seed)
    model = Whisper(dims)
    layers = dims.n_audio_layer + dims.n_text_layer
    for name, parameter in model.named_parameters():
        if "token_embedding" in name or "positional_embedding" in name:
            nn.init.normal_(parameter, std=0.02)
        elif "encoder.conv" in name and parameter.dim() == 3:
            nn.init.normal_(parameter, std=math.sqrt(2 / (parameter.shape[1] * parameter.shape[2])))
        elif parameter.dim() >= 2 and name.endswith(("out.weight", "mlp.2.weight")):
            parameter.data.mul_((2 * layers) ** -0.5)
    return model


class TrainableWhisper(nn.Module):
    """A Whisper network with what training adds and the shipped checkpoint leaves out.

    `embedding` holds only the rows of the token embedding that occur (`ids`), `loser` the one row that stands for all
    others in a `fresh` network; `ctc` spells phones from the encoder.
    """

    def __init__(self, whisper: Whisper, ids: Tensor, phones: int, fresh: bool) -> None:
        super().__init__()
        self.whisper = whisper
        self.register_buffer("ids", ids, persistent=False)
        self.embedding = nn.Parameter(whisper.decoder.token_embedding.weight.data[ids].clone())
        whisper.decoder.token_embedding.weight.requires_grad_(False)
        self.ctc = nn.Linear(whisper.dims.n_audio_state, phones + 1)
        self.here = nn.Linear(whisper.dims.n_audio_state, 2 * whisper.dims.n_text_state)
        self.unused = whisper.dims.n_vocab - len(ids)
        self.loser = nn.Parameter(torch.zeros(whisper.dims.n_text_state)) if fresh and self.unused else None

    def forward(self, mel: Tensor, tokens: Tensor, guided: bool, frozen: bool = False) -> Outputs:
        """Return the outputs for log-mel (batch, 80, frames) and compact input tokens (batch, tokens).

        With `frozen` the encoder learns nothing, which makes a step about a quarter as long.
        """
        with torch.set_grad_enabled(torch.is_grad_enabled() and not frozen):
            audio = self.encode(mel)
        text, attention = self._decode(tokens, audio, guided)
        ctc = F.linear(audio, self.ctc.weight.to(audio.dtype), self.ctc.bias.to(audio.dtype))
        return Outputs(audio, self._logits(text), ctc, attention)

    def encode(self, mel: Tensor) -> Tensor:
        """Return the encoder's output at the true length (batch, frames // 2, state)."""
        encoder = self.whisper.encoder
        x = F.gelu(encoder.conv2(F.gelu(encoder.conv1(mel)))).permute(0, 2, 1)
        x = x + encoder.positional_embedding[: x.shape[1]].to(x.dtype)
        for block in encoder.blocks:
            x = block(x)
        out: Tensor = encoder.ln_post(x)
        return out

    def _decode(self, tokens: Tensor, audio: Tensor, guided: bool) -> tuple[Tensor, Tensor | None]:
        decoder = self.whisper.decoder
        x = F.embedding(tokens, self.embedding) + decoder.positional_embedding[: tokens.shape[1]]
        x = x.to(audio.dtype)
        attention = []
        for i, block in enumerate(decoder.blocks):
            if guided:
                heads = (
                    slice(None) if i == len(decoder.blocks) - 1 else slice(0, block.cross_attn.n_head // 2)
                )
                attention.append(_attention(block, x, audio, decoder.mask)[:, heads])
            x = block(x, audio, mask=decoder.mask)
        return decoder.ln(x), torch.cat(attention, dim=1) if guided else None

    def _logits(self, text: Tensor) -> Tensor:
        """Compact logits, and last the `unused` rows as one: each has the loser's logit, together + log(unused)."""
        logits = F.linear(text, self.embedding.to(text.dtype)).float()
        if self.loser is None:
            return logits
        lost = F.linear(text, self.loser.to(text.dtype).unsqueeze(0)).float() + math.log(self.unused)
        return torch.cat([logits, lost], dim=-1)

    def tokens_here(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Return what encoder outputs (n, state) say of the token spoken there and of the one before it.

        Compact logits (n, vocabulary) of each. A decoder finds its place by the token it wrote last: once the
        encoder tells at each place which token came before, that is a look-up.
        """
        this, before = self.here(audio.float()).chunk(2, dim=-1)
        return F.linear(this, self.embedding), F.linear(before, self.embedding)

    def full_weights(self) -> dict[str, Tensor]:
        """Return the state of the plain Whisper network.

        A network trained from nothing gets the loser's row for every token that never occurred: training has
        taught it to lose, so plain Whisper decoding has the softmax that training had.
        """
        state = {k: v.detach().clone() for k, v in self.whisper.state_dict().items()}
        rows = state["decoder.token_embedding.weight"]
        if self.loser is not None:
            rows[:] = self.loser.detach()
        rows[self.ids] = self.embedding.detach()
        return state


def _attention(block: ResidualAttentionBlock, x: Tensor, audio: Tensor, mask: Tensor) -> Tensor:
    """Return the cross-attention weights of the block (batch, heads, tokens, frames), as its forward uses them."""
    x = x + block.attn(block.attn_ln(x), mask=mask)[0]
    cross = block.cross_attn
    q = cross.query(block.cross_attn_ln(x))
    k = cross.key(audio)
    q = q.view(*q.shape[:2], cross.n_head, -1).permute(0, 2, 1, 3)
    k = k.view(*k.shape[:2], cross.n_head, -1).permute(0, 2, 3, 1)
    scores = (q @ k) * (q.shape[-1] ** -0.5)
    return F.softmax(scores.float(), dim=-1)


def attention_penalty(attention: Tensor, centre: Tensor, width: float) -> Tensor:
    """Return how much attention strays from where each token is spoken, 0-1 (guided attention, Tachibana 2018).

    `centre` (batch, tokens) in seconds, NaN where a token has no place; `width` is a standard deviation in seconds.
    """
    frames = torch.arange(attention.shape[-1], device=attention.device) / FRAMES_PER_SECOND
    placed = ~centre.isnan()
    distance = (frames - torch.nan_to_num(centre).unsqueeze(-1)) / width
    stray = 1 - torch.exp(-0.5 * distance**2)
    per_token = (attention.mean(1) * stray).sum(-1)
    return (per_token * placed).sum() / placed.sum().clamp_min(1)

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
from whisper.model import ModelDimensions, MultiHeadAttention, ResidualAttentionBlock, Whisper

NEAR_FRAMES = (-3.0, -1.0, 1.0, 3.0)  # where the heads of the first encoder layer begin to look, 20 ms each
NEAR_SHARE = 0.36  # of the frequencies of the positions: periods of 6 to 150 frames
NEAR_GAIN = 1.5  # the peak is then about 9 above the mean before the softmax
FRAMES_PER_SECOND = 50  # of the encoder's output: 10 ms hops, halved by its second convolution


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the network says.

    Encoder output (batch, frames, state), compact logits (learnt tokens of the batch, vocabulary), CTC logits
    (batch, frames, phones), attention of the guided heads (batch, heads, tokens, frames) or None.
    """

    audio: Tensor
    logits: Tensor
    ctc: Tensor
    attention: Tensor | None


def new_whisper(dims: ModelDimensions, seed: int) -> Whisper:
    """Return a Whisper network with fresh weights.

    Embeddings and outputs are scaled as GPT-2 scales them; the convolutions (He 2015) so that what they hear is as
    loud as the positions that are added to it, which it is not by torch's default. The encoder's heads begin by
    looking at their neighbourhood (`look_near`).
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
    for i, block in enumerate(model.encoder.blocks):
        look_near(block.attn, [share * (i + 1) for share in NEAR_FRAMES])
    return model


def look_near(attention: MultiHeadAttention, offsets: list[float]) -> None:
    """Set queries and keys so that head i attends `offsets[i % len]` frames away from each frame.

    Whisper adds sin and cos of the position at falling frequencies. A query that turns them by an offset matches the
    key of the frame at that offset best, as a convolution would look there; training is free to change it. (The
    idea of beginning with local attention: d'Ascoli 2021, Trockman 2023.)
    """
    state, heads = attention.query.weight.shape[0], attention.n_head
    width, half = state // heads, state // 2
    pairs = width // 2
    rate = torch.exp(-math.log(10_000) / (half - 1) * torch.arange(half))
    used = torch.arange(pairs) * min(half, round(half * NEAR_SHARE)) // pairs
    for head in range(heads):
        turn = rate[used] * offsets[head % len(offsets)]
        first = head * width + torch.arange(pairs)
        with torch.no_grad():
            attention.key.weight[head * width : (head + 1) * width] = 0
            attention.query.weight[head * width : (head + 1) * width] = 0
            attention.key.weight[first, used] = NEAR_GAIN
            attention.key.weight[first + pairs, used + half] = NEAR_GAIN
            attention.query.weight[first, used] = NEAR_GAIN * turn.cos()
            attention.query.weight[first, used + half] = NEAR_GAIN * turn.sin()
            attention.query.weight[first + pairs, used + half] = NEAR_GAIN * turn.cos()
            attention.query.weight[first + pairs, used] = -NEAR_GAIN * turn.sin()


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
        rest = torch.ones(whisper.dims.n_vocab, dtype=torch.bool).index_fill_(0, ids, False)
        rows = whisper.decoder.token_embedding.weight.data[rest]
        self.loser = nn.Parameter(rows[0].clone()) if fresh and self.unused else None

    def forward(self, mel: Tensor, first: Tensor, tokens: Tensor, learnt: Tensor, guided: bool) -> Outputs:
        """Return the outputs for log-mel (batch, 80, frames) and compact input tokens (batch, tokens).

        `first` (batch,) are the encoder's positions of the first frames; `learnt` are the places in the flattened
        `tokens` after which the next one is wanted.
        """
        audio = self.encode(mel, first)
        text, attention = self._decode(tokens, audio, guided)
        ctc = F.linear(audio, self.ctc.weight.to(audio.dtype), self.ctc.bias.to(audio.dtype))
        return Outputs(audio, self._logits(text.flatten(0, 1)[learnt]), ctc, attention)

    def encode(self, mel: Tensor, first: Tensor) -> Tensor:
        """Return the encoder's output at the true length (batch, frames // 2, state)."""
        encoder = self.whisper.encoder
        x = F.gelu(encoder.conv2(F.gelu(encoder.conv1(mel)))).permute(0, 2, 1)
        positions = first[:, None] + torch.arange(x.shape[1], device=first.device)
        x = x + encoder.positional_embedding[positions].to(x.dtype)
        for block in encoder.blocks:
            x, _ = _through(block, x)
        out: Tensor = encoder.ln_post(x)
        return out

    def _decode(self, tokens: Tensor, audio: Tensor, guided: bool) -> tuple[Tensor, Tensor | None]:
        decoder = self.whisper.decoder
        x = F.embedding(tokens, self.embedding) + decoder.positional_embedding[: tokens.shape[1]]
        x = x.to(audio.dtype)
        attention = []
        for i, block in enumerate(decoder.blocks):
            x, weights = _through(block, x, audio, decoder.mask, weighed=guided)
            heads = slice(None) if i == len(decoder.blocks) - 1 else slice(0, block.cross_attn.n_head // 2)
            attention.append(weights[:, heads] if guided and weights is not None else None)
        return decoder.ln(x), torch.cat([a for a in attention if a is not None], dim=1) if guided else None

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
        weight, bias, rows = (x.to(audio.dtype) for x in (self.here.weight, self.here.bias, self.embedding))
        this, before = F.linear(audio, weight, bias).chunk(2, dim=-1)
        return F.linear(this, rows).float(), F.linear(before, rows).float()

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


def _through(
    block: ResidualAttentionBlock,
    x: Tensor,
    audio: Tensor | None = None,
    mask: Tensor | None = None,
    weighed: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Return what the block makes of `x`, and if `weighed` its cross-attention (batch, heads, tokens, frames)."""
    normed = block.attn_ln(x)
    x = x + _attend(block.attn, normed, normed, mask)[0]
    weights = None
    if audio is not None:
        heard, weights = _attend(block.cross_attn, block.cross_attn_ln(x), audio, weighed=weighed)
        x = x + heard
    return x + block.mlp(block.mlp_ln(x)), weights


def _attend(
    attention: MultiHeadAttention,
    x: Tensor,
    source: Tensor,
    mask: Tensor | None = None,
    weighed: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Return the attention's output, and its weights by plain matrix products; on a GPU only if `weighed`.

    On two cores torch's fused attention makes the whole step half as long again: its backward pass in bfloat16
    alone takes a third of it. A GPU would spend its time on reading and writing the weights instead.
    """
    q, k, v = (
        part.view(*part.shape[:2], attention.n_head, -1).transpose(1, 2)
        for part in (attention.query(x), attention.key(source), attention.value(source))
    )
    if x.is_cuda and not weighed:
        heard = F.scaled_dot_product_attention(q, k, v, is_causal=mask is not None)
        return attention.out(heard.transpose(1, 2).flatten(2)), None
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(2, 3)
    if mask is not None:
        scores = scores + mask[: x.shape[1], : x.shape[1]].to(scores.dtype)
    weights = F.softmax(scores, dim=-1)
    return attention.out((weights @ v).transpose(1, 2).flatten(2)), weights


def attention_penalty(attention: Tensor, centre: Tensor, width: float) -> Tensor:
    """Return how much attention strays from where each token is spoken, 0-1 (guided attention, Tachibana 2018).

    `centre` (batch, tokens) in seconds, NaN where a token has no place; `width` is a standard deviation in seconds.
    """
    frames = torch.arange(attention.shape[-1], device=attention.device) / FRAMES_PER_SECOND
    placed = ~centre.isnan()
    distance = (frames - torch.nan_to_num(centre).unsqueeze(-1)) / width
    stray = 1 - torch.exp(-0.5 * distance**2)
    per_token = (attention.float().mean(1) * stray).sum(-1)
    return (per_token * placed).sum() / placed.sum().clamp_min(1)

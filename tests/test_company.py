"""Two processes that average their gradients, also where one of them has none."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from callanalysis.company import ALONE, Member, company


def contribute(member: Member) -> list[nn.Parameter]:
    """The leading process has a gradient of 2 for the first parameter only, the other one of 4 for both."""
    one, two, idle = (nn.Parameter(torch.full((3,), float(member.rank))) for _ in range(3))
    member.same_weights([one, two])
    one.grad = torch.full((3,), 2.0 + 2 * member.rank)
    if not member.leads:
        two.grad = torch.full((3,), 4.0)
    member.average_gradients([one, two, idle])
    return [one, two, idle]


def test_gradients_are_averaged_and_weights_are_the_leaders(tmp_path: Path) -> None:
    with company(2, tmp_path / "meeting", contribute) as member:
        assert member.leads
        assert [member.share(place) for place in range(3)] == [0, 2, 4]
        one, two, idle = contribute(member)
    assert one.grad is not None
    assert two.grad is not None
    assert one.grad.tolist() == [3.0] * 3
    assert two.grad.tolist() == [2.0] * 3
    assert idle.grad is None
    assert one.tolist() == [0.0] * 3


def test_alone_nothing_is_shared(tmp_path: Path) -> None:
    with company(1, tmp_path / "meeting", contribute) as member:
        assert member == ALONE
        assert [member.share(place) for place in range(3)] == [0, 1, 2]

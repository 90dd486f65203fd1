"""A tiny corpus and a tiny tagger trained on it, shared by the tests of the wing."""

from __future__ import annotations

from pathlib import Path

import pytest

from callanalysis.tagging.corpus import add_scenes, part_of

HEADER = (
    "# family={family} | voice=test | product=cash_loan | willingness={level} | ability=constrained"
    " | reason=ability | date=2026-03-12 | promise={promise} | whole=yes\n"
)
CALL_ZH = """\
C greet,verify_identity | 喂您好，请问是{name}先生吗？
D confirm_identity | 是我，哪位？
C identify_self,state_debt | 我是青石金融的小许，您的借款 {amount} 元逾期 {days} 天了。
{core}
D acknowledge | 嗯，好。
C close | 那就这样，再见。

"""
CALL_EN = """\
C greet,verify_identity | Hello, am I speaking with Mr {name}?
D confirm_identity | Yes, this is he.
C identify_self,state_debt | This is Ana from Bluestone, you are {days} days past due on {amount} dollars.
{core}
D acknowledge | Okay.
C close | Thank you, goodbye now.

"""
PROMISED = ("high", "800/2026-03-20/partial")
REFUSED = ("none", "-")
ASKED = ("medium", "-")
CORES_ZH = (
    (*PROMISED, "D promise_partial | 我二十号先还八百。\nC confirm_promise | 好，二十号八百，对吧？"),
    (*REFUSED, "D refuse | 我就是不还。\nC other ! threat_exposure | 那我把你欠钱的事发给你全村人看。"),
    (
        *ASKED,
        "D hardship_job,request_instalment | 厂里没发工资，能分几期吗。\nC offer_plan | 可以给您分六期。",
    ),
)
CORES_EN = (
    (
        *PROMISED,
        "D promise_partial | I'll pay 800 on the twentieth.\nC confirm_promise | 800 on the twentieth?",
    ),
    (
        *REFUSED,
        "D refuse | I won't pay you.\nC other ! threat_violence | Somebody will come and break your legs.",
    ),
    (*ASKED, "D request_instalment | Can I pay in parts?\nC offer_plan | We can split it over six months."),
)


def scenes(language: str, count: int) -> str:
    """Return `count` small calls as scene text."""
    template, cores = (CALL_ZH, CORES_ZH) if language == "zh" else (CALL_EN, CORES_EN)
    names = ("周", "陈", "郑") if language == "zh" else ("Lowe", "Hart", "Finch")
    calls = []
    for i in range(count):
        level, promise, core = cores[i % len(cores)]
        author = "test" if i >= count - 4 else "t"
        header = HEADER.format(family=f"{language}-{author}-{i:03d}", level=level, promise=promise)
        call = template.format(name=names[i % 3], amount=1000 + 137 * i, days=10 + i, core=core)
        calls.append(header + call)
    return "".join(calls)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of 24 Chinese and 24 English calls with all three parts."""
    folder = tmp_path_factory.mktemp("corpus")
    files = []
    for language in ("zh", "en"):
        path = folder / f"{language}.txt"
        path.write_text(scenes(language, 24), "utf-8")
        files.append(path)
    add_scenes(folder / "corpus", files)
    assert {part_of(f"zh-t-{i:03d}") for i in range(20)} == {"train", "valid"}
    return folder / "corpus"


@pytest.fixture(scope="session")
def trained(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tagger of two thin layers, trained on that corpus for a few seconds."""
    from callanalysis.tagging.training import train

    out = tmp_path_factory.mktemp("model") / "tagger"
    return train(tiny_options(corpus, out), lambda progress: None, lambda line: None)


def tiny_options(corpus: Path, out: Path, **changes: object):  # type: ignore[no-untyped-def]
    """Return training options that take seconds."""
    from callanalysis.tagging.encoders import Shape
    from callanalysis.tagging.training import TrainingOptions

    given = {
        "passes": 40.0,
        "wide_passes": 20.0,
        "learning_rate": 3e-3,
        "call_steps": 60,
        "precision": "fp32",
        "shape": Shape(
            layers=1, width=32, heads=2, inner=64, vocabulary=900, ngram_buckets=512, wide_buckets=4096
        ),
    }
    return TrainingOptions(corpus=corpus, out=out, **(given | changes))  # type: ignore[arg-type]

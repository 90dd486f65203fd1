"""The label set, stated once: intents by speaker, compliance risks, and the judgements on a whole call.

What the classifier learns, what the rules read and what the app shows. It knows names, not how to find them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from callanalysis.errors import InputError, LabelError

Role = Literal["collector", "debtor", "unknown"]
Willingness = Literal["high", "medium", "low", "none", "unknown"]
Ability = Literal["able", "constrained", "unable", "unknown"]
OverdueReason = Literal["willingness", "ability", "contract_dispute", "contact_or_information", "unknown"]


@dataclass(frozen=True, slots=True)
class Label:
    """One label: its name, its Chinese and English display names, and what it is."""

    name: str
    zh: str
    en: str
    meaning: str = ""


COLLECTOR_INTENTS: tuple[Label, ...] = (
    Label("greet", "问候", "Greet", "a greeting or small talk at the start"),
    Label(
        "identify_self",
        "自报身份",
        "Identify self",
        "says which institution or agency, name or staff number is calling",
    ),
    Label(
        "verify_identity",
        "核实身份",
        "Verify identity",
        "asks whether this is the debtor, or for name, last digits of an ID or card, address",
    ),
    Label("recording_notice", "录音告知", "Recording notice", "says that the call is recorded"),
    Label(
        "collector_notice",
        "催收声明",
        "Collector notice",
        "says that this is an attempt to collect a debt / the information will be used for that "
        "(US mini-Miranda), or that the purpose is a loan reminder",
    ),
    Label("state_debt", "告知欠款", "State debt", "states amount owed, product, days past due or due date"),
    Label("ask_reason", "询问原因", "Ask reason", "asks why it was not paid"),
    Label(
        "ask_capacity",
        "询问能力",
        "Ask capacity",
        "asks about income, job, money source, how much they can manage",
    ),
    Label("request_payment", "要求还款", "Request payment", "asks for payment, or for when / how much"),
    Label(
        "offer_plan", "提供方案", "Offer plan", "offers instalments, extension, minimum payment, another date"
    ),
    Label(
        "offer_discount",
        "减免方案",
        "Offer discount",
        "offers to waive interest, fees, part of the principal",
    ),
    Label(
        "state_consequence",
        "告知后果",
        "State consequence",
        "states a lawful, factual consequence (interest goes on, credit record as reported, "
        "possible suit under the law)",
    ),
    Label("empathise", "共情", "Empathise", "acknowledges feelings or hardship, thanks, apologises"),
    Label(
        "confirm_promise",
        "确认承诺",
        "Confirm promise",
        "repeats amount and/or date of a promise to have it confirmed",
    ),
    Label("payment_channel", "还款渠道", "Payment channel", "says how to pay by an official channel"),
    Label(
        "handle_dispute",
        "受理异议",
        "Handle dispute",
        "records, explains or offers to check a dispute, or names the complaint channel",
    ),
    Label(
        "relay_request",
        "请求转告",
        "Relay request",
        "asks a third party only to pass on that someone called, or for contact details",
    ),
    Label("arrange_callback", "约定回电", "Arrange callback", "fixes when to call again"),
    Label("close", "结束通话", "Close", "farewell, thanks at the end"),
)
DEBTOR_INTENTS: tuple[Label, ...] = (
    Label("confirm_identity", "确认本人", "Confirm identity", "says that it is the debtor"),
    Label("wrong_person", "非本人", "Wrong person", "says wrong number / does not know the debtor"),
    Label(
        "third_party",
        "第三方代接",
        "Third party",
        "says they are a relative, colleague, friend, or that the debtor is not there",
    ),
    Label(
        "promise_full",
        "承诺全额还款",
        "Promise full",
        "commits to pay all that is due, by a stated or clear time",
    ),
    Label(
        "promise_partial",
        "承诺部分还款",
        "Promise partial",
        "commits to pay a part, or a stated amount short of the whole",
    ),
    Label(
        "promise_vague",
        "模糊承诺",
        "Promise vague",
        "will try, soon, when there is money: no amount and no firm time",
    ),
    Label("refuse", "拒绝还款", "Refuse", "will not pay"),
    Label("cannot_pay", "无力还款", "Cannot pay", "no money now, no cause given"),
    Label("hardship_job", "失业降薪", "Hardship job", "lost work, wages unpaid or cut, business failed"),
    Label("hardship_health", "疾病意外", "Hardship health", "illness, accident, death or care in the family"),
    Label(
        "hardship_other",
        "其他困难",
        "Hardship other",
        "any other stated cause (divorce, disaster, was cheated, other debts)",
    ),
    Label("request_extension", "申请延期", "Request extension", "asks for more time"),
    Label("request_instalment", "申请分期", "Request instalment", "asks to pay in parts on a schedule"),
    Label("request_discount", "申请减免", "Request discount", "asks to waive interest, fees or part"),
    Label("dispute_amount", "金额异议", "Dispute amount", "contests amount, interest, fees, contract terms"),
    Label(
        "dispute_debt", "债务异议", "Dispute debt", "denies having borrowed, identity stolen, not their debt"
    ),
    Label("already_paid", "已还款", "Already paid", "says it has been paid"),
    Label("busy_callback", "稍后联系", "Busy callback", "cannot talk now, call later"),
    Label(
        "stop_contact", "要求停止联系", "Stop contact", "asks not to be called, or not to call family or work"
    ),
    Label("complain", "投诉维权", "Complain", "threatens or announces a complaint, police, lawyer, media"),
    Label(
        "ask_information",
        "询问信息",
        "Ask information",
        "asks who is calling, how much, how to pay, what happens",
    ),
    Label("self_harm", "自伤倾向", "Self harm", "hints at suicide or self-harm"),
    Label("abuse", "辱骂", "Abuse", "insults or threatens the collector"),
    Label("acknowledge", "应答", "Acknowledge", "bare yes / okay / I know, no content"),
)
RISKS: tuple[Label, ...] = (
    Label("insult", "辱骂侮辱", "Insult", "insults, profanity, humiliation"),
    Label("threat_violence", "暴力威胁", "Threat violence", "threatens body, safety, family"),
    Label(
        "threat_exposure",
        "曝光威胁",
        "Threat exposure",
        "threatens to tell or blast contacts, family, village, employer, internet",
    ),
    Label("threat_visit", "上门威胁", "Threat visit", "menacing visit to home or work, blocking the door"),
    Label(
        "impersonate_authority",
        "冒充公检法",
        "Impersonate authority",
        "poses as police, court, prosecutor, government, or as a lawyer or law office it is not",
    ),
    Label(
        "false_legal",
        "虚假法律后果",
        "False legal",
        "arrest, jail, crime, seizure as certain or immediate; debt passes to parents or children",
    ),
    Label("false_claim", "虚假陈述", "False claim", "false amount, deadline, blacklist, policy"),
    Label(
        "third_party_disclosure",
        "泄露债务",
        "Third party disclosure",
        "tells somebody other than the debtor of the debt",
    ),
    Label(
        "third_party_collection",
        "向第三方催收",
        "Third party collection",
        "asks somebody other than the debtor to pay",
    ),
    Label(
        "induce_borrowing",
        "诱导借贷",
        "Induce borrowing",
        "urges borrowing elsewhere, cash-out of cards, selling essentials",
    ),
    Label(
        "private_payment",
        "私下收款",
        "Private payment",
        "asks to pay into a private account or social-media wallet, or an unlisted fee",
    ),
    Label(
        "overpromise",
        "违规承诺",
        "Overpromise",
        "promises what cannot be kept: washing the credit record, unapproved waivers",
    ),
    Label(
        "undue_pressure",
        "过度施压",
        "Undue pressure",
        "minutes-long deadlines, refuses to hear hardship, keeps calling as a threat, ignores a dispute",
    ),
    Label(
        "conceal_identity",
        "隐瞒身份",
        "Conceal identity",
        "refuses to say who is calling, false name or institution",
    ),
)
OTHER = Label("other", "其他", "Other", "no label of the intent axis fits")

WILLINGNESS: tuple[Label, ...] = (
    Label("high", "高", "High", "concrete promise, or active negotiation towards one, no evasion"),
    Label("medium", "中", "Medium", "accepts the debt, wants a plan or time, conditional or partial"),
    Label("low", "低", "Low", "vague, evasive, stalls, blames"),
    Label("none", "无", "None", "refuses, hostile, denies with no readiness to clear it up"),
    Label("unknown", "无法判断", "Unknown", "not the debtor, no conversation"),
)
ABILITY: tuple[Label, ...] = (
    Label("able", "有能力", "Able"),
    Label("constrained", "能力受限", "Constrained"),
    Label("unable", "无能力", "Unable"),
    Label("unknown", "未知", "Unknown"),
)
OVERDUE_REASONS: tuple[Label, ...] = (
    Label("willingness", "还款意愿", "Willingness"),
    Label("ability", "还款能力", "Ability"),
    Label("contract_dispute", "合同争议", "Contract dispute"),
    Label("contact_or_information", "联系或信息", "Contact or information"),
    Label("unknown", "未知", "Unknown"),
)
WILLINGNESS_SCORES: dict[str, tuple[float, float]] = {
    "high": (0.75, 1.0),
    "medium": (0.5, 0.75),
    "low": (0.25, 0.5),
    "none": (0.0, 0.25),
}

INTENT_NAMES: tuple[str, ...] = tuple(x.name for x in (*COLLECTOR_INTENTS, *DEBTOR_INTENTS, OTHER))
RISK_NAMES: tuple[str, ...] = tuple(x.name for x in RISKS)
ROLES: tuple[str, ...] = get_args(Role)

_AXES = {
    "intent": (*COLLECTOR_INTENTS, *DEBTOR_INTENTS, OTHER),
    "risk": RISKS,
    "willingness": WILLINGNESS,
    "ability": ABILITY,
    "overdue_reason": OVERDUE_REASONS,
}


def intents_of(role: Role) -> tuple[str, ...]:
    """Return the intent labels a speaker of that role can carry; all of them for an unknown role."""
    spoken = {"collector": (*COLLECTOR_INTENTS, OTHER), "debtor": (*DEBTOR_INTENTS, OTHER)}
    return tuple(label.name for label in spoken.get(role, _AXES["intent"]))


def check(names: Iterable[str], axis: str, where: str) -> tuple[str, ...]:
    """Return the names as a tuple; raise LabelError naming `where` if the axis does not know one of them."""
    known = {label.name for label in _AXES[axis]}
    names = tuple(names)
    for name in names:
        if name not in known:
            remedy = f"labels.py knows for {axis}: {', '.join(sorted(known))}"
            raise LabelError(where, f"unknown label {name!r}", remedy)
    return names


def check_turn(role: Role, intent: tuple[str, ...], risk: tuple[str, ...], where: str) -> None:
    """Raise an error naming `where` unless the speaker may carry these labels together."""
    check(intent, "intent", where)
    check(risk, "risk", where)
    strangers = [name for name in intent if name not in intents_of(role)]
    if strangers:
        remedy = f"Labels of the {role}: {', '.join(intents_of(role))}"
        raise InputError(where, f"{strangers[0]!r} is not said by the {role}", remedy)
    if not intent:
        raise InputError(where, "no intent label", f"Write {OTHER.name} where none fits")
    if OTHER.name in intent and len(intent) > 1:
        raise InputError(where, f"{OTHER.name} beside another intent", "Drop one of them: it stands alone")
    if risk and role == "debtor":
        raise InputError(where, "a risk label on a debtor's turn", "Only collectors carry risks")


def display(name: str, axis: str, language: str) -> str:
    """Return the display name of a label in "zh" or "en"."""
    label = next(x for x in _AXES[axis] if x.name == name)
    return label.zh if language == "zh" else label.en

"""What the columns of a call list are called, in Chinese and in English."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

# field of CallMetadata: headers, as they are after _plain; `started_date` is a date beside a time of its own
_HEADERS = {
    "call_id": (
        "callid id callno callnumber uuid recordid recordingid sessionid 通话编号 通话id 呼叫编号 "
        "呼叫id 录音编号 录音id 流水号 通话流水号 会话编号 会话id 编号 话单号"
    ),
    "file": (
        "file filename filepath path recording recordingfile recordingpath audio audiofile wav 文件 "
        "文件名 文件路径 录音 录音文件 录音文件名 录音路径 录音名称 音频 音频文件"
    ),
    "started_at": (
        "startedat start starttime callstart calltime datetime timestamp time calledat 开始时间 "
        "通话时间 通话开始时间 呼叫时间 拨打时间 起始时间 外呼时间 时间 录音时间"
    ),
    "started_date": "date calldate startdate day 日期 通话日期 呼叫日期 拨打日期 录音日期",
    "direction": "direction calldirection calltype inout 方向 呼叫方向 通话方向 呼叫类型 通话类型",
    "collector_id": (
        "collectorid collector agentid agent agentno staffid staffno employeeid userid operatorid "
        "催收员编号 催收员id 催收员工号 工号 坐席工号 坐席编号 坐席id 员工编号 员工号 坐席 座席工号 "
        "座席编号 客服工号"
    ),
    "collector_name": (
        "collectorname agentname staffname employeename operatorname 催收员 催收员姓名 坐席姓名 "
        "座席姓名 员工姓名 客服姓名 催收人员 经办人"
    ),
    "team": (
        "team group teamname department queue skillgroup 团队 小组 组别 组 班组 部门 技能组 催收组 "
        "催收小组 机构"
    ),
    "debtor_id": (
        "debtorid customerid clientid borrowerid custid debtor customer 客户编号 客户号 客户id "
        "债务人编号 债务人id 借款人编号 借款人id 欠款人编号"
    ),
    "debtor_name": (
        "debtorname customername clientname borrowername 客户姓名 客户名称 客户 债务人 债务人姓名 "
        "借款人 借款人姓名 欠款人 欠款人姓名 姓名"
    ),
    "account_id": (
        "accountid account accountno accountnumber loanid contractid contractno caseid caseno 账户 "
        "账号 账户编号 账户号 借据号 借款编号 合同号 合同编号 案件编号 案件号 贷款编号 卡号"
    ),
    "product": (
        "product productname producttype loantype portfolio 产品 产品名称 产品类型 贷款产品 业务类型 贷款类型"
    ),
    "days_past_due": "dayspastdue dpd overduedays dayslate daysoverdue 逾期天数 逾期日数 拖欠天数",
    "balance": (
        "balance amount amountdue outstanding outstandingbalance overdueamount debt debtamount 余额 "
        "欠款 欠款金额 逾期金额 金额 剩余本息 应还金额 欠款余额 未还金额 委案金额 案件金额"
    ),
    "currency": "currency ccy currencycode 币种 货币",
    "number_dialled": (
        "numberdialled numberdialed phone phonenumber dialled dialed number callednumber mobile "
        "telephone 电话 号码 电话号码 拨打号码 被叫号码 手机号 手机号码 手机 联系电话 外呼号码 "
        "客户号码"
    ),
    "jurisdiction": "jurisdiction country law 法域 国家 适用法律 国家地区",
    "collector_channel": "collectorchannel agentchannel 催收员声道 坐席声道 声道",
    "language": "language lang 语言 语种",
}
FIELDS: Mapping[str, str] = MappingProxyType(
    {header: field for field, headers in _HEADERS.items() for header in headers.split()}
)


def field_of(header: str) -> str | None:
    """Return the field that a column header stands for, None for one that we have no name for."""
    return FIELDS.get(_plain(header))


def _plain(header: str) -> str:
    """ "Days past due (d)" -> dayspastdue; 欠款金额（元） -> 欠款金额."""
    text = unicodedata.normalize("NFKC", header).casefold()
    return re.sub(r"[\W_]+", "", re.sub(r"\([^)]*\)|\[[^\]]*\]", "", text))

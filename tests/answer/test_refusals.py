"""An LLM's refusal in its many wordings, and answers that only sound like one."""

from __future__ import annotations

import pytest

from ragcli.answer import is_refusal


@pytest.mark.parametrize(
    "text",
    [
        "The sources do not answer this question.",
        "The provided sources don't contain information about this.",
        "I could not find an answer in the documents.",
        "There is no information about opening hours in the given context.",
        "The documents do not mention who founded the company.",
        "This is not mentioned in the sources.",
        "Unfortunately, the passages do not specify the price.",
        "I'm sorry, but I cannot answer this from the sources.",
        "I am unable to answer that question based on the provided context.",
        "Based on the provided sources, it is not possible to determine the date.",
        "None of the sources mention the colour of the roof.",
        "Neither source says when the bridge was built.",
        "The answer is not in the documents.",
        "The context does not provide enough information to answer.",
        "No source answers this question.",
        "Nothing in the sources says who won.",
        "The sources are silent on this point.",
        "It is unclear from the sources whether the pump was repaired.",
        "The question cannot be answered from the given documents.",
        "There isn't any information on that in the sources.",
        "I don't know.",
        "Insufficient information to answer the question.",
        "资料没有回答这个问题。",
        "根据提供的资料，无法确定答案。",
        "文档中未提及该公司的成立时间。",
        "抱歉，来源中没有相关信息。",
        "资料中并没有说明原因。",
        "我无法从给出的内容中回答这个问题。",
        "上述材料均未涉及此问题。",
        "没有找到与该问题相关的内容。",
        "现有信息不足以回答该问题。",
        "很抱歉，我不知道。",
        "這些文件沒有提到這一點。",
        "来源里找不到答案。",
    ],
)
def test_refusals(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "Readings are kept for 730 days [1].",
        "Pets are not allowed in the garden [2].",
        "The sources do not say why, but the pump failed in 1998 [1].",
        "The price is not specified in the contract [1].",
        "No, the bridge was never finished.",
        "The company does not know its customers' names [3].",
        "塔高330米[1]。",
        "资料没有说明原因，但水泵在1998年停用[1]。",
        "游客不能携带宠物。",
    ],
)
def test_answers(text: str) -> None:
    assert not is_refusal(text)

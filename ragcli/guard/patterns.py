"""What instructions to a model look like, in English and Chinese: a table of patterns.

Weights: 1 for what hardly anybody writes to people, less for what stands in ordinary manuals too. On
documents that nobody tampered with false alarms must be rare; one that is missed has still to get
out of its source tag, which no passage can close.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pattern:
    """What is looked for in a folded text wherever one of ``starts`` stands, with which it begins."""

    kind: str
    weight: float
    starts: tuple[str, ...]
    expression: re.Pattern[str]


# Between two words: white space and the marks of Markdown, comments and quotations.
_G = r"[\s*_`'\"”“’‘>#|:,/\-]{1,12}+"
_W = r"[^\W_]{1,24}+"
_FEW = rf"(?:{_W}{_G}){{0,4}}?"


def _pattern(kind: str, weight: float, starts: str | tuple[str, ...], expression: str) -> Pattern:
    several = tuple(starts.split("|")) if isinstance(starts, str) else starts
    return Pattern(kind, weight, several, re.compile(expression))


_BEFORE = "previous|previously|prior|above|preceding|earlier|existing|original|initial|foregoing|former|past|system|safety"
_ORDERS = (
    r"(?:instructions?|prompts?|directions?|directives?|guidelines?|commands?|orders?|rules?|messages?|"
    r"conversations?|programming|training|constraints?|restrictions?|polic(?:y|ies)|context)(?![a-z0-9])"
)
_HARD = r"(?:instructions?|prompts?|directives?|guidelines?|programming)(?![a-z0-9])"
_UNLESS = rf"(?!{_G}(?:if you (?!are an? (?:ai|llm|language|assistant))|if (?!you)|when|unless)\b)"
# Who says so of somebody, or against it, gives no order.
_UNASKED = "".join(
    f"(?<!{words} )"
    for words in ("not", "n't", "n’t", "never", "if you", "if we", "we", "they", "users", "who", "when you")
)
_AGENT = (
    r"(?:ai|a\.i\.|llm|assistant|chat ?bot|bot|language model|chatgpt|gpt|claude|gemini|copilot|dan|jailbroken|"
    r"unrestricted|unfiltered|uncensored)\b"
)
_ZH_DROP = "忽略|忽視|忽视|无视|無視|忘记|忘記|忘掉|不要理会|不要理會|不必理会|不用理会|别管|不要遵守|不要遵循|不再遵守|抛开|拋開|绕过|繞過|推翻|停止执行"
_ZH_BEFORE = "以上|上述|上面|之前|此前|先前|前面|前述|原有|原来|原來|原先|你的|您的|系统|系統"
_ZH_ALL = "所有|全部|一切|任何"
_ZH_ORDERS = "指令|指示|提示词|提示詞|提示|命令|规则|規則|要求|设定|設定|约束|約束|限制|对话|對話|上下文"
_ZH_HARD = "指令|指示|提示词|提示詞"
_ZH_SECRET = "系统提示|系統提示|提示词|提示詞|系统指令|系統指令|初始指令|隐藏指令"  # noqa: S105
_THEIRS = (
    r"(?:conversation|chat history|chat log|system prompt|user'?s? (?:data|messages?|questions?|input|quer(?:y|ies))|"
    r"(?:this|our|the) (?:chat|session|dialogue)|previous messages?|api keys?|secrets?|passwords?|credentials?|"
    r"environment variables?)"
)
_FILLED = (
    r"(?:data|summary|conversation|secrets?|history|answer|user|quer(?:y|ies)|question|base64|password|token|content|"
    r"chat|prompt|context|info|text|message|response|key|email|数据|对话|内容|问题|回答|密码|密钥|摘要|信息)"
)

PATTERNS = (
    # -- override --------------------------------------------------------------------------------
    _pattern(
        "override", 1.0, "ignore|disregard|forget|override|bypass|do not follow|don't follow|don’t follow|stop following|"
        "pay no attention|not obey",
        rf"{_UNASKED}(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|overrid(?:e|ing)|bypass(?:ing)?|do{_G}not{_G}follow|"
        rf"don[’']?t{_G}follow|stop{_G}following|pay{_G}no{_G}attention{_G}to|not{_G}obey){_G}"
        rf"(?:(?:{_FEW}(?:{_BEFORE}|your){_G}{_FEW}{_ORDERS})"
        rf"|(?:(?:all|any|every|the|each){_G}){{0,3}}{_HARD}{_G}{_FEW}(?:above|before|prior|previously|earlier|you)\b"
        rf"|(?:all|any){_G}(?:other{_G}|of{_G}|the{_G}|these{_G}|those{_G}){{0,2}}{_HARD}"
        rf"|(?:everything|anything|all|what|whatever){_G}{_FEW}(?:above|before|been{_G}told|were{_G}told|"
        rf"were{_G}instructed|said{_G}before))" + _UNLESS,
    ),
    _pattern(
        "override", 1.0, _ZH_DROP,
        rf"(?:{_ZH_DROP})[^。！？\n]{{0,10}}?(?:(?:{_ZH_BEFORE})[^。！？\n]{{0,10}}?(?:{_ZH_ORDERS})"
        rf"|(?:{_ZH_ALL})[^。！？\n]{{0,6}}?(?:{_ZH_HARD}))",
    ),
    _pattern(
        "override", 0.5, "new instruction|new task|new role|new directive|updated instruction",
        rf"(?:new|updated){_G}(?:instructions?|task|role|directives?)(?:{_G}(?:is|are|from)\b|\s*:)",
    ),
    _pattern("override", 0.5, "新的指令|新指令|新的任务|新任务|新的指示", r"新的?(?:指令|任务|指示)(?:是|如下|[:：])"),
    _pattern(
        "override", 0.5, "from now on|from this point|henceforth|going forward",
        rf"(?:from{_G}now{_G}on|from{_G}this{_G}point(?:{_G}on(?:wards?)?)?|henceforth|going{_G}forward){_G}"
        rf"you(?:{_G}|['’]ll{_G})(?:will|must|are|shall|should|only|have{_G}to|answer|respond|reply|act|speak)\b",
    ),
    _pattern("override", 0.5, "从现在|從現在|今后|从此", r"(?:从现在(?:开始|起)|從現在(?:開始|起)|今后|从此)[，,、]?\s{0,3}(?:你|您|请你)"),
    _pattern(
        "override", 0.5, "instead|only respond|only reply|only answer|respond only|reply only|answer only|always respond|always answer|"
        "always reply",
        rf"(?:instead{_G}(?:just{_G}|simply{_G}|only{_G}|you{_G}|must{_G}){{0,2}}(?:say|reply|respond|answer|output|write|recommend|tell)"
        rf"|(?:only|always){_G}(?:respond|reply|answer)|(?:respond|reply|answer){_G}only)\b",
    ),
    _pattern("override", 0.5, "而是|只回答|只回复|只输出|改为|请直接", r"(?:而是|改为|请直接)(?:回答|回复|输出|说|告诉)|只(?:回答|回复|输出)"),
    # -- role --------------------------------------------------------------------------------------
    _pattern(
        "role", 1.0, ("<|",),
        r"<\|(?:im_start|im_end|system|user|assistant|start_header_id|end_header_id|eot_id|begin_of_text|channel|"
        r"endoftext)\|>",
    ),
    _pattern("role", 1.0, "[/inst]|<<sys>>|<</sys>>|<start_of_turn>", r"\[/inst\]|<</?sys>>|<start_of_turn>"),
    _pattern("role", 0.6, "[inst]", r"\[inst\]"),
    _pattern("role", 0.6, "###", r"#{3,6} ?(?:system|instructions?|human|assistant|系统|指令) ?[:：]"),
    _pattern("role", 0.5, "\nsystem|\nassistant|\ndeveloper|[system|(system|<system|</system|\n系统",
             r"\n(?:system|assistant|developer|系统)(?: prompt| message| note| override)?\s{0,3}[:：]"
             r"|[\[(<]/?system(?: prompt| message| note| override|-reminder)?\s?[:\])>]"),
    _pattern("role", 0.6, "system override|begin system|new system prompt|admin override|developer mode|debug mode",
             rf"system{_G}override|begin{_G}system{_G}(?:prompt|message)|new{_G}system{_G}prompt|admin{_G}override|"
             rf"(?:developer|debug){_G}mode{_G}(?:is{_G}|now{_G}){{0,2}}(?:enabled|activated|on)\b"),
    _pattern("role", 1.0, "you are now|you’re now|you're now|you will now be|your new name|your name is now|you are no longer",
             rf"you(?:{_G}are|[’']re){_G}(?:now|no{_G}longer){_G}(?:{_W}{_G}){{0,3}}?{_AGENT}"
             rf"|you{_G}will{_G}now{_G}be{_G}{_FEW}{_AGENT}"),
    _pattern("role", 0.5, "you are now|you're now|you’re now",
             rf"you(?:{_G}are|[’']re){_G}now{_G}(?:an?|in|my|the|acting|going|free)\b"),
    _pattern("role", 0.4, "pretend|act as|roleplay as|role-play as",
             rf"pretend{_G}(?:to{_G}be|that{_G}you|you)\b|act{_G}as{_G}(?:if{_G}you|an?\b|my\b)|role-?play{_G}as\b"),
    _pattern("role", 1.0, "do anything now|jailbr", rf"do{_G}anything{_G}now\b|you{_G}(?:are|have{_G}been){_G}jailbroken"),
    _pattern("role", 1.0, "你现在是|你現在是|现在你是|你的新身份|你不再是",
             r"(?:你现在是|你現在是|现在你是|你的新身份是|你不再是)[^。！？\n]{0,16}?(?:助手|助理|人工智能|机器人|機器人|语言模型|大模型|"
             r"模型|黑客|不受限|没有限制|沒有限制|没有任何限制|管理员|ai\b|dan\b)"),
    _pattern("role", 0.5, "扮演|假装你|假裝你|你现在是|现在你是|开发者模式|开发人员模式",
             r"(?:请|你)?(?:要|来|将)?扮演|假[装裝]你|你现在是|现在你是|开发(?:者|人员)模式(?:已)?(?:开启|启用|启动)"),
    # Who speaks to a model names it.
    _pattern("role", 0.6, "if you are a|as an ai|dear ai|attention ai|ai assistant|language model|note to|message to|to any ai|"
             "attention: ai|ai agent|to the ai|to all ai|llms|ai model",
             rf"if{_G}you{_G}are{_G}(?:an?|the){_G}(?:ai|llm|large|language|assistant)\b|(?:as|dear|attention|attn|hey){_G}(?:an?{_G}|the{_G})?(?:ai|llm)\b"
             rf"|(?:note|message|instructions?|important|notice){_G}(?:to|for){_G}(?:(?:the|any|all|an){_G})?(?:ai|llms?|language{_G}models?|assistants?)\b"
             rf"|to{_G}(?:any|the|all){_G}(?:ai|llms?)\b|(?:ai{_G}(?:assistants?|agents?|models?)|llms|language{_G}models?){_G}"
             rf"(?:reading|processing|must|should|that{_G}reads?|summari[sz]ing|who{_G}reads?)"),
    _pattern("role", 0.6, "如果你是|作为|致ai|致所有|致 ai|ai助手|ai 助手|大模型",
             r"如果你是[^。！？\n]{0,8}?(?:ai|人工智能|助手|语言模型|机器人)|作为\s?(?:一个|一名)?\s?(?:ai|人工智能|语言模型|大模型)"
             r"|致\s?(?:所有)?\s?ai|(?:ai\s?助手|大模型)(?:请|必须|应当|注意)"),
    # -- exfiltration ------------------------------------------------------------------------------
    _pattern("exfiltration", 1.0, "](http", r"\]\(\s{0,3}https?://[^\s)\]]{1,300}[?&][^\s)\]]{0,120}?="
             rf"(?:\{{+|\[|<|%7b|\$\{{|【|＜)[^\s)}}\]>】]{{0,30}}?{_FILLED}"),
    _pattern("exfiltration", 0.5, "](http", r"\]\(\s{0,3}https?://[^\s)\]]{1,300}[?&][^\s)=]{1,24}=(?:[^\s)]{0,40}?)?(?:\{|\[|<|%7b|\$)"),
    _pattern("exfiltration", 1.0, "send|post|upload|forward|transmit|email|submit|leak|exfiltrate|append|encode",
             rf"(?:send|post|upload|forward|transmit|e?mail|submit|leak|exfiltrate|append|encode){_G}{_FEW}"
             rf"(?:conversation|chat{_G}(?:history|log)|system{_G}prompt|previous{_G}messages?|user['’]?s?{_G}(?:messages?|conversation|questions?|secrets?))"
             rf"[^.!?\n]{{0,80}}?(?:https?://|webhook|\burl\b|e-?mail|[a-z0-9._-]{{1,40}}@[a-z0-9-]{{1,40}}\.)"),
    _pattern("exfiltration", 0.3, "send|post |upload|forward|transmit|exfiltrate|curl |visit|fetch",
             r"(?:send|post|upload|forward|transmit|exfiltrate|curl|visit|fetch)[^.!?\n]{1,80}?https?://"),
    _pattern("exfiltration", 1.0, "对话|對話|聊天记录|聊天記錄|历史记录|用户的|用户数据|用户信息|系统提示|密钥|密码|上下文|以上内容|全部内容",
             r"(?:对话|對話|聊天|历史|用户|系统|密钥|密码|上下文|以上|全部)[^。！？\n]{0,16}?(?:发送|發送|上传|上傳|提交|转发|轉發|泄露|发)"
             r"[^。！？\n]{0,4}?(?:到|给|至)[^。！？\n]{0,12}?(?:https?://|[a-z0-9._-]{1,40}@[a-z0-9-]{1,40}\.)"),
    _pattern("exfiltration", 1.0, "reveal|print|show|output|repeat|display|leak|disclose|tell me|give me|expose|share|"
             "write out|recite|dump",
             rf"(?:reveal|print|show|output|repeat|display|leak|disclose|tell{_G}me|give{_G}me|expose|share|write{_G}out|recite|dump){_G}"
             rf"(?:(?:me|us|back|out|verbatim|the|all|of|full|entire|exact|complete){_G}){{0,4}}"
             rf"(?:your{_G}(?:{_W}{_G}){{0,2}}?(?:system{_G}(?:prompt|message|instructions?)|initial{_G}(?:prompt|instructions?)|"
             rf"hidden{_G}(?:prompt|instructions?)|instructions|prompt|api{_G}keys?|secret{_G}keys?|secrets|credentials)\b|"
             rf"(?:hidden|initial|secret|original){_G}(?:system{_G})?(?:prompt|instructions)\b|"
             rf"(?:prompt|instructions|words|text){_G}above\b(?={_G}(?:verbatim|in{_G}full|word)))"),
    _pattern("exfiltration", 0.4, "system prompt|initial prompt", rf"(?:system|initial){_G}prompts?\b"),
    _pattern("exfiltration", 1.0, "泄露|洩露|输出|輸出|打印|告诉我|告訴我|显示|顯示|复述|複述|重复|重複|公开|透露|说出",
             rf"(?:泄露|洩露|输出|輸出|打印|告诉我|告訴我|显示|顯示|复述|複述|重复|重複|公开|透露|说出)[^。！？\n，]{{0,8}}?"
             rf"(?:你|您)[^。！？\n，]{{0,8}}?(?:{_ZH_SECRET}|api ?密钥|api ?key|密钥|密码|指令)"),
    _pattern("exfiltration", 0.7, "do not tell|don't tell|don’t tell|do not mention|don't mention|do not inform|without telling|"
             "do not reveal|do not let the user",
             rf"(?:do{_G}not|don[’']t){_G}(?:tell|inform|alert|notify|let){_G}(?:the{_G})?user\b|without{_G}telling{_G}the{_G}user\b"
             rf"|(?:do{_G}not|don[’']t){_G}(?:mention|reveal){_G}(?:this{_G}|these{_G}|that{_G}){{1,2}}(?:instructions?|message|prompt|note|to{_G}the{_G}user)"),
    _pattern("exfiltration", 0.7, "不要告诉用户|不要向用户|不要让用户|别告诉用户|不得告知用户|不要提及",
             r"(?:不要|别|不得)(?:告诉|让|告知)用户|不要向用户(?:透露|提及|说明)|不要提及(?:本|这条|此|这个)?(?:指令|消息|提示|说明)"),
    # -- delimiters of ours ------------------------------------------------------------------------
    _pattern("delimiter", 1.0, "<source n|</source n|< source n|<source\tn|< /source n|<source\nn", r"<\s{0,4}/?\s{0,4}source\s{1,4}n\s{0,3}="),
    _pattern("delimiter", 0.6, "</", r"</\s{0,4}(?:source|sources|context|documents?|passages?|user_query|question)\s{0,4}>"),
    _pattern("delimiter", 0.6, "end of ", rf"end{_G}of{_G}(?:the{_G})?(?:sources?|context|documents?|passages?|retrieved)\b"),
    _pattern("delimiter", 1.0, "cite", rf"cite{_G}(?:only|just|always|nothing{_G}but){_G}(?:source{_G}|number{_G})?\[\d{{1,3}}\]"
             rf"|cite{_G}(?:this{_G})?(?:source|passage|document){_G}(?:only|as{_G}\[\d{{1,3}}\])"),
    _pattern("delimiter", 1.0, "只引用|仅引用|只能引用|始终引用|必须引用|一律引用|都引用",
             r"(?:只|仅|只能|始终|必须|一律|都)引用[^。！？\n]{0,6}?[\[［【]\d{1,3}[\]］】]"),
    # -- tools -------------------------------------------------------------------------------------
    _pattern("tool", 0.3, "run|execute|type |paste", rf"(?:run|execute|type|paste){_G}{_FEW}commands?\b"),
    _pattern("tool", 0.3, "curl|wget", r"(?:curl|wget)[^\n|]{1,200}+\|\s{0,3}(?:sudo\s{1,3})?(?:ba|z)?sh\b"),
    _pattern("tool", 0.5, "tool|function", rf"(?:tool|function)(?:{_G}|s{_G})(?:call{_G}|to{_G}){{0,2}}(?:send|delete|e?mail|transfer|exfiltrate|buy|purchase)\b"),
    _pattern("tool", 0.5, "运行以下命令|执行以下命令|运行下面的命令|执行下面的命令", r"(?:运行|执行)(?:以下|下面的)命令"),
    # -- encoded -----------------------------------------------------------------------------------
    _pattern("encoded", 0.7, "decode|base64|rot13|解码|解碼", rf"(?:decode|base64|rot13|解码|解碼)[^.。\n]{{0,60}}?(?:and|then|并|然后|后){_G.replace('1,12', '0,12')}"
             r"(?:follow|execute|obey|carry out|do what|act on|comply|执行|遵循|照做|服从)"),
)  # fmt: skip

"""Answers that refuse, in the languages in which models most often do it.

Not every "I cannot" is one: the assistant must refuse its own work.
"""

import re

_LONGEST = 600  # characters; a longer text also contains an answer
_BEGINNING = 200  # characters that contain the refusal

_ENGLISH = (
    r"\b(?:I|we)(?:['’](?:m|re)| am| are)?\b.{0,12}?"
    r"\b(?:can['’]?t|cannot|can not|won['’]t|will not|(?:not able|unable) to|not comfortable)\b"
    r".{0,25}\b(?:help(?! but\b| it\b| \w+ing\b)|assist|provide|fulfill?|comply|answer|respond|"
    r"do that|engage|create|generate|write|discuss|share|support|offer|give|complete|continue|"
    r"participate)",
    r"\bas an? (?:AI|artificial intelligence|(?:large )?language model)\b",
    r"\bI(?:['’]m| am) (?:just |only )?an AI\b",
    r"\bagainst (?:my|the) (?:guidelines|polic(?:y|ies)|programming)\b",
)
_CHINESE = (
    r"(?:无法|無法|不能|不便|不可以).{0,8}(?:帮|幫|提供|协助|協助|回答|满足|滿足|完成|生成|讨论|討論|透露|继续)",
    r"(?:作为|作為|我是)(?:一个|一名|一個)?\s?(?:AI|人工智能|人工智慧|语言模型|語言模型|大模型)",
)
_GERMAN = (
    r"\b(?:ich (?:kann|darf|werde)|(?:kann|darf) ich)\b.{0,40}\b(?:nicht|keine?)\b.{0,40}"
    r"(?:helfen|beantworten|unterstützen|erstellen|geben|bereitstellen|anbieten|schreiben)",
    r"\bich bin nicht in der Lage\b",
    r"\bals (?:eine? )?(?:KI|künstliche Intelligenz|Sprachmodell)\b",
)
_ROMANCE = (
    r"\bje ne (?:peux|suis|puis|saurais)\b.{0,40}(?:aider|répondre|fournir|en mesure|créer|écrire)",
    r"\ben tant qu['’](?:une )?(?:IA|intelligence artificielle|assistant)",
    r"\bno (?:puedo|me es posible)\b.{0,20}(?:ayudar|proporcionar|responder|cumplir|crear|ofrecer)",
    r"\bcomo (?:una? |um )?(?:IA|intel[ie]g[eê]ncia artificial|modelo de l)",
    r"\bnão (?:posso|consigo)\b.{0,20}(?:ajudar|fornecer|responder|criar|oferecer)",
    r"\bnon (?:posso|sono in grado di)\b.{0,20}(?:aiutar|fornire|rispondere|creare)",
)
_OTHER = (
    r"\bне (?:могу|смогу)\b.{0,20}(?:помочь|ответить|предоставить|выполнить|создать)",
    r"(?:お答え|お手伝い|対応|提供|回答)(?:することは|すること|は|が)?(?:でき(?:ません|かねます)|いたしかねます)",
    r"(?:도와드릴|답변드릴|답변할|제공할|도울) 수(?:가)? 없",
)
_REFUSALS = re.compile("|".join(_ENGLISH + _CHINESE + _GERMAN + _ROMANCE + _OTHER), re.IGNORECASE)


def is_refusal(text: str) -> bool:
    """Return True if a short answer begins with a refusal."""
    text = text.strip()
    return len(text) <= _LONGEST and bool(_REFUSALS.search(text[:_BEGINNING]))

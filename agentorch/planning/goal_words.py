"""The small words that tell how a goal is built: what asks, what orders, what joins, what leads to a name."""

from typing import Final

_QUESTION_WORDS = "what how why when where who whom whose which"
_AUXILIARIES = "is are was were do does did can could will would shall should has have had must might"
_PRONOUNS = "i you he she it we they him her them its their this that these those"
_CLAUSES = "not whether if because so then but than while although e.g. i.e. etc etc. please"
_ORDERS = """
    add analyse analyze answer ask build calculate change check collect compare compute contrast create describe design
    draft edit email evaluate explain extract fetch file fill find fix format gather generate give go identify improve
    keep list look make mark mend merge move name note open plan post prepare present print produce propose prove
    publish put rank rate read recommend report research return review revise rewrite run save say search select send
    show sort state store suggest summarise summarize take tell test translate turn update use verify view write
"""
_PREPOSITIONS = """
    about against at before after between among by during for from in into of on over since through to toward towards
    under until with within without
"""
_TOGETHER = """
    among as average between both choice choose combination combine combined common connect difference differences
    either including intersection join like link merge mix mixing mixture neither order overlap pick prioritise
    prioritize rank relation relations relationship relationships similarities sort sum than total union versus vs vs.
    with
"""

QUESTION_WORDS: Final = frozenset(_QUESTION_WORDS.split())
AUXILIARIES: Final = frozenset(_AUXILIARIES.split())
PRONOUNS: Final = frozenset(_PRONOUNS.split())
CLAUSE_WORDS: Final = QUESTION_WORDS | AUXILIARIES | PRONOUNS | frozenset(_CLAUSES.split())
"""Words that stand in a clause, never in the name of a thing."""
ORDERS: Final = frozenset(_ORDERS.split())
"""Verbs that a goal, or its next order, begins with."""
PREPOSITIONS: Final = frozenset(_PREPOSITIONS.split())
ARTICLES: Final = frozenset({"the", "a", "an", "our", "my", "your"})
TOGETHER: Final = frozenset(_TOGETHER.split())
"""Words after which the things of a list are parts of one thing, or are wanted side by side."""


def bare(word: str) -> str:
    """Return a word in lower case, without the marks around it."""
    return word.strip(",;:.!?\"'()[]\u201c\u201d\u2018\u2019").lower()

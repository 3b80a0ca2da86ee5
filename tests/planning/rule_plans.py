"""The table of the rule planner: which team and which goal give which DAG."""

from typing import Any

from agentorch.core.card import AgentCard
from tests.planning import teams as t

Inputs = dict[str, dict[str, Any]]

BUSES = "An ode to message buses"
TABLE: list[tuple[str, str, list[AgentCard], Inputs]] = [
    (
        "hello world",
        BUSES,
        [t.RESEARCHER, t.POET],
        {"researcher": {"topic": "$goal"}, "poet": {"facts": "$researcher"}},
    ),
    ("a single agent", BUSES, [t.TRANSLATOR], {"translator": {"text": "$goal"}}),
    ("an agent that needs nothing", "Go", [t.LOADER], {"loader": {}}),
    (
        "an irrelevant agent is left out",
        BUSES,
        [t.TRANSLATOR, t.RESEARCHER, t.POET],
        {"researcher": {"topic": "$goal"}, "poet": {"facts": "$researcher"}},
    ),
    (
        "the goal speaks of one of two sources",
        "What is the weather in Oslo?",
        [t.REPORTER, t.FORECASTER],
        {"forecaster": {"city": "$goal"}},
    ),
    (
        "nothing fits: of those that take the goal by name, the first by name",
        "Hum a tune",
        [t.REPORTER, t.FORECASTER, t.TRANSLATOR, t.LIBRARIAN],
        {"librarian": {"question": "$goal"}},
    ),
    (
        "nothing fits: who answers questions goes before who has the earlier name",
        "Hum a tune",
        [t.COACH, t.FILE_READER],
        {"librarian": {"question": "$goal"}},
    ),
    (
        "nothing fits, and none takes the goal by name: the single best agent, by name",
        "Hum a tune",
        [t.TRANSLATOR, t.FORECASTER],
        {"forecaster": {"city": "$goal"}},
    ),
    (
        "three questions fan out",
        "What is a bus? Who owns it? When was it built?",
        [t.LIBRARIAN],
        {
            "librarian-1": {"question": "What is a bus?"},
            "librarian-2": {"question": "Who owns it?"},
            "librarian-3": {"question": "When was it built?"},
        },
    ),
    (
        "an enumeration fans out, followers once for each",
        "Poems about Oslo, Bergen and Troms",
        [t.RESEARCHER, t.POET],
        {
            "researcher-1": {"topic": "Poems about Oslo"},
            "researcher-2": {"topic": "Poems about Bergen"},
            "researcher-3": {"topic": "Poems about Troms"},
            "poet-1": {"facts": "$researcher-1"},
            "poet-2": {"facts": "$researcher-2"},
            "poet-3": {"facts": "$researcher-3"},
        },
    ),
    (
        "a comparison fans out and in",
        "Compare NATS and Kafka",
        [t.LIBRARIAN, t.COMPARER],
        {
            "librarian-1": {"question": "NATS"},
            "librarian-2": {"question": "Kafka"},
            "comparer": {"goal": "$goal", "findings": ["$librarian-1", "$librarian-2"]},
        },
    ),
    (
        "a list of one",
        "Message buses",
        [t.LIBRARIAN, t.COMPARER],
        {"librarian": {"question": "$goal"}, "comparer": {"goal": "$goal", "findings": ["$librarian"]}},
    ),
    (
        "texts are gathered where the name says so",
        "- Who?\n- Why?",
        [t.ANSWERER, t.EDITOR],
        {
            "answerer-1": {"question": "Who?"},
            "answerer-2": {"question": "Why?"},
            "editor": {"answers": ["$answerer-1", "$answerer-2"]},
        },
    ),
    (
        "two sources, one consumer",
        "The morning in Oslo",
        [t.REPORTER, t.FORECASTER, t.PRESENTER],
        {
            "forecaster": {"city": "$goal"},
            "reporter": {"query": "$goal"},
            "presenter": {"news": "$reporter", "weather": "$forecaster"},
        },
    ),
    (
        "a diamond",
        "Shall we move?",
        [t.RESEARCHER, t.OPTIMIST, t.PESSIMIST, t.JUDGE],
        {
            "researcher": {"topic": "$goal"},
            "optimist": {"facts": "$researcher"},
            "pessimist": {"facts": "$researcher"},
            "judge": {"optimist": "$optimist", "pessimist": "$pessimist"},
        },
    ),
    (
        "a chain of three, one of them turns facts into facts",
        BUSES,
        [t.RESEARCHER, t.CHECKER, t.POET],
        {"researcher": {"topic": "$goal"}, "checker": {"facts": "$researcher"}, "poet": {"facts": "$checker"}},
    ),
    (
        "a chain of three by types",
        "A letter",
        [t.FINISHER, t.CRITIC, t.DRAFTER],
        {
            "drafter": {"goal": "$goal"},
            "critic": {"draft": "$drafter"},
            "finisher": {"draft": "$drafter", "review": "$critic"},
        },
    ),
    (
        "two followers, the goal speaks of one",
        "A poem on buses",
        [t.RESEARCHER, t.POET, t.ESSAYIST],
        {"researcher": {"topic": "$goal"}, "poet": {"facts": "$researcher"}},
    ),
    (
        "two followers, the goal speaks of neither",
        BUSES,
        [t.RESEARCHER, t.POET, t.ESSAYIST],
        {"researcher": {"topic": "$goal"}, "poet": {"facts": "$researcher"}, "essayist": {"facts": "$researcher"}},
    ),
    (
        "questions as a list",
        "Who? Why?",
        [t.POLLSTER],
        {"pollster": {"questions": ["Who?", "Why?"]}},
    ),
    ("one question as a list", "Who?", [t.POLLSTER], {"pollster": {"questions": ["$goal"]}}),
    (
        "no input at the start of a chain",
        "A chart",
        [t.PLOTTER, t.LOADER],
        {"loader": {}, "plotter": {"table": "$loader"}},
    ),
    (
        "what nobody can fill is left out when others can work",
        "Message buses",
        [t.RESEARCHER, t.COUNTER],
        {"researcher": {"topic": "$goal"}},
    ),
    (
        "the built-in team, one question",
        "What does the contract say about termination?",
        [t.LIBRARIAN, t.WRITER, t.SUMMARIZER],
        {"librarian": {"question": "$goal"}, "writer": {"goal": "$goal", "parts": {"librarian": "$librarian"}}},
    ),
    (
        "the built-in team, two questions",
        "Who signs? When does it end?",
        [t.LIBRARIAN, t.WRITER, t.SUMMARIZER],
        {
            "librarian-1": {"question": "Who signs?"},
            "librarian-2": {"question": "When does it end?"},
            "writer": {
                "goal": "$goal",
                "parts": {"librarian-1": "$librarian-1", "librarian-2": "$librarian-2"},
            },
        },
    ),
    (
        "the built-in team, a summary",
        "Summarize the contract",
        [t.LIBRARIAN, t.WRITER, t.SUMMARIZER],
        {"librarian": {"question": "$goal"}, "summarizer": {"parts": {"librarian": "$librarian"}}},
    ),
    (
        "a finished text needs no closing",
        BUSES,
        [t.RESEARCHER, t.POET, t.WRITER],
        {"researcher": {"topic": "$goal"}, "poet": {"facts": "$researcher"}},
    ),
    (
        "who takes any text does not push the researcher out",
        BUSES,
        [t.RESEARCHER, t.POET, t.REVIEWER],
        {"researcher": {"topic": "$goal"}, "poet": {"facts": "$researcher"}},
    ),
    (
        "nor does one whose name comes first",
        BUSES,
        [t.RESEARCHER, t.POET, t.KEYWORDER],
        {"researcher": {"topic": "$goal"}, "poet": {"facts": "$researcher"}},
    ),
    (
        "of equal types, the one that takes the goal by name",
        BUSES,
        [t.RESEARCHER, t.RECITER, t.KEYWORDER],
        {"researcher": {"topic": "$goal"}, "reciter": {"lines": "$researcher"}},
    ),
    (
        "a text that the card says is made",
        BUSES,
        [t.FACT_FINDER, t.FACT_WRITER],
        {"scholar": {"topic": "$goal"}, "fact_writer": {"facts": "$scholar"}},
    ),
    (
        "a text that a capability names",
        BUSES,
        [t.SKETCHER, t.COLUMNIST],
        {"sketcher": {"topic": "$goal"}, "columnist": {"outline": "$sketcher"}},
    ),
    (
        "a chain of three texts",
        BUSES,
        [t.SCHOLAR, t.ANALYST, t.REPORT_WRITER],
        {
            "scholar": {"topic": "$goal"},
            "analyst": {"research": "$scholar"},
            "report_writer": {"analysis": "$analyst"},
        },
    ),
    *(
        (
            f"the built-in team with a model answers from the files: {goal}",
            goal,
            [*t.WITH_A_MODEL, *own],
            {"librarian": {"question": "$goal"}, "writer": {"goal": "$goal", "parts": {"librarian": "$librarian"}}},
        )
        for own in ([], [t.FORMATTER, t.KEYWORDER])
        for goal in ("What survives a power cut?", "Which limits has a run?", "Who signs the contract?")
    ),
    (
        "effects that nobody ordered",
        "Tell me about account Bob",
        [t.JOKER, t.MAILER, t.DELETER],
        {"joker": {"text": "$goal"}},
    ),
    (
        "effects that the goal orders",
        "Delete account Bob",
        [t.JOKER, t.MAILER, t.DELETER],
        {"deleter": {"name": "$goal"}},
    ),
]

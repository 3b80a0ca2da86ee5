"""Teams for the rule planner's tests: cards made from typed functions, as `@agent` makes them."""

from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel

from agentorch.agents import Artifact, agent
from agentorch.core.card import AgentCard


class Findings(BaseModel):
    answer: str
    sources: list[str] = []


class News(BaseModel):
    headlines: list[str]


class Weather(BaseModel):
    degrees: float


class Draft(BaseModel):
    body: str


class Review(BaseModel):
    remarks: list[str]


class Place(BaseModel):
    name: str


class Research(BaseModel):
    answer: str


def card(function: Callable[..., Any], description: str, **settings: Any) -> AgentCard:
    """Return the card of an agent that does `function`."""
    return agent(description=description, **settings)(function).card


def researcher(topic: str) -> list[str]: ...
def poet(facts: list[str]) -> str: ...
def essayist(facts: list[str]) -> str: ...
def checker(facts: list[str]) -> list[str]: ...
def optimist(facts: list[str]) -> Draft: ...
def pessimist(facts: list[str]) -> Review: ...
def judge(optimist: Draft, pessimist: Review) -> str: ...
def librarian(question: str) -> Findings: ...
def answerer(question: str) -> str: ...
def editor(answers: list[str]) -> str: ...
def reporter(query: str) -> News: ...
def forecaster(city: str) -> Weather: ...
def presenter(news: News, weather: Weather) -> str: ...
def comparer(goal: str, findings: list[Findings]) -> str: ...
def drafter(goal: str) -> Draft: ...
def critic(draft: Draft) -> Review: ...
def finisher(draft: Draft, review: Review) -> str: ...
def translator(text: str) -> str: ...
def pollster(questions: list[str]) -> str: ...
def stylist(facts: list[str], meter: Literal["iamb", "trochee"]) -> str: ...
def counter(number: int) -> str: ...
def loader() -> dict[str, int]: ...
def plotter(table: dict[str, int]) -> Artifact: ...
def writer(goal: str, parts: dict[str, Any], missing: list[str] = []) -> str: ...  # noqa: B006
def summarizer(parts: dict[str, Any]) -> str: ...
def oracle(question: str) -> str: ...
def reviewer(text: str) -> list[str]: ...
def keyworder(text: str) -> list[str]: ...
def reciter(lines: list[str]) -> str: ...
def fact_writer(facts: str) -> str: ...
def scholar(topic: str) -> str: ...
def analyst(research: str) -> str: ...
def report_writer(analysis: str) -> str: ...
def sketcher(topic: str) -> str: ...
def columnist(outline: str) -> str: ...
def hotel(city: str) -> list[Place]: ...
def flights(city: str, date: str) -> list[Place]: ...
def itinerary(hotels: list[Place], flights: list[Place]) -> str: ...
def investigator(question: str) -> Research: ...
def examiner(draft: str, goal: str = "") -> Review: ...
def formatter(content: str) -> str: ...
def joker(text: str) -> str: ...
def mailer(text: str) -> str: ...
def deleter(name: str) -> str: ...


RESEARCHER = card(researcher, "Finds facts about a topic.")
POET = card(poet, "Writes a short poem from facts.")
ESSAYIST = card(essayist, "Writes an essay from facts.")
CHECKER = card(checker, "Keeps the facts that are true.")
OPTIMIST = card(optimist, "Makes the best of it.")
PESSIMIST = card(pessimist, "Sees what can go wrong.")
JUDGE = card(judge, "Weighs both sides.")
LIBRARIAN = card(librarian, "Finds passages in the user's files.")
ANSWERER = card(answerer, "Answers one question.")
EDITOR = card(editor, "Makes one text of several.")
REPORTER = card(reporter, "Tells the latest headlines.")
FORECASTER = card(forecaster, "Knows the weather and the temperature.")
PRESENTER = card(presenter, "Presents a morning show.")
COMPARER = card(comparer, "Sets findings side by side.")
DRAFTER = card(drafter, "Makes a first draft.")
CRITIC = card(critic, "Points out weak places.")
FINISHER = card(finisher, "Mends a draft.")
TRANSLATOR = card(translator, "Translates text into French.")
POLLSTER = card(pollster, "Asks many people.")
STYLIST = card(stylist, "Turns facts into verse, a sonnet or an ode.")
COUNTER = card(counter, "Counts.")
LOADER = card(loader, "Loads the table.")
PLOTTER = card(plotter, "Draws a chart.")
WRITER = card(writer, "Writes the closing text from what the others found.")
SUMMARIZER = card(summarizer, "Shortens: summarizes what is long.")
ORACLE = card(oracle, "Answers from a model's memory.", needs_model=True)
REVIEWER = card(reviewer, "Lists what is weak in a text.", name="critic")
KEYWORDER = card(keyworder, "Extracts keywords from a text.")
RECITER = card(reciter, "Recites.")
FACT_WRITER = card(fact_writer, "Writes a text.")
FACT_FINDER = card(scholar, "Finds facts about a topic.")
SCHOLAR = card(scholar, "Does research on a topic.")
ANALYST = card(analyst, "Analyses research.")
REPORT_WRITER = card(report_writer, "Writes a report from an analysis.")
SKETCHER = card(sketcher, "Plans what to say.", capabilities=("outline",))
COLUMNIST = card(columnist, "Writes a column.")
HOTEL = card(hotel, "Finds hotels.")
FLIGHTS = card(flights, "Finds flights.")
ITINERARY = card(itinerary, "Makes an itinerary.")
INVESTIGATOR = card(
    investigator,
    "Researches a question in the user's files with a language model, follows leads, and reports findings.",
    name="researcher",
    needs_model=True,
)
EXAMINER = card(
    examiner,
    "Reviews a draft critically, points out unsupported claims, gaps and unclear places, and says how to mend them.",
    name="critic",
    needs_model=True,
)
WITH_A_MODEL = [EXAMINER, LIBRARIAN, INVESTIGATOR, SUMMARIZER, WRITER]
"""The built-in team, the agents that need a model among them; the first by name takes any text."""
FILE_READER = card(librarian, "Finds passages.", capabilities=("answer-question",))
COACH = card(scholar, "Explains a topic.", name="coach")
FORMATTER = card(formatter, "Formats content as HTML.")
JOKER = card(joker, "Tells a joke.")
MAILER = card(mailer, "Sends an email to all customers.", effects="once")
DELETER = card(deleter, "Deletes the account that is named.", effects="once")

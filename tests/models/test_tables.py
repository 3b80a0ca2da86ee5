"""The tables and small readers around the adapter: quirks, schemas, headers, prices, names."""

import subprocess
import sys
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter

from agentorch.core.usage import Usage
from agentorch.errors import ConfigurationError
from agentorch.models import Form, GovernedModel, Price, Prices, Quirks, open_model, quirks_for
from agentorch.models.assembly import Assembly
from agentorch.models.headers import seconds_of
from agentorch.models.provider import Provider
from agentorch.models.quirks import downgraded
from agentorch.models.structured import object_rooted, strict, unwrapped
from agentorch.ports.model import Message, ModelRequest, ToolCall
from agentorch.testing.fake_openai import FakeOpenAI, Say
from agentorch.testing.scripted_model import ScriptedModel

OPENAI = "https://api.openai.com/v1"


def test_importing_loads_no_client() -> None:
    """`import agentorch.models` is cheap: no client, no price list, no tokenizer."""
    script = (
        "import sys, agentorch.models; from agentorch.models import OpenAIModel; OpenAIModel('x'); "
        "print([name for name in ('openai', 'httpx', 'httpx2', 'genai_prices', 'tiktoken') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=50, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("base_url", "model", "quirks"),
    [
        (OPENAI, "gpt-5-mini", Quirks(limit="max_completion_tokens", temperature=False, refuses_in_words=True)),
        (OPENAI, "gpt-4o", Quirks(limit="max_completion_tokens", refuses_in_words=True)),
        (OPENAI, "gpt-4-turbo", Quirks(limit="max_completion_tokens", output=Form.OBJECT, refuses_in_words=True)),
        ("http://localhost:8080/v1", "llama", Quirks()),
        ("https://openrouter.ai/api/v1", "openai/gpt-5", Quirks(temperature=False)),
        ("https://not-api.openai.com.evil/v1", "x", Quirks()),
    ],
)
def test_quirks_by_host_and_model(base_url: str, model: str, quirks: Quirks) -> None:
    """The table is matched by the end of the host and the start of the model's name."""
    assert quirks_for(base_url, model) == quirks


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"ouput": "object"}, "unknown key 'ouput'; did you mean 'output'?"),
        ({"zzz": 1}, "there are limit, output"),
        ({"output": "yaml"}, "it can be strict, schema, object, prompt"),
    ],
)
def test_wrong_quirks_are_named(given: dict[str, Any], words: str) -> None:
    """A misspelt quirk is an error with a remedy."""
    with pytest.raises(ConfigurationError, match="quirks: ") as raised:
        quirks_for(OPENAI, "gpt-5", given=given)
    assert words in str(raised.value)


def test_downgrades_end() -> None:
    """A server that complains of everything is asked a bounded number of times."""
    quirks, complaint = Quirks(), "unknown: max_tokens temperature stream_options tool_choice response_format"
    steps = 0
    while (lesser := downgraded(quirks, complaint)) is not None:
        quirks, steps = lesser, steps + 1
    assert (steps, downgraded(Quirks(), "nothing that we send")) == (7, None)


class Cat(BaseModel):
    kind: Literal["cat"]
    name: str = Field(default="Tom", min_length=1)
    friends: list["Cat"] = []


class Dog(BaseModel):
    kind: Literal["dog"]


class Pets(BaseModel):
    first: Annotated[Cat | Dog, Field(discriminator="kind")]
    second: Cat | None = None


def test_a_strict_schema_is_closed_everywhere() -> None:
    """Unions, references, recursion and defaults: every object closed and complete, nothing that servers refuse."""
    found = strict(Pets.model_json_schema())
    assert found is not None
    objects = [found, *found["$defs"].values()]
    assert [node["required"] == list(node["properties"]) for node in objects] == [True] * 3
    assert [node["additionalProperties"] for node in objects] == [False] * 3
    text = str(found)
    assert [word for word in ("oneOf", "discriminator", "'default'", "minLength", "title") if word in text] == []


@pytest.mark.parametrize(
    "annotation", [dict[str, int], Any, tuple[int, str], set[int], list[Any], dict[str, Any] | int]
)
def test_what_cannot_be_strict(annotation: Any) -> None:
    """Open objects, tuples, sets and values of any type have no strict form."""
    assert strict(object_rooted(TypeAdapter(annotation).json_schema())[0]) is None


@pytest.mark.parametrize(("annotation", "wraps"), [(Cat, False), (list[Cat], True), (Cat | Dog, True), (str, True)])
def test_the_root_is_an_object(annotation: Any, wraps: bool) -> None:
    """References at the root are resolved; everything but an object is wrapped, and its definitions moved up."""
    schema, wrapped = object_rooted(TypeAdapter(annotation).json_schema())
    assert (schema["type"], wrapped, strict(schema) is not None) == ("object", wraps, True)


@pytest.mark.parametrize("text", ["[1]", "not json", '{"value": 1, "other": 2}'])
def test_what_is_not_wrapped_stays(text: str) -> None:
    """Text that is no wrapper is handed on as it came."""
    assert (unwrapped(text), unwrapped('{"value": "é"}')) == (text, '"é"')


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("6m0s", 360), ("20ms", 0.02), ("1h30m", 5400), ("7.5", 7.5), ("", None), ("soon", None), (None, None)],
)
def test_durations(text: str | None, seconds: float | None) -> None:
    """Providers write durations in several ways."""
    assert seconds_of(text) == seconds


def test_prices() -> None:
    """The user's price goes first, then the published one; an unknown one is None."""
    prices = Prices({"mine": Price(input=2, output=4)})
    usage = Usage(1_000_000, 500_000, cached_tokens=1_000_000)
    assert prices.cost(usage, model="mine", base_url="http://localhost/v1") == 4.0
    assert prices.cost(usage, model="gpt-5-mini", base_url=OPENAI) == pytest.approx(1.0, rel=0.5)
    assert (prices.knows("gpt-5-mini", base_url=OPENAI), prices.knows("house", base_url=OPENAI)) == (True, False)


def test_a_name_becomes_a_model() -> None:
    """Names, with the key and the base URL of the openai SDK; a model is itself; None is none."""
    scripted = ScriptedModel("x")
    assert (open_model(None), open_model(scripted)) == (None, scripted)
    opened = open_model("openai/gpt-5-mini", environment={"OPENAI_API_KEY": "k"})
    assert (type(opened), opened and opened.name) == (GovernedModel, "gpt-5-mini")
    served = open_model("openai/gpt-oss-20b", environment={"OPENAI_BASE_URL": "http://localhost:1/v1"})
    assert served is not None
    assert served.name == "openai/gpt-oss-20b"


@pytest.mark.parametrize(
    ("spec", "environment", "words"),
    [
        ("gpt-5-mini", {}, "OPENAI_API_KEY is not set"),
        (" ", {"OPENAI_API_KEY": "k"}, "the name is empty"),
        ("x", {"OPENAI_BASE_URL": "localhost:1"}, "must begin with http"),
        ("x", {"OPENAI_BASE_URL": "http://127.0.0.1:99999/v1"}, "its port"),
        ("x", {"OPENAI_BASE_URL": "http://127.0.0.1:abc/v1"}, "its port"),
        ("x", {"OPENAI_BASE_URL": "http://[::1/v1"}, "its host"),
        ("x", {"OPENAI_BASE_URL": "http://a..b/v1"}, "its host"),
        ("x", {"OPENAI_BASE_URL": "http://"}, "it names no server"),
        ("x", {"OPENAI_BASE_URL": "http://a b/v1"}, "there is a blank in it"),
        ("x", {"OPENAI_BASE_URL": "http://user:s3cret/x@host/v1"}, "OPENAI_BASE_URL is 'http://\\*\\*\\*@host/v1'"),
        ("x", {"OPENAI_API_KEY": "“s3cret-key”"}, "OPENAI_API_KEY: its character 1 of 12 is U\\+201C"),
        ("x", {"OPENAI_API_KEY": "s3cret\nkey"}, "OPENAI_API_KEY: its character 7"),
    ],
)
def test_what_cannot_be_opened(spec: str, environment: dict[str, str], words: str) -> None:
    """One line that names the thing, the value and the remedy, and no secret."""
    with pytest.raises(ConfigurationError, match=words) as raised:
        open_model(spec, environment=environment)
    assert [found for found in ("\n", "s3cret") if found in str(raised.value)] == []


async def test_blanks_around_a_key_are_no_part_of_it() -> None:
    """A key that was copied with its line's end works."""
    async with FakeOpenAI(Say("ok")) as server:
        environment = {"OPENAI_API_KEY": " gsk_1234567\r\n", "OPENAI_BASE_URL": f" {server.base_url}/ "}
        model = open_model("x", environment=environment, prices=Prices({"x": Price(0, 0)}))
        assert model is not None
        await model.complete(ModelRequest((Message("user", "Hello?"),)))
        await model.close()
    assert server.authorizations == ["Bearer gsk_1234567"]


def test_what_a_server_says_is_one_short_line_without_keys() -> None:
    """No key in any spelling, no password, no line break, no page of HTML."""
    provider = Provider("http://user:s3%40cret@x/v1", "a-key\r")
    line = provider.line("a-key\r\nsk-abcd1234 b'a-key\\r' s3@cret http://user:s3%40cret@x " + "word " * 200)
    assert (line[:40], len(line), "\n" in line) == ("*** *** b'***' *** http://***@x word wor", 300, False)
    assert provider.shown == "http://***@x/v1"


Piece = dict[str, Any]


def chunk(calls: Sequence[Piece] = (), reason: str | None = None) -> Piece:
    delta = Piece(content=None, refusal=None, tool_calls=list(calls))
    return Piece(model="m", usage=None, choices=[Piece(delta=delta, finish_reason=reason)])


def call(index: int | None, id: str | None, name: str | None, arguments: str | None) -> Piece:
    return Piece(index=index, id=id, function=Piece(name=name, arguments=arguments))


@pytest.mark.parametrize(
    "pieces",
    [
        [call(0, "a", "f", "{"), call(1, "b", "g", "["), call(0, None, None, "}"), call(1, None, None, "]")],
        [call(None, "a", "f", "{"), call(None, "a", None, "}"), call(None, "b", "g", "[]")],
        [call(None, "a", "f", "{"), call(None, None, None, "}"), call(None, "b", "g", "[]")],
        [call(0, "a", "f", "{"), call(0, None, None, "}"), call(0, "b", "g", "["), call(0, None, None, "]")],
        [call(0, "a", "f", "{"), call(0, "x", None, "}"), call(1, "b", "g", "["), call(1, "y", None, "]")],
    ],
)
def test_tool_calls_in_pieces(pieces: list[Piece]) -> None:
    """Pieces are told apart by index, or by id where a server leaves the index out or gives all the same.

    Ids that change within a call tell nothing apart: a new call has a name.
    """
    answer = Assembly()
    for piece in pieces:
        answer.feed(chunk([piece]))
    answer.feed(chunk(reason="stop"))
    assert answer.tool_calls == (ToolCall("a", "f", "{}"), ToolCall("b", "g", "[]"))
    assert answer.finish_reason == "tool_calls"


def test_a_call_without_id_or_arguments() -> None:
    """Some servers give neither: the answer needs a name, and JSON needs an object."""
    answer = Assembly()
    answer.feed(chunk([call(0, None, "f", None)]))
    assert (answer.tool_calls, answer.finished) == ((ToolCall("call_0", "f", "{}"),), False)


def test_arguments_that_are_an_object() -> None:
    """Some servers give the object, not its text."""
    answer = Assembly()
    piece = Piece(index=0, id="a", function=Piece(name="f", arguments={"x": 1}))
    answer.feed(chunk([piece]))
    assert answer.tool_calls == (ToolCall("a", "f", '{"x": 1}'),)


@pytest.mark.parametrize(("reason", "finished"), [("stop", True), ("eos", True), ("error", False)])
def test_reasons_of_other_servers(reason: str, finished: bool) -> None:
    """Unknown reasons mean the end; an error is none."""
    answer = Assembly()
    answer.feed(chunk(reason=reason))
    assert (answer.finished, answer.finish_reason) == (finished, "stop")

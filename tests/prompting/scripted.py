"""Services for tests of prompting: a scripted model, words counted as tokens, blobs in a dict."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from agentorch.core.task import Task
from agentorch.core.usage import NOTHING, Budget
from agentorch.ports.model import ModelRequest, ModelResponse, ToolCall
from agentorch.ports.services import Services, Tell


class Scripted:
    """Answers requests in order: text, a response, or tool calls as (name, arguments)."""

    def __init__(self, *answers: Any, objective: str = "") -> None:
        self.answers = list(answers)
        self.requests: list[ModelRequest] = []
        self.called: list[Any] = []
        self.trims: list[tuple[str, int, int, str]] = []
        self.blobs: dict[str, bytes] = {}
        self.task = Task("t", "critic", objective)
        self.key = "r/t/1/1/1"
        self.run_id = "r"
        self.attempt = 1
        self.budget = Budget()
        self.deadline = None
        self.idempotency_key = "r/t"
        self.spent = NOTHING
        self.exact = False
        """Whether somebody waited for exact counts."""

    @property
    def services(self) -> Services:
        return cast("Services", self)

    async def complete(self, request: ModelRequest, *, stream: bool = True) -> ModelResponse:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, ModelResponse):
            return answer
        if isinstance(answer, str):
            return ModelResponse(answer, "stop")
        asked = cast("Sequence[tuple[str, str]]", answer)
        calls = [ToolCall(f"c{index}", name, text) for index, (name, text) in enumerate(asked)]
        return ModelResponse("", "tool_calls", tuple(calls))

    def count(self, text: str) -> int:
        return (len(text) + 3) // 4

    async def counting(self) -> None:
        self.exact = True

    async def use(self, tool: Any, arguments: Mapping[str, Any], *, told: Tell | None = None) -> Any:
        self.called.append((tool.name, dict(arguments)))
        return await tool.invoke(arguments)

    async def call(self, agent: str, inputs: Mapping[str, Any], *, told: Tell | None = None) -> Any:
        self.called.append((agent, dict(inputs)))
        return {"by": agent}

    def trimmed(self, name: str, *, tokens: int, kept: int, blob: str) -> None:
        self.trims.append((name, tokens, kept, blob))

    async def put_blob(self, data: bytes) -> str:
        name = f"{len(self.blobs):064d}"
        self.blobs[name] = data
        return name

    async def get_blob(self, sha256: str) -> bytes:
        return self.blobs[sha256]

    def texts(self, request: int = -1) -> list[str]:
        """The contents of a request's messages."""
        return [message.content for message in self.requests[request].messages]

    def size(self, request: ModelRequest) -> int:
        """The tokens of a request, counted on everything that is sent."""
        parts = [message.content for message in request.messages]
        parts += [call.arguments for message in request.messages for call in message.tool_calls]
        parts += [f"{spec}" for spec in request.tools]
        return sum(self.count(part) for part in parts)

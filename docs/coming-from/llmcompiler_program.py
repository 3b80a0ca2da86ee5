from typing import Any

from llama_index.core.llms import (
    CompletionResponse,
    CustomLLM,
    LLMMetadata,
)
from llama_index.core.tools import FunctionTool
from llama_index.packs.agents_llm_compiler import LLMCompilerAgentPack
from source import LINE, look_up

PLAN = """1. find("bees")
2. find("ants")
3. write("$1", "$2")
4. join()<END_OF_PLAN>"""


# In your program: OpenAI(model="gpt-5-mini")
class Scripted(CustomLLM):
    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata()

    def complete(
        self,
        prompt: str,
        formatted: bool = False,
        **kwargs: Any,
    ) -> CompletionResponse:
        if "create a plan" in prompt:
            return CompletionResponse(text=PLAN)
        if "Write one line" in prompt:
            return CompletionResponse(text=LINE)
        return CompletionResponse(
            text=f"Thought: it is written.\nAction: finish({LINE})",
        )

    def stream_complete(
        self,
        prompt: str,
        formatted: bool = False,
        **kwargs: Any,
    ) -> Any:
        raise NotImplementedError


model = Scripted()


def find(topic: str) -> str:
    """Looks a topic up."""
    try:
        return look_up(topic)
    except ConnectionError:
        # An exception in a tool ends the whole plan.
        return look_up(topic)


def write(bees: str, ants: str) -> str:
    """Writes one line from two facts."""
    prompt = f"Write one line from the facts: {bees} {ants}"
    return model.complete(prompt).text


tools = [
    FunctionTool.from_defaults(find),
    FunctionTool.from_defaults(write),
]
pack = LLMCompilerAgentPack(tools, model)
print(pack.run("A line about bees and ants"))

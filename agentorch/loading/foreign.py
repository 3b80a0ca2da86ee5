"""What agent files of other programs hold that is of no use here: ignored, and said to be.

1. A file is another program's when it shows a trait of one (a key, a tool or a model that only others have) and none
   of ours. Keys that someone might write for us in error (`temperature`, `version`) are no traits.
2. A known key or tool of another program is never taken for one of ours that was misspelled.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from agentorch.core.policy import Policy

_TRAITS: Final = frozenset({
    "agents", "allow_implicit_invocation", "allowed_tools", "always_apply", "apply_to", "approval_mode",
    "argument_hint", "background", "color", "compatibility", "custom_instructions", "developer_instructions",
    "disable_model_invocation", "disallowed_tools", "display_name", "effort", "emoji", "globs", "groups", "handoffs",
    "hidden", "hooks", "include_mcp_json", "infer", "initial_prompt", "is_background", "isolation", "kind",
    "max_steps", "max_time_minutes", "max_turns", "mcp_servers", "memory", "mode", "model_config", "permission",
    "permission_mode", "permissions", "readonly", "reasoning_effort", "role_definition", "run_config", "sandbox_mode",
    "skills", "slug", "steps", "target", "text_verbosity", "timeout_mins", "trigger", "triggers",
    "user_invocable", "user_invokable", "variant", "when_to_use",
})  # fmt: skip
"""Keys, in snake case, that nobody writes but for another program."""
_COMMON: Final = frozenset({
    "author", "category", "date", "disable", "enabled", "examples", "icon", "keywords", "license", "max_output_tokens",
    "max_tokens", "metadata", "options", "priority", "provider", "role", "source", "tags", "temperature", "title",
    "top_k", "top_p", "version",
})  # fmt: skip
"""Keys that say nothing about whose a file is."""
KEYS: Final = _TRAITS | _COMMON
"""Keys that are ignored, in snake case."""
_OURS: Final = frozenset({"capabilities", "input", "input_schema", "output", "output_schema", "retries"}) | frozenset(
    Policy.model_fields
)
"""Keys that only our files have, in snake case."""

_TOOLS: Final = frozenset({
    "agent", "applypatch", "askuser", "askuserquestion", "bash", "bashoutput", "changes", "codebase", "edit",
    "editfiles", "execute", "exitplanmode", "fetch", "filesearch", "findtestfiles", "githubrepo", "glob",
    "googlewebsearch", "grep", "grepsearch", "killshell", "list", "listdirectory", "ls", "lsp", "multiedit",
    "notebookedit", "notebookread", "patch", "problems", "question", "read", "readmanyfiles", "readonly", "replace",
    "runcommands", "runinterminal", "runshellcommand", "runtests", "savememory", "search", "searchfilecontent",
    "shell", "skill", "slashcommand", "task", "terminal", "think", "todo", "todoread", "todowrite", "usages",
    "vscodeapi", "web", "webfetch", "websearch", "write", "writefile", "writetodos",
})  # fmt: skip
"""Tools that other programs bring along, in small letters without separators."""
_OUR_FORM: Final = re.compile(r"[a-z_][a-z0-9_-]*")

_MODELS: Final = frozenset({"inherit", "sonnet", "opus", "haiku"})
_MODEL_WORDS: Final = _MODELS | {"default", "auto"}


def is_foreign(settings: Mapping[str, Any], tools: Iterable[str]) -> bool:
    """Whether a file is plainly another program's; keys are in snake case, `tools` those that nobody here has."""
    if not _OURS.isdisjoint(settings):
        return False
    return (
        not _TRAITS.isdisjoint(settings)
        or isinstance(settings.get("tools"), dict)
        or _is_foreign_model(settings.get("model"))
        or any(not is_our_form(name) for name in tools)
    )


def is_foreign_tool(name: str) -> bool:
    """Whether a tool is one that another program is known to bring along."""
    plain = name.split("(", maxsplit=1)[0].strip().lower()
    return (
        plain.startswith("mcp__") or "/" in plain or plain.replace("_", "").replace("-", "") in _TOOLS or plain == "*"
    )


def is_our_form(tool: str) -> bool:
    """Whether a tool is named as Python functions are."""
    return _OUR_FORM.fullmatch(tool) is not None


def is_model_word(name: str) -> bool:
    """Whether a model's name means something only in another program."""
    return name.lower() in _MODEL_WORDS


def _is_foreign_model(given: Any) -> bool:
    # Other programs show models by names with spaces; no server has such an id.
    return isinstance(given, str) and (given.lower() in _MODELS or " " in given.strip().replace(", ", ","))

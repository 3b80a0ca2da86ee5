"""What agent files of other tools hold that is of no use here: ignored, and said to be."""

from typing import Final

KEYS: Final = frozenset({
    "agents", "allowed_tools", "allow_implicit_invocation", "always_apply", "apply_to", "argument_hint", "author",
    "background", "category", "color", "compatibility", "disable", "disable_model_invocation", "disallowed_tools",
    "display_name", "effort", "emoji", "enabled", "examples", "globs", "handoffs", "hidden", "hooks", "icon", "infer",
    "initial_prompt", "isolation", "keywords", "kind", "license", "max_steps", "max_turns", "mcp_servers", "memory",
    "metadata", "mode", "options", "permission", "permission_mode", "permissions", "priority", "provider",
    "reasoning_effort", "readonly", "sandbox_mode", "skills", "steps", "tags", "target", "temperature",
    "text_verbosity", "top_k", "top_p", "triggers", "user_invocable", "variant", "version",
})  # fmt: skip
"""Keys, in snake case."""

TOOLS: Final = frozenset({
    "agent", "applypatch", "askuserquestion", "bash", "bashoutput", "codebase", "edit", "execute", "exitplanmode",
    "fetch", "glob", "grep", "killshell", "list", "ls", "lsp", "multiedit", "notebookedit", "notebookread", "patch",
    "question", "read", "runcommands", "runinterminal", "search", "shell", "skill", "slashcommand", "task", "terminal",
    "todo", "todoread", "todowrite", "web", "webfetch", "websearch", "write",
})  # fmt: skip
"""Tools that other programs bring along, in small letters without separators."""

MODELS: Final = frozenset({"inherit", "sonnet", "opus", "haiku", "default", "auto"})
"""Model names that only mean something elsewhere."""


def is_foreign_tool(name: str) -> bool:
    """Whether a tool is one that another program brings along."""
    plain = name.split("(", maxsplit=1)[0].strip().lower()
    return plain.startswith("mcp__") or "/" in plain or plain.replace("_", "").replace("-", "") in TOOLS or plain == "*"

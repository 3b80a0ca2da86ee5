"""The terms on which one call asks: what the server is known to understand, less what it refuses as the call goes on.

1. A refusal in words takes away what it names; a complaint about one schema is held against that schema alone.
2. Some servers fall over a response format instead of refusing it: the next form is tried, one at a time.
3. What was tried in the call is not tried again, so that every server is asked a bounded number of times.
4. Nothing is learned by this: whoever asks keeps the terms that were answered.
"""

import re
from dataclasses import replace
from typing import Any, Final

from agentorch.models import failures
from agentorch.models.quirks import Form, Quirks, downgraded, lower, names_form
from agentorch.models.wire import digest, form_for
from agentorch.ports.model import ModelRequest

_REFUSALS: Final = frozenset({400, 422})
_FALLS_OVER: Final = 500
_NAMES_OF_PARAMETERS: Final = re.compile(r"json_schema|response_format")
_OF_A_SCHEMA: Final = ("schema", "grammar", "guided")
_TOOLS: Final = ("tool", "function call")


class Terms:
    """See the rules above."""

    def __init__(self, request: ModelRequest, quirks: Quirks, *, refused: set[str]) -> None:
        """`refused` holds digests of schemas that the server refused before."""
        self._request = request
        self._known = refused
        self._tried: list[Quirks] = []
        self.quirks = quirks
        """What is sent and what is not."""
        self.refused: set[str] = set()
        """Digests of schemas that were refused in this call."""

    @property
    def form(self) -> Form:
        """How the output is asked for."""
        return form_for(self._request, quirks=self.quirks, refused=self._known | self.refused)

    def lowered(self, error: Any) -> bool:
        """Ask for less after an `openai.APIStatusError`; return whether there is something less to ask for."""
        status = error.status_code
        falls_over = status == _FALLS_OVER and not self.quirks.refuses_in_words
        if not falls_over and (status not in _REFUSALS or failures.too_long(error)):
            return False
        complaint = failures.complaint(error)
        self._tried.append(self.quirks)
        form = self.form if self._request.output is not None else Form.PROMPT
        if form is not Form.PROMPT and self._without_format(complaint, form):
            return True
        # An outage looks the same as falling over: hence nothing is learned unless the next form is answered.
        lesser = self._next_form(form) if falls_over else self._without(complaint, form)
        if lesser is None or lesser in self._tried:
            return False
        self.quirks = lesser
        return True

    def _without_format(self, complaint: str, form: Form) -> bool:
        """Take back the response format where the complaint is about its schema, or about its going with tools."""
        output = self._request.output
        if self._request.tools and names_form(complaint) and any(word in complaint for word in _TOOLS):
            self.quirks = replace(self.quirks, tools_with_output=False)
            return True
        if output is None or form not in {Form.STRICT, Form.SCHEMA}:
            return False
        about_it = any(word in _NAMES_OF_PARAMETERS.sub("", complaint) for word in _OF_A_SCHEMA)
        if about_it:
            self.refused.add(f"{form}:{digest(output)}")
        return about_it

    def _next_form(self, form: Form) -> Quirks | None:
        return None if form is Form.PROMPT else replace(self.quirks, output=lower(form))

    def _without(self, complaint: str, form: Form) -> Quirks | None:
        lesser = downgraded(replace(self.quirks, output=form), complaint, tried=self._tried)
        # The form that this request had to take is no fact about the server.
        return replace(lesser, output=self.quirks.output) if lesser is not None and lesser.output is form else lesser

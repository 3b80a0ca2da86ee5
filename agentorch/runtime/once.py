"""Calls of tools with `effect="once"`: intended before they are made, a receipt once they are.

1. The call is made in a task of its own: what stops the dispatch gives it the grace to end in, and its receipt is kept.
2. What was intended, by this dispatch or an earlier one, and is not known to be done, is not done again: the tool's
   probe says what became of it, else a person does.
3. A tool that raises anything but EffectNotDone may have acted.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

from agentorch.context import Context
from agentorch.core.state import Receipt
from agentorch.core.values import clipped
from agentorch.errors import EffectNotDone, EffectUnknown, MalformedOutput
from agentorch.ports.blobs import Blobs
from agentorch.runtime.effect_calls import EffectCall
from agentorch.runtime.host import Host
from agentorch.runtime.job import GRACE, TO_END
from agentorch.runtime.large import loaded, stored
from agentorch.threads import called
from agentorch.tools import Tool

_SHOWN: Final = 200
"""Characters of the arguments that a person is shown."""


class Once:
    """One call of a tool that may happen once only."""

    def __init__(
        self,
        tool: Tool[..., Any],
        arguments: Mapping[str, Any],
        *,
        key: str,
        call: EffectCall,
        host: Host,
        blobs: Blobs,
        grace: float = GRACE,
    ) -> None:
        """Make ready a call that the dispatch `key` asks for."""
        self._tool = tool
        self._arguments = arguments
        self._key = key
        self._call = call
        self._effect = call.key
        self._host = host
        self._blobs = blobs
        self._grace = grace

    async def result(self, context: Context) -> Any:
        """Return the tool's output (JSON), of this call or out of the receipt; EffectUnknown when nobody knows."""
        if self._call.doubt:
            raise self._unknown(self._call.doubt, self._call.about)
        while True:
            while (flying := self._host.flying(self._effect)) is not None:
                await asyncio.wait({flying})  # of another dispatch, or of this one, whose work came twice
            receipt = self._host.receipt(self._key, self._effect)
            if receipt is None or receipt.void:
                return await self._made(context)
            if receipt.done:
                return await self._read(receipt)
            if await self._has_happened(self._unknown("was begun, and its end was not seen")):
                return await self._read_back()

    async def _read_back(self) -> Any:
        receipt = self._host.receipt(self._key, self._effect)
        assert receipt is not None
        return await self._read(receipt)

    async def _read(self, receipt: Receipt) -> Any:
        result = await loaded(receipt.result, self._blobs)
        try:
            self._tool.output.revive(result)
        except MalformedOutput as error:
            raise self._unknown(f"has happened, and its result is not known ({error})") from None
        return result

    async def _made(self, context: Context) -> Any:
        call = self._intended(context)
        calling = asyncio.get_running_loop().create_task(call, name=f"agentorch {self._tool.name}")
        within, in_thread = self._grace * TO_END, not self._tool.is_async
        self._host.fly(self._key, self._effect, calling, within=within, in_thread=in_thread)
        try:
            return await asyncio.shield(calling)
        except asyncio.CancelledError:
            await asyncio.wait({calling}, timeout=within)
            if not in_thread:  # a thread goes on, and brings its receipt whenever it ends
                calling.cancel()
            raise

    async def _intended(self, context: Context) -> Any:
        """Intend, then call; from the first moment on nobody else takes the effect for one that was left behind."""
        await self._host.intend(self._key, self._effect, self._tool.name, self._call.arguments)
        try:
            result = await self._tool.invoke(self._arguments, context=context)
        except Exception as error:
            if isinstance(error, EffectNotDone) and error.effect in {None, self._effect}:
                error.effect = self._effect  # not of the calls around this one: they may have acted
                await self._host.void(self._key, self._effect, "tool")
                raise
            if await self._has_happened(self._unknown(f"failed ({type(error).__name__}: {error})"), cause=error):
                return await self._read_back()
            raise  # the probe says that it has not: the call may be made again
        await self._host.confirm(self._key, self._effect, await stored(result, self._blobs), "tool")
        return result

    async def _has_happened(self, unknown: EffectUnknown, *, cause: Exception | None = None) -> bool:
        """Ask the tool's probe and journal what it says; raise `unknown` when it does not know."""
        said = await self._probed(unknown, cause)
        if said is False and self._host.may_go_on(self._key, self._effect):
            raise self._unknown("was begun by a process that stands still and may go on with it") from cause
        if said is False:
            await self._host.void(self._key, self._effect, "probe")
            return False
        result = self._result_told(said, unknown)
        await self._host.confirm(self._key, self._effect, await stored(result, self._blobs), "probe")
        return True

    async def _probed(self, unknown: EffectUnknown, cause: Exception | None) -> Any:
        probe = self._tool.probe
        if probe is None:
            raise unknown from cause
        try:
            said = await called(probe, self._effect)
        except Exception as error:
            raise self._unknown(f"could not be looked up (probe: {type(error).__name__}: {error})") from error
        if said is None:
            raise unknown from cause
        return said

    def _result_told(self, said: Any, unknown: EffectUnknown) -> Any:
        """Return the output for what a probe said: True alone tells only that the call was made."""
        for candidate in (said, None) if said is True else (said,):
            encoded, problems = self._tool.output.examine(candidate)
            if not problems:
                return encoded
        raise self._unknown("has happened, and its result is not known") from unknown

    def _unknown(self, what: str, effect: str = "") -> EffectUnknown:
        shown = json.dumps(self._host.redacted(dict(self._arguments)), ensure_ascii=False)
        call = f"tool '{self._tool.name}' with {clipped(shown, _SHOWN)}"
        return EffectUnknown(f"{call} {what}", effect=effect or self._effect)

"""The terminal as the line is drawn on it.

1. What is drawn anew leaves nothing above: tmux, for one, keeps a screen that is erased from its first cell on.
"""

from prompt_toolkit.output import Output
from prompt_toolkit.output.vt100 import Vt100_Output


def kept_clean(output: Output) -> Output:
    """Return `output`, or one for the same terminal that erases without leaving anything above."""
    if type(output) is not Vt100_Output:  # Windows has its own
        return output
    return _CleanOutput.from_pty(
        output.stdout,
        term=output.term,
        default_color_depth=output.default_color_depth,
        enable_bell=output.enable_bell,
    )


class _CleanOutput(Vt100_Output):
    def erase_down(self) -> None:
        """Erase from the first column of a line: the line, and then from its second cell on what is below."""
        self.erase_end_of_line()
        self.cursor_forward(1)
        super().erase_down()
        self.cursor_backward(1)

"""A file as a value: what an agent gives when its output is too large, or not text."""

from pydantic import BaseModel, ConfigDict, Field


class Artifact(BaseModel):
    """A file that was saved with the run."""

    model_config = ConfigDict(frozen=True)

    name: str
    """The file's name, without its folder."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Where its bytes are: `await context.read(artifact)`."""
    size: int = Field(ge=0)
    """In bytes."""
    media_type: str = "application/octet-stream"

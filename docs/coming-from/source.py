"""What all five programs share: a source that is down the first time that it is asked for ants."""

FACTS = {"bees": "Bees hum.", "ants": "Ants march."}
asked: list[str] = []


def look_up(topic: str) -> str:
    asked.append(topic)
    if asked.count("ants") == 1 and topic == "ants":
        raise ConnectionError("the source does not answer")
    return FACTS[topic]


LINE = "Bees hum while ants march."
"""What the scripted model says when it is shown both facts."""

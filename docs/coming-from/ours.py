from source import LINE, look_up

from agentorch import Agent, Orchestrator, Plan, agent
from agentorch.testing import ScriptedModel


@agent(description="Looks a topic up.", attempts=2)
def researcher(topic: str) -> str:
    return look_up(topic)


writer = Agent(
    "writer",
    description="Writes a line.",
    prompt="Write one line from the facts.",
)

plan = Plan("A line about bees and ants")
bees = plan.add("bees", agent=researcher, inputs={"topic": "bees"})
ants = plan.add("ants", agent=researcher, inputs={"topic": "ants"})
plan.add("line", agent=writer, inputs={"facts": [bees, ants]})

# In your program: model = "gpt-5-mini"
model = ScriptedModel({"writer": LINE})
team = Orchestrator([researcher, writer], model=model)
print(team.run_sync(plan).answer)

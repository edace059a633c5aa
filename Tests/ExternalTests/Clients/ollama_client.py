"""The official client of Ollama against rasa: address and token are the arguments."""
import sys

from ollama import Client, ResponseError

address, token = sys.argv[1:]
client = Client(host=address, headers={"Authorization": f"Bearer {token}"})
question = [{"role": "user", "content": "Hi"}]


def look(q: str) -> str:
    """Looks.

    Args:
      q: What for.
    """
    return "a pear"


assert "rasa/helper" in [model.model for model in client.list().models]
assert "tools" in client.show("rasa/helper").capabilities
assert client.ps().models == []

for model in ["rasa/helper", "ollama:plain", "openai:plain", "anthropic:plain"]:
    whole = client.chat(model=model, messages=question)
    assert whole.message.content == "Hello Ω, you there." and whole.done, whole
    parts = list(client.chat(model=model, messages=question, stream=True))
    assert "".join(part.message.content or "" for part in parts) == "Hello Ω, you there.", (model, parts)
    assert parts[-1].done and parts[-1].done_reason == "stop" and parts[-1].eval_count > 0, parts[-1]
    assert client.generate(model=model, prompt="Hi").response == "Hello Ω, you there."

for model in ["rasa/looker", "openai:tools-ollama"]:
    messages = list(question)
    first = client.chat(model=model, messages=messages, tools=[look])
    call = first.message.tool_calls[0]
    assert call.function.name == "look" and call.function.arguments == {"q": "ü"}, call
    messages.append(first.message)
    # This client knows no ids of calls beyond what it was given.
    result = {"role": "tool", "tool_name": "look", "content": look(**call.function.arguments)}
    made = first.message.model_dump().get("tool_calls", [{}])[0].get("id")
    if made:
        result["tool_call_id"] = made
    messages.append(result)
    final = client.chat(model=model, messages=messages, tools=[look])
    assert final.message.content == "Seen.", (model, final)

for model, status in [("rasa/nobody", 404), ("ollama:bad", 400)]:
    try:
        client.chat(model=model, messages=question)
        raise AssertionError(model)
    except ResponseError as error:
        assert error.status_code == status and error.error, error
for model in ["ollama:broken", "openai:broken", "rasa/breaker"]:
    parts = []
    try:
        for part in client.chat(model=model, messages=question, stream=True):
            parts.append(part)
        raise AssertionError(f"{model} looks whole: {parts}")
    except ResponseError as error:
        assert parts and not parts[-1].done, (model, parts)

assert len(client.embed(model="ollama:vectors", input=["a", "b"]).embeddings) == 2
print("everything works")

"""The official client of Anthropic against rasa: address and token are the arguments."""
import sys

from anthropic import Anthropic, APIError, APIStatusError

address, token = sys.argv[1:]
client = Anthropic(base_url=address, api_key=token)
question = [{"role": "user", "content": "Hi"}]
tools = [{"name": "look", "description": "Looks.", "input_schema": {
    "type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}}]

assert "rasa/helper" in [model.id for model in client.models.list()]
assert client.messages.count_tokens(model="openai:plain", messages=question).input_tokens > 0

for model in ["rasa/helper", "anthropic:plain", "openai:plain", "ollama:plain"]:
    whole = client.messages.create(
        model=model, max_tokens=50, messages=question,
        system=[{"type": "text", "text": "Be short.", "cache_control": {"type": "ephemeral"}}])
    assert whole.content[0].text == "Hello Ω, you there." and whole.stop_reason == "end_turn", whole
    assert whole.usage.output_tokens > 0, whole
    with client.messages.stream(model=model, max_tokens=50, messages=question) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == final.content[0].text == "Hello Ω, you there.", (model, text, final)
    assert final.usage.output_tokens > 0 and final.usage.input_tokens > 0, final

for model in ["rasa/looker", "openai:tools-messages"]:
    messages = list(question)
    with client.messages.stream(model=model, max_tokens=50, messages=messages, tools=tools) as stream:
        first = stream.get_final_message()
    assert first.stop_reason == "tool_use", first
    call = next(block for block in first.content if block.type == "tool_use")
    assert call.name == "look" and call.input == {"q": "ü"}, call
    messages += [
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": call.id, "content": "a pear"}]}]
    final = client.messages.create(model=model, max_tokens=50, messages=messages, tools=tools)
    assert final.content[0].text == "Seen.", (model, final)

header = {"X-Rasa-Session": "talk"}
raw = client.messages.with_raw_response.create(
    model="rasa/helper", max_tokens=50, messages=question, extra_headers=header)
assert raw.headers["x-rasa-session"] == "talk" and raw.headers["x-rasa-run"], raw.headers

for model, status in [("rasa/nobody", 404), ("anthropic:bad", 400)]:
    try:
        client.messages.create(model=model, max_tokens=50, messages=question)
        raise AssertionError(model)
    except APIStatusError as error:
        assert error.status_code == status and error.body["type"] == "error", error
for model in ["anthropic:broken", "openai:broken", "rasa/breaker"]:
    text = ""
    try:
        with client.messages.stream(model=model, max_tokens=50, messages=question) as stream:
            for piece in stream.text_stream:
                text += piece
        raise AssertionError(f"{model} looks whole: {text}")
    except APIError as error:
        assert text, (model, error)

with client.messages.stream(model="rasa/slow", max_tokens=50, messages=question) as stream:
    next(iter(stream.text_stream))
assert client.messages.create(model="openai:plain", max_tokens=50, messages=question).content
print("everything works")

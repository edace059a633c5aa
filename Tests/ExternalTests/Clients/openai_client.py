"""The official client of OpenAI against rasa: address and token are the arguments."""
import json
import sys

from openai import APIError, APIStatusError, OpenAI

address, token = sys.argv[1:]
client = OpenAI(base_url=address + "/v1", api_key=token)
question = [{"role": "user", "content": "Hi"}]
tools = [{"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": {
    "type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}}}]

names = [model.id for model in client.models.list()]
assert "rasa/helper" in names and "rasa/fast" in names, names
assert client.models.retrieve("rasa/helper").id == "rasa/helper"

# Whole and streamed, from a persona and from models of the same and of another dialect.
for model in ["rasa/helper", "openai:plain", "anthropic:plain", "ollama:plain"]:
    whole = client.chat.completions.create(model=model, messages=question)
    assert whole.choices[0].message.content == "Hello Ω, you there.", (model, whole)
    assert whole.choices[0].finish_reason == "stop" and whole.usage.completion_tokens > 0, whole
    text, usage = "", None
    for chunk in client.chat.completions.create(
            model=model, messages=question, stream=True, stream_options={"include_usage": True}):
        if chunk.choices and chunk.choices[0].delta.content:
            text += chunk.choices[0].delta.content
        usage = chunk.usage or usage
    assert text == "Hello Ω, you there." and usage.completion_tokens > 0, (model, text, usage)

    response = client.responses.create(model=model, input="Hi", store=False)
    assert response.output_text == "Hello Ω, you there." and response.status == "completed", response
    text = ""
    with client.responses.stream(model=model, input="Hi", store=False) as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                text += event.delta
        final = stream.get_final_response()
    assert text == final.output_text == "Hello Ω, you there.", (model, text, final)

# Tools: the client's calls come back, and the same conversation goes on with their results.
for model in ["rasa/looker", "anthropic:tools-chat"]:
    messages = list(question)
    first = client.chat.completions.create(model=model, messages=messages, tools=tools)
    assert first.choices[0].finish_reason == "tool_calls", first
    call = first.choices[0].message.tool_calls[0]
    assert call.function.name == "look" and json.loads(call.function.arguments) == {"q": "ü"}, call
    messages += [first.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "a pear"}]
    with client.chat.completions.stream(model=model, messages=messages, tools=tools) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.content == "Seen.", (model, final)

# Sessions: by header, by `user`, by `conversation`, and by the response before.
extra = {"X-Rasa-Session": "talk"}
raw = client.chat.completions.with_raw_response.create(
    model="rasa/helper", messages=question, extra_headers=extra)
assert raw.headers["x-rasa-session"] == "talk" and raw.headers["x-rasa-run"], raw.headers
client.chat.completions.create(model="rasa/helper", messages=question, user="session:talk")
client.responses.create(model="rasa/helper", input="Hi", conversation="talk")
response = client.responses.create(model="rasa/helper", input="Hi")
after = client.responses.create(model="rasa/helper", input="And?", previous_response_id=response.id)
assert after.previous_response_id == response.id, after

# Errors: before the first content with their status, after it in the stream, and never an end that looks whole.
for model, status in [("rasa/nobody", 404), ("openai:bad", 400)]:
    try:
        client.chat.completions.create(model=model, messages=question)
        raise AssertionError(model)
    except APIStatusError as error:
        assert error.status_code == status and error.message, error
try:
    client.chat.completions.create(model="anthropic:plain", messages=question, n=2)
    raise AssertionError("n")
except APIStatusError as error:
    assert error.status_code == 400 and error.body["param"] == "n", error.body
for model in ["openai:broken", "anthropic:broken", "rasa/breaker"]:
    text = ""
    try:
        for chunk in client.chat.completions.create(model=model, messages=question, stream=True):
            if chunk.choices and chunk.choices[0].delta.content:
                text += chunk.choices[0].delta.content
        raise AssertionError(f"{model} looks whole: {text}")
    except APIError as error:
        assert text, (model, error)

# A client that goes away in mid-stream; the next request is answered.
stream = client.chat.completions.create(model="rasa/slow", messages=question, stream=True)
next(iter(stream))
stream.close()
assert client.chat.completions.create(model="openai:plain", messages=question).choices

vectors = client.embeddings.create(model="openai:vectors", input=["a", "b"])
assert len(vectors.data) == 2 and len(vectors.data[0].embedding) > 0, vectors
print("everything works")

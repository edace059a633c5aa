package import RasaCore

extension Difference {
  /// The difference for programs: what it is about, what was expected and what came.
  package var value: Value {
    switch self {
    case .request(let key, let change):
      [
        "kind": "request", "key": .string(key.description),
        "messages": .array(
          change.messages.map { message in
            [
              "role": .string(message.role.rawValue), "expected": .string(message.expected),
              "found": .string(message.found),
            ]
          }),
        "parameters": .array(
          change.parameters.map { parameter in
            [
              "name": .string(parameter.name), "expected": parameter.expected,
              "found": parameter.found,
            ]
          }),
      ]
    case .newCall(let key, let request):
      ["kind": "new_call", "key": .string(key.description), "found": request.value]
    case .missingCall(let key): ["kind": "missing_call", "key": .string(key.description)]
    case .question(let key, let expected, let found):
      [
        "kind": "question", "key": .string(key.description), "expected": expected, "found": found,
      ]
    case .newQuestion(let key, let title, let payload):
      [
        "kind": "new_question", "key": .string(key.description), "title": .string(title),
        "found": payload,
      ]
    case .missingQuestion(let key): ["kind": "missing_question", "key": .string(key.description)]
    case .newRecall(let step): ["kind": "new_recall", "key": .string(step.place)]
    case .missingRecall(let step): ["kind": "missing_recall", "key": .string(step.place)]
    case .path(let expected, let found):
      [
        "kind": "path", "expected": .array(expected.map { .string($0.place) }),
        "found": .array(found.map { .string($0.place) }),
      ]
    case .state(let key, let expected, let found):
      ["kind": "state", "key": .string(key), "expected": expected, "found": found]
    case .output(let expected, let found):
      ["kind": "output", "expected": expected, "found": found]
    case .status(let expected, let found):
      [
        "kind": "status", "expected": .string(expected.rawValue), "found": .string(found.rawValue),
      ]
    case .failure(let expected, let found):
      ["kind": "failure", "expected": expected.compared, "found": found.compared]
    case .calls(let expected, let found):
      ["kind": "calls", "expected": .int(expected), "found": .int(found)]
    case .cost(let expected, let found):
      [
        "kind": "cost_usd", "expected": .string(expected.decimalText),
        "found": .string(found.decimalText),
      ]
    }
  }
}

extension Failure? {
  package var compared: Value {
    map { ["kind": .string($0.kind.rawValue), "message": .string($0.message)] } ?? .null
  }
}

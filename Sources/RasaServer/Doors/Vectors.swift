import RasaCore
import RasaHTTPServer
import RasaKit

/// Vectors of texts, as OpenAI and Ollama have them.
enum Vectors {
  static func openAI(_ call: Call) async throws -> ServerResponse {
    let body = Member(try Door.document(of: call))
    let format = try body["encoding_format"].optionalText() ?? "float"
    guard format == "float" || format == "base64" else {
      throw body["encoding_format"].problem(
        "is \(quoted(format))", suggestion: "give `float` or `base64`")
    }
    let made = try await vectors(call, body)
    let data = made.vectors.enumerated().map { index, vector -> Value in
      [
        "object": "embedding", "index": .int(Int64(index)),
        "embedding": format == "float" ? floats(vector) : .string(Base64.encode(bytes(of: vector))),
      ]
    }
    return response(
      [
        "object": "list", "data": .array(data), "model": .string("\(made.provider):\(made.model)"),
        "usage": [
          "prompt_tokens": .int(Int64(made.inputTokens)),
          "total_tokens": .int(Int64(made.inputTokens)),
        ],
      ], made)
  }

  static func ollama(_ call: Call) async throws -> ServerResponse {
    let body = Member(try Door.document(of: call))
    let made = try await vectors(call, body)
    return response(
      [
        "model": .string("\(made.provider):\(made.model)"),
        "embeddings": .array(made.vectors.map(floats)),
        "prompt_eval_count": .int(Int64(made.inputTokens)),
      ], made)
  }

  private static func vectors(_ call: Call, _ body: Member) async throws -> Rasa.Vectors {
    let name = try body["model"].name()
    guard !name.hasBytePrefix(Backends.prefix) else {
      throw body["model"].problem(
        "is a persona, an agent or a class, and only a model makes vectors",
        suggestion: "name a model, as `provider:model`")
    }
    try body["dimensions"].refuse("vectors have the length that their model gives them")
    let input = body["input"]
    guard input.isThere else { throw input.problem("is missing") }
    if input.value.array?.first.map({ $0.string == nil }) == true {
      throw input.problem(
        "has tokens, and only texts can be translated", suggestion: "send texts")
    }
    let texts = try input.texts()
    guard !texts.isEmpty else { throw input.problem("is empty") }
    if !call.client.mayAsk(name) {
      try await ModelBackend.check(
        call.client, try await call.rasa.place(ofModel: name)?.reference ?? name)
    }
    var request = Rasa.VectorRequest(model: name, texts: texts)
    request.user = call.client.user
    request.maxCost = call.client.maxCost
    request.budget = call.client.budget
    let place = try await call.context.admission.enter(call.client)
    defer { place.leave() }
    return try await call.rasa.embed(request)
  }

  private static func response(_ document: ValueObject, _ made: Rasa.Vectors) -> ServerResponse {
    var document = document
    var facts: ValueObject = ["run": .string(made.run)]
    if made.isPriceKnown { facts["cost_usd"] = .string(made.cost.decimalText) }
    if !made.isCounted { facts["estimated_usage"] = true }
    document["rasa"] = .object(facts)
    return .json(.object(document))
  }

  private static func floats(_ vector: [Float]) -> Value {
    .array(vector.map { .double(Double($0)) })
  }

  /// Little-endian, as clients of OpenAI read them.
  private static func bytes(of vector: [Float]) -> [UInt8] {
    vector.flatMap { number -> [UInt8] in
      let bits = number.bitPattern
      return [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: bits >> $0) }
    }
  }
}

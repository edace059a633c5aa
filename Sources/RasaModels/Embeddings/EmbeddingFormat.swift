import RasaCore
import RasaPersona

/// What the dialects call vectors of texts.
extension ProviderSettings.Dialect {
  /// Nil where the dialect has no embeddings.
  func embeddingRequest(
    model: String, texts: [String], for purpose: EmbeddingPurpose? = nil
  ) -> WireRequest? {
    let prefix = purpose?.prefix(for: model) ?? ""
    let texts = prefix.isEmpty ? texts : texts.map { prefix + $0 }
    let input = Value.array(texts.map { .string($0) })
    func request(_ path: String, _ body: Value) -> WireRequest {
      WireRequest(path: path, body: body.jsonBytes())
    }
    switch self {
    case .openAI:
      return request(
        "/embeddings", ["model": .string(model), "input": input, "encoding_format": "float"])
    case .gemini:
      let name = GeminiContent.resource(model)
      return request(
        "/\(name):batchEmbedContents",
        [
          "requests": .array(
            texts.map { text in
              var one: ValueObject = [
                "model": .string(name), "content": ["parts": [["text": .string(text)]]],
              ]
              if let purpose { one["taskType"] = .string(purpose.taskType) }
              return .object(one)
            })
        ])
    case .ollama: return request("/api/embed", ["model": .string(model), "input": input])
    case .anthropic: return nil
    }
  }

  /// The vectors of so many texts, and what they used as far as the provider says so.
  ///
  /// Throws a `Failure` for what is no such answer, since it would be none the next time either.
  func embeddings(
    in document: Value, of count: Int
  ) throws -> (vectors: [[Float]], usage: ReportedUsage?) {
    let error = document["error"]
    guard error.isNull else { throw ProviderProblem(inStream: error) }
    let lists: [Value]
    let tokens: Value
    switch self {
    case .openAI:
      lists = try Self.inOrder(document["data"].array ?? []).map { $0["embedding"] }
      tokens = document["usage"]["prompt_tokens"]
    case .gemini:
      lists = (document["embeddings"].array ?? []).map { $0["values"] }
      tokens = document["usageMetadata"]["promptTokenCount"]
    case .ollama, .anthropic:
      lists = document["embeddings"].array ?? []
      tokens = document["prompt_eval_count"]
    }
    guard lists.count == count else {
      throw Self.nonsense("it has \(lists.count) vectors of \(count) texts")
    }
    var vectors: [[Float]] = []
    vectors.reserveCapacity(count)
    for list in lists {
      let vector = try Self.vector(list)
      guard vectors.first.map({ $0.count == vector.count }) ?? true else {
        throw Self.nonsense("its vectors differ in length")
      }
      vectors.append(vector)
    }
    return (vectors, tokens.int.map { ReportedUsage(input: $0, output: 0) })
  }

  /// By the place that each says to be of; where none says so, as they stand there.
  private static func inOrder(_ entries: [Value]) throws(Failure) -> [Value] {
    guard entries.contains(where: { !$0["index"].isNull }) else { return entries }
    var ordered = [Value?](repeating: nil, count: entries.count)
    for entry in entries {
      guard let index = entry["index"].int, ordered.indices.contains(Int(clamping: index)),
        ordered[Int(index)] == nil
      else { throw nonsense("the vectors cannot be matched to the texts") }
      ordered[Int(index)] = entry
    }
    return ordered.compactMap(\.self)
  }

  private static func vector(_ list: Value) throws(Failure) -> [Float] {
    guard let numbers = list.array, (1...EmbeddingLimits.dimensions).contains(numbers.count) else {
      throw nonsense("a vector has 1 to \(EmbeddingLimits.dimensions) numbers")
    }
    var vector: [Float] = []
    vector.reserveCapacity(numbers.count)
    for number in numbers {
      guard let number = number.double, case let short = Float(number), short.isFinite else {
        throw nonsense("a vector contains something that is not a number")
      }
      vector.append(short)
    }
    return vector
  }

  private static func nonsense(_ problem: String) -> Failure {
    Failure(.provider, problem)
  }
}

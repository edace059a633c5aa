import RasaCore

/// Reproducible embeddings: texts with the same words point in the same direction.
package enum MadeUpVectors {
  package static let dimensions = 64

  package static func vector(of text: String) -> [Double] {
    var vector = [Double](repeating: 0, count: dimensions)
    for word in text.lowercased().split(whereSeparator: { !$0.isLetter && !$0.isNumber }) {
      var hash: UInt64 = 0xcbf2_9ce4_8422_2325
      for byte in word.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
      vector[Int((hash >> 32) % UInt64(dimensions))] += 1
    }
    return vector
  }
}

extension WireFormat {
  /// Vectors in the order of their texts. Anthropic has no embeddings.
  func embeddings(_ vectors: [[Double]], _ facts: AnswerFacts) -> Value {
    let lists = vectors.map { Value.array($0.map { .double($0) }) }
    var document: ValueObject
    switch self {
    case .openAI, .anthropic:
      document = [
        "object": "list", "model": .string(facts.model),
        // The order is what the index says.
        "data": .array(
          lists.enumerated().reversed().map {
            ["object": "embedding", "index": .int(Int64($0)), "embedding": $1]
          }),
      ]
      if facts.reportsUsage {
        document["usage"] = [
          "prompt_tokens": facts.promptTokens, "total_tokens": facts.promptTokens,
        ]
      }
    case .gemini:
      document = ["embeddings": .array(lists.map { ["values": $0] })]
      if facts.reportsUsage {
        document["usageMetadata"] = ["promptTokenCount": facts.promptTokens]
      }
    case .ollama:
      document = ["model": .string(facts.model), "embeddings": .array(lists)]
      if facts.reportsUsage { document["prompt_eval_count"] = facts.promptTokens }
    }
    return .object(document)
  }
}

package import RasaCore
package import RasaEngine

/// Vectors of texts, in the order of the texts, all of one length.
package struct Embeddings: Sendable, Hashable {
  package var vectors: [[Float]]
  package var provider: String
  package var model: String
  package var usage: Usage
  package var cost: Money
  /// False if the price of the model is unknown.
  package var isPriceKnown = true
}

/// Whose vectors they are: those of one model, at one address, can be compared.
package struct EmbeddingModel: Sendable, Hashable {
  package var provider: String
  package var model: String
  package var address: String

  /// The name under which its vectors are kept.
  package var space: String { "\(provider):\(model) \(address)" }
}

/// Where vectors are kept.
package enum EmbeddingKeeping: Sendable {
  case nowhere
  /// The only one, in the run's journal.
  case journal
  /// Those of these items, in the order of the texts.
  case items([Int64], MemoryViewer)
}

/// What a vector is for. Many models make other vectors of questions than of what is to be found by them, and have to
/// be told which of the two a text is: by words before it that they were trained with, or by a member of the request.
package enum EmbeddingPurpose: Sendable, Hashable {
  case question, stored

  /// The words that a model of that name expects before a text.
  package func prefix(for model: String) -> String {
    let name = model.lowercased()
    // Its relatives that take instructions expect a whole sentence before a question, and nothing before texts.
    if name.hasBytes("nomic-embed") {
      return self == .question ? "search_query: " : "search_document: "
    }
    let isE5 = name.split { !$0.isLetter && !$0.isNumber }.contains { $0.hasSuffix("e5") }
    guard isE5, !name.hasBytes("instruct") else { return "" }
    return self == .question ? "query: " : "passage: "
  }

  /// What Gemini calls it.
  var taskType: String { self == .question ? "RETRIEVAL_QUERY" : "RETRIEVAL_DOCUMENT" }
}

/// How much is asked for in one call, and how much is taken for an answer.
package enum EmbeddingLimits {
  /// The usual models take 8,192 tokens of a text, and a token is a byte at least.
  package static let textBytes = 8_000
  package static let textsPerCall = 64
  package static let dimensions = 8_192
  static let answerBytes = 16 << 20

  /// As much of a text's beginning as may be asked about.
  package static func clipped(_ text: String) -> String {
    guard text.utf8.count > textBytes else { return text }
    var bytes = text.utf8.prefix(textBytes + 1)
    // No character is cut in two.
    while let last = bytes.popLast(), last & 0xC0 == 0x80 {}
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Clients send whole pages, and hear from the provider where they are too long.
  private static let clientsTextBytes = 1 << 18

  static func check(_ texts: [String], ofClient: Bool) throws(Failure) {
    let textBytes = ofClient ? clientsTextBytes : textBytes
    guard (1...textsPerCall).contains(texts.count) else {
      throw Failure(.usage, "vectors are made of 1 to \(textsPerCall) texts at a time")
    }
    guard texts.allSatisfy({ (1...textBytes).contains($0.utf8.count) }) else {
      throw Failure(.usage, "a text to make a vector of has 1 to \(textBytes) bytes")
    }
  }
}

import RasaCore
import RasaSystem

/// The tokens of one answer, produced one at a time so that a long stream uses no memory.
struct TokenSource {
  private enum Kind {
    case words
    case stamps
    case list([[UInt8]])
  }

  private let kind: Kind
  let count: Int

  init(_ answer: Script.Answer, for request: ReceivedRequest) {
    func json(_ schema: Value, filler: String?) -> TokenSource {
      TokenSource(list: Script.split(SchemaAnswer.value(for: schema, filler: filler).json()))
    }
    let schema = request.schema
    switch answer {
    case .tokens(let tokens): self = TokenSource(list: tokens)
    case .essay(let text): self = TokenSource(list: Script.split(text))
    case .stamps(let count): self = TokenSource(kind: .stamps, count: max(0, count))
    case .echo:
      self =
        schema.map { json($0, filler: nil) }
        ?? TokenSource(list: Script.split("Echo: " + request.lastMessage.prefix(10_000)))
    case .words(let count):
      let words = (0..<max(1, min(count, 100_000))).lazy.map(Self.word).joined()
      self =
        schema.map { json($0, filler: String(decoding: Array(words), as: UTF8.self)) }
        ?? TokenSource(kind: .words, count: max(0, count))
    }
  }

  private init(kind: Kind, count: Int) {
    self.kind = kind
    self.count = count
  }

  private init(list: [String]) {
    // Escaped once, here, because all tokens end up in JSON strings.
    kind = .list(list.map { Array(Value.string($0).jsonBytes().dropFirst().dropLast()) })
    count = list.count
  }

  /// Appends the token's text, escaped for a JSON string.
  func append(_ index: Int, to bytes: inout [UInt8]) {
    switch kind {
    case .words: bytes += Self.word(index)
    case .stamps: bytes += "\(monotonicNanoseconds()) ".utf8
    case .list(let tokens): bytes += tokens[index]
    }
  }

  private static let vocabulary = [
    "the ", "price ", "may ", "rise ", "slowly ", "while ", "risk ", "stays ", "low ", "enough ",
  ].map { Array($0.utf8) }

  private static func word(_ index: Int) -> [UInt8] { vocabulary[index % vocabulary.count] }
}

func monotonicNanoseconds() -> UInt64 { TimeSource.system.monotonic() }

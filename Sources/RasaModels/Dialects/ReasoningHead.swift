/// Takes reasoning out of the head of an answer's text, where models without a parser of their own put
/// it: `<think>…</think>` and its relatives.
///
/// Only the head counts. A tag that is quoted in the middle of an answer is a part of the answer.
struct ReasoningHead: Sendable, Hashable {
  private struct Marker: Sendable, Hashable {
    var opening: [UInt8]
    /// Empty where what follows is the answer itself.
    var closing: [UInt8]

    init(_ opening: String, _ closing: String) {
      self.opening = Array(opening.utf8)
      self.closing = Array(closing.utf8)
    }
  }

  private enum Place: Sendable, Hashable {
    /// Nothing but white space, or the beginning of a marker, has come.
    case head
    case inside(closing: [UInt8])
    case answer
  }

  /// What may still turn out to be a marker.
  private var held: [UInt8] = []
  private var place = Place.head
  /// Reasoning came before; the white space that sets it off is no part of the answer.
  private var hasReasoned = false

  private static let markers = [
    Marker("<think>", "</think>"), Marker("<thinking>", "</thinking>"),
    Marker("<reasoning>", "</reasoning>"), Marker("<thought>", "</thought>"),
    Marker("<seed:think>", "</seed:think>"), Marker("[THINK]", "[/THINK]"),
    Marker("◁think▷", "◁/think▷"),
    Marker("<|channel|>analysis", "<|channel|>final<|message|>"),
    Marker("<|channel|>commentary", "<|channel|>final<|message|>"),
    Marker("<|start|>assistant<|channel|>analysis", "<|channel|>final<|message|>"),
    Marker("<|channel|>final<|message|>", ""),
    Marker("<|start|>assistant<|channel|>final<|message|>", ""),
    Marker("</think>", ""),
  ]

  /// - Parameter hasReasoned: what comes follows reasoning.
  init(after hasReasoned: Bool = false) { self.hasReasoned = hasReasoned }

  /// No marker can come any more.
  var isPassed: Bool { place == .answer }

  /// Divides what has come into answer and reasoning. Both may be less than what was given: the rest
  /// waits for what follows.
  mutating func divide(_ text: String) -> (text: String, reasoning: String) {
    held += text.utf8
    var reasoning: [UInt8] = []
    while true {
      switch place {
      case .answer:
        defer { held = [] }
        return (string(held), string(reasoning))
      case .inside(let closing):
        if let found = Self.find(closing, in: held) {
          reasoning += held[..<found]
          held.removeFirst(found + closing.count)
          place = .head
        } else {
          let kept = Self.overlap(of: held, with: closing)
          reasoning += held.dropLast(kept)
          held = Array(held.suffix(kept))
          return ("", string(reasoning))
        }
      case .head:
        let body = held.drop(while: Self.isBlank)
        if body.isEmpty
          || Self.markers.contains(where: {
            body.count < $0.opening.count && $0.opening.starts(with: body)
          })
        {
          return ("", string(reasoning))
        }
        if let marker = Self.markers.first(where: { body.starts(with: $0.opening) }) {
          hasReasoned = true
          held = Array(body.dropFirst(marker.opening.count))
          if !marker.closing.isEmpty { place = .inside(closing: marker.closing) }
        } else {
          if hasReasoned { held = Array(body) }
          place = .answer
        }
      }
    }
  }

  /// What was still waiting when the text ended. Reasoning that was never closed is reasoning.
  mutating func finish() -> (text: String, reasoning: String) {
    defer {
      held = []
      place = .answer
    }
    switch place {
    case .answer: return ("", "")
    case .inside: return ("", string(held))
    case .head:
      let isBlank = held.allSatisfy(Self.isBlank)
      return (hasReasoned && isBlank ? "" : string(held), "")
    }
  }

  private func string(_ bytes: [UInt8]) -> String {
    bytes.isEmpty ? "" : String(decoding: bytes, as: UTF8.self)
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0D).contains(byte)
  }

  private static func find(_ needle: [UInt8], in bytes: [UInt8]) -> Int? {
    guard bytes.count >= needle.count else { return nil }
    for start in 0...(bytes.count - needle.count)
    where bytes[start] == needle[0] && bytes[start...].starts(with: needle) {
      return start
    }
    return nil
  }

  /// How many of the last bytes are the beginning of the needle.
  private static func overlap(of bytes: [UInt8], with needle: [UInt8]) -> Int {
    var length = min(bytes.count, needle.count - 1)
    while length > 0 {
      if needle.starts(with: bytes.suffix(length)) { return length }
      length -= 1
    }
    return 0
  }
}

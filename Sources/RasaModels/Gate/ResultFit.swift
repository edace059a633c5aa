import RasaCore
import RasaEngine

/// The results of tools in a request that is longer than a model's window.
extension ModelRequest {
  /// So much of each is shown in any case.
  private static let leastShown = 512

  private var resultIndices: [Int] {
    messages.indices.filter { messages[$0].role == .tool && messages[$0].resultNumber != nil }
  }

  func resultTokens(_ meter: TokenMeter) -> Int64 {
    resultIndices.reduce(0) { $0 + meter.tokens(of: messages[$1].text) }
  }

  /// Cuts results to their beginnings, the oldest first, until so many tokens are saved. Those of the last turn, which the
  /// model has not seen yet, are shown as far as there is room.
  ///
  /// - Returns: how many were cut, and how many bytes are missing of them.
  mutating func shortenResults(by tokens: Int64, _ meter: TokenMeter) -> (count: Int, bytes: Int) {
    guard tokens > 0, let reader else { return (0, 0) }
    var left = tokens
    if allowsToolCalls, !tools.contains(where: { $0.name == reader.name }) {
      tools.append(reader)
      left += meter.mostTokens(of: reader.description + reader.parameters.json()) + 16
    }
    let newest = messages.lastIndex { $0.role == .assistant } ?? 0
    var (count, bytes) = (0, 0)
    for index in resultIndices where left > 0 {
      let text = messages[index].text
      let mark = mark(of: messages[index].resultNumber ?? "")
      var shown = Self.leastShown
      let whole = meter.tokens(of: text)
      if index > newest, whole > 0 {
        let spared = Double(left + meter.mostTokens(of: mark)) / Double(whole)
        shown = max(shown, Int(Double(text.utf8.count) * (1 - spared)) - 64)
      }
      guard text.utf8.count > shown + mark.utf8.count else { continue }
      let beginning = Self.beginning(of: text, shown)
      messages[index].text = beginning + mark
      left -= whole - meter.tokens(of: messages[index].text)
      count += 1
      bytes += text.utf8.count - beginning.utf8.count
    }
    return (count, bytes)
  }

  private static func beginning(of text: String, _ length: Int) -> String {
    var bytes = text.utf8.prefix(length)
    while let next = text.utf8[bytes.endIndex...].first, next & 0xC0 == 0x80 { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func mark(of number: String) -> String {
    let what = "\n[This is only the beginning of the result, for lack of room."
    guard allowsToolCalls, let reader else { return what + "]" }
    return what
      + " `\(reader.name)` with call \"\(number)\" reads on, from an offset or where it contains a text.]"
  }
}

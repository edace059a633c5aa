package import RasaCore

/// What a person says of an answer.
package struct Rating: Sendable, Hashable {
  /// From 1 to 5.
  package var stars: Int
  package var comment: String

  package init(stars: Int, comment: String) {
    self.stars = stars
    self.comment = comment
  }
}

extension ApprovalPrompt {
  /// Asks how good an answer was, and once more where what was typed is no number from 1 to 5; nil where the person
  /// skips it.
  package func askForRating() async throws(Failure) -> Rating? {
    let terminal = try open()
    defer { terminal.leave() }
    func read(_ prompt: String, isFirst: Bool = false, isText: Bool = false) async -> String? {
      let line = await terminal.readLine(
        prompt: style.glyphs.own(prompt), discardingTypedAhead: isFirst, isText: isText)
      switch line {
      case .text(let text): return String(text.trimmedByScalars)
      case .interrupted:
        terminal.show("\n")
        return nil
      case .end: return nil
      }
    }
    var answer = await read("How good was it? 1–5, Enter skips: ", isFirst: true)
    if let text = answer, !text.isEmpty, Self.stars(text) == nil {
      answer = await read("1–5, where 5 is best, or Enter to skip: ")
    }
    guard let stars = answer.flatMap(Self.stars) else { return nil }
    let comment = await read("A comment? Enter skips: ", isText: true)
    return Rating(stars: stars, comment: comment ?? "")
  }

  private static func stars(_ text: String) -> Int? {
    Int(text).flatMap { (1...5).contains($0) ? $0 : nil }
  }
}

package import RasaCore
package import RasaPersona

/// What a run sees of its session.
struct SeenConversation: Sendable {
  /// Oldest first.
  var turns: [SessionTurn] = []
  /// How many are older.
  var earlier = 0
  /// How many of the newest are surely in the prompt, whatever the model.
  var shown = 0
  var summary: ConversationSummary?
}

extension ConversationContext {
  /// The runs whose turns are surely in the prompt, so that they need not be recalled into it.
  package static func shownRuns(_ context: Value) -> Set<Identifier> {
    let turns = context["session"].array ?? []
    let shown = context["shown_turns"].int.map { Int(clamping: $0) } ?? turns.count
    return Set(turns.suffix(shown).compactMap { $0["run"].string.map { Identifier($0) } })
  }
}

// MARK: Notes

extension WorkingNote {
  /// A longer one is cut when it is written.
  static let mostBytes = 2_000
}

extension NoteBounds {
  /// Where a persona says nothing else.
  package static let usualTokens = 2_000
  /// Fewer tokens are not worth showing of a note.
  private static let leastOfNote = 32

  /// The notes that go into a run, the newest first. What is left out, and where a note is cut, they say themselves.
  ///
  /// - Parameter notes: oldest first.
  func lines(of notes: [WorkingNote], at now: Timestamp) -> [String] {
    let oldest = days.map { now.milliseconds - Int64(min($0, 1e6) * 86_400_000) }
    let recent = notes.reversed().filter { note in
      oldest.map { note.time.milliseconds >= $0 } ?? true
    }
    var left = max(0, tokens ?? Self.usualTokens)
    var lines: [String] = []
    for (place, note) in recent.enumerated() {
      let size = Self.tokens(of: note.text)
      if size <= left {
        lines.append(note.text)
        left -= size
        continue
      }
      var shown = place
      if left >= Self.leastOfNote {
        lines.append(note.text.shortened(to: left * 3 - 24))
        shown += 1
      }
      if shown < recent.count {
        let rest = recent.count - shown
        lines.append(
          "(\(rest) older \(rest == 1 ? "note is" : "notes are") left out for lack of room)")
      }
      break
    }
    return lines
  }

  /// Few texts have more.
  private static func tokens(of text: String) -> Int { text.utf8.count / 3 + 1 }
}

extension String {
  /// Its beginning, which says that it is not all; the text itself where it has no more bytes than that.
  func shortened(to most: Int) -> String {
    guard utf8.count > most else { return self }
    var end = utf8.index(utf8.startIndex, offsetBy: Swift.max(0, most))
    while end > startIndex, end.samePosition(in: unicodeScalars) == nil {
      end = utf8.index(before: end)
    }
    return String(self[..<end]) + " … (cut)"
  }
}

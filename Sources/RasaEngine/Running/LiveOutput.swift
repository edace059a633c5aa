import RasaCore
import RasaPersona

/// Decides what of the output can be shown now.
///
/// The output is made of parts in order. A part is shown while it is being written if its operator
/// is live (nothing can revise it any more), or as a whole once nothing that can still happen
/// writes to it. Parts are never shown out of order; what comes early waits.
struct LiveOutput {
  private let parts: [Composition.Part]
  private var current = 0
  /// What was shown of the current part, in UTF-8 bytes of its text.
  private var shown = 0
  private(set) var hasEmitted = false
  /// How many bytes of the output have been emitted and count, and at which of them the current part begins.
  private var emitted = 0
  private var partStart = 0
  /// Text that live operators have written of each part.
  private var written: [StatePath: String] = [:]

  init(parts: [Composition.Part]) { self.parts = parts }

  /// Text of a live operator: returns what can be shown now.
  mutating func emit(_ text: String, of path: StatePath) -> String? {
    guard current < parts.count, parts[current].from == path else {
      written[path, default: ""] += text
      return nil
    }
    let early = written.removeValue(forKey: path) ?? ""
    let new = early + text
    guard !new.isEmpty else { return nil }
    if shown == 0, parts[current].heading != nil,
      Composition.Part.beginsWithHeading(new) == nil
    {
      // Which heading stands above it shows with its first words.
      written[path] = new
      return nil
    }
    return take(new)
  }

  /// Text of the current part, with what stands before its first words.
  private mutating func take(_ text: String) -> String {
    if shown == 0 { partStart = emitted }
    let whole = shown == 0 ? opening(of: text) + text : text
    shown += text.utf8.count
    emitted += whole.utf8.count
    hasEmitted = true
    return whole
  }

  /// A live operator begins again. Returns how many bytes of the output still count where some of what it wrote was
  /// already shown; nil where none was.
  mutating func restart(_ path: StatePath) -> Int? {
    written[path] = nil
    guard current < parts.count, parts[current].from == path, shown > 0 else { return nil }
    shown = 0
    emitted = partStart
    hasEmitted = emitted > 0
    return emitted
  }

  /// The rest of the current part if it will not change any more, and then of the next ones.
  ///
  /// `value` gives what the state holds, nil while that can still change.
  mutating func advance(_ value: (_ place: Int, StatePath) -> Value?) -> String? {
    var text = ""
    while current < parts.count, let final = value(current, parts[current].from) {
      let body = final.promptText
      let rest = String(decoding: body.utf8.dropFirst(shown), as: UTF8.self)
      if !rest.isEmpty { text += take(rest) }
      written[parts[current].from] = nil
      current += 1
      shown = 0
    }
    return text.isEmpty ? nil : text
  }

  /// Whether nothing has been emitted, because the path of the run wrote no part. The caller then emits the
  /// output itself.
  mutating func takeUnemitted() -> Bool {
    defer { hasEmitted = true }
    return !hasEmitted
  }

  private func opening(of text: String) -> String {
    parts[current].opening(of: text, isFirst: !hasEmitted)
  }
}

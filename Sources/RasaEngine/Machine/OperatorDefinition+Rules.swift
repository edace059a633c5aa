import RasaCore
import RasaPersona

extension OperatorDefinition {
  /// What the rules of this operator write, one after the other, each seeing what those before it
  /// wrote; and what conditions could not compare, which counts as false.
  func evaluateRules(
    _ state: State, in kind: FrameKind
  ) -> (updates: [Update], warnings: [String]) {
    if let compose {
      let text = compose.text(state.reader(in: kind))
      return ([Update(StatePath(compose.key), .string(text))], [])
    }
    guard !rules.isEmpty else { return ([], []) }
    var warnings: [String] = []
    var view = state
    var changed: [StatePath] = []
    func write(_ value: Value, _ key: String) {
      let path = StatePath(key)
      view.write(value, at: path)
      if !changed.contains(path) { changed.append(path) }
    }
    // What a rule wrote itself is visible to the next one in every kind of frame.
    func read(_ path: StatePath) -> Value {
      if changed.contains(where: { $0.overlaps(path) }) { return view[path] }
      return view.reader(in: kind)(path)
    }
    /// A text says numbers as they are written.
    func say(_ path: StatePath) -> Value {
      path.key == "metadata" ? view.promptReader(in: kind)(path) : read(path)
    }
    for rule in rules {
      if let condition = rule.when {
        let (holds, warning) = condition.evaluate(read)
        if let warning { warnings.append("a rule of `\(name)`: \(warning)") }
        guard holds else { continue }
      }
      for (key, value) in rule.set {
        switch value {
        case .literal(let literal): write(literal, key)
        case .template(let template): write(.string(template.render(say)), key)
        case .path(let path): write(read(path), key)
        }
      }
      for (key, text) in rule.append {
        write(.string(read(StatePath(key)).promptText + text.render(say)), key)
      }
      for (key, from, to) in rule.replace {
        guard let text = read(StatePath(key)).string else { continue }
        write(.string(text.replacing(bytes: from, with: to)), key)
      }
    }
    return (changed.map { Update($0, view[$0]) }, warnings)
  }
}

extension Composition {
  /// The parts that have something to say, a blank line between them.
  func text(_ read: (StatePath) -> Value) -> String {
    var text = ""
    for part in parts {
      let body = read(part.from).promptText
      if !body.isEmpty { text += part.opening(of: body, isFirst: text.isEmpty) + body }
    }
    return text
  }
}

extension Composition.Part {
  /// What stands before the part's own text, here and where the output is shown piece by piece.
  /// A text that begins with a heading of its own, perhaps in another language, keeps that one.
  func opening(of text: String, isFirst: Bool) -> String {
    let isHeaded = heading == nil || Self.beginsWithHeading(text) == true
    return (isFirst ? "" : "\n\n") + (isHeaded ? "" : heading.map { $0 + "\n\n" } ?? "")
  }

  /// Whether a text begins with a Markdown heading; nil while only its beginning is known and that
  /// does not tell.
  static func beginsWithHeading(_ text: String) -> Bool? {
    let start = text.utf8.drop { $0 == 0x20 || (0x09...0x0D).contains($0) }
    let rest = start.drop { $0 == UInt8(ascii: "#") }
    guard let next = rest.first else { return nil }
    let depth = start.count - rest.count
    return (1...6).contains(depth) && (next == 0x20 || next == 0x09)
  }
}

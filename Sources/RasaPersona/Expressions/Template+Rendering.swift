package import RasaCore

extension Template {
  /// The text with every placeholder replaced by its value from `read` (nothing for null, JSON for
  /// an object). It is called once per path.
  package func render(_ read: (StatePath) -> Value) -> String {
    var rendered: [UInt8] = []
    rendered.reserveCapacity(min(bytes.count + bytes.count / 4, Self.longestText))
    eachPiece(paths.map(read)) { piece, _ in
      rendered += piece
      return rendered.count <= Self.longestText
    }
    return String(decoding: rendered.prefix(Self.longestText), as: UTF8.self)
  }

  /// The text with a value for every name: from `read`, or the declared default. A name with
  /// neither is empty, or, if strict, an error that lists every such name. Names of sections may be
  /// missing: that is what sections are for.
  package func render(
    strict: Bool, defaults: ValueObject = ValueObject(), _ read: (StatePath) -> Value
  ) throws(Failure) -> String {
    let values = values(defaults: defaults, read)
    if strict { try checkNames(values) }
    var next = values.makeIterator()
    // Paths are read in the order of their first occurrence, which is the order of `paths`.
    return render { _ in next.next() ?? .null }
  }

  /// Throws an error that lists every name without a value or default.
  package func checkNames(
    defaults: ValueObject, _ read: (StatePath) -> Value
  ) throws(Failure) {
    try checkNames(values(defaults: defaults, read))
  }

  /// The text as a prompt. Inserted text is kept byte for byte; of the author's text, blank lines
  /// at both ends are removed, and several blank lines become one, because missing optional values
  /// leave such lines behind.
  ///
  /// - Parameters:
  ///   - loose: names that are left unchanged if they have no value.
  ///   - isWhole: nothing in it is optional, so only the blank lines at its ends are removed.
  package func prompt(
    defaults: ValueObject = ValueObject(), leaving loose: Set<StatePath> = [],
    isWhole: Bool = false, _ read: (StatePath) -> Value
  ) -> String {
    var prompt = PromptText(mostBreaks: isWhole ? .max : 2)
    eachPiece(values(defaults: defaults, read), leaving: loose) { piece, isInserted in
      if isInserted { prompt.insert(piece) } else { prompt.write(piece) }
      return prompt.count <= Self.longestText
    }
    return prompt.finish()
  }

  /// One value per path.
  private func values(defaults: ValueObject, _ read: (StatePath) -> Value) -> [Value] {
    let defaults = Value.object(defaults)
    return paths.map { path in
      let value = read(path)
      if !value.isNull { return value }
      let nested = defaults[path]
      return nested.isNull ? defaults[path.description] : nested
    }
  }

  /// The parts of the text in order, without the sections that have no value, until the callback
  /// returns false.
  private func eachPiece(
    _ values: [Value], leaving loose: Set<StatePath> = [],
    _ visit: (_ piece: ArraySlice<UInt8>, _ isInserted: Bool) -> Bool
  ) {
    var texts: [[UInt8]?] = Array(repeating: nil, count: paths.count)
    var index = 0
    while index < segments.count {
      let isEnough: Bool
      switch segments[index] {
      case .text(let range): isEnough = !visit(bytes[range], false)
      case .file(let number):
        isEnough = number < insertions.count && !visit(insertions[number][...], true)
      case .path(let number, let place):
        if values[number].isNull, loose.contains(paths[number]) {
          isEnough = !visit(bytes[place], false)
        } else {
          let text = texts[number] ?? Array(values[number].promptText.utf8)
          texts[number] = text
          isEnough = !visit(text[...], true)
        }
      case .section(let number, let end):
        if !values[number].isTrue {
          index = end
          continue
        }
        isEnough = false
      }
      if isEnough { return }
      index += 1
    }
  }

  private func checkNames(_ values: [Value]) throws(Failure) {
    let tested = Set(
      segments.compactMap { if case .section(let number, _) = $0 { number } else { nil } })
    let missing = paths.indices.filter { values[$0].isNull && !tested.contains($0) }
    if !missing.isEmpty { throw failure(missing: missing) }
  }

  private func failure(missing: [Int]) -> Failure {
    let named = missing.prefix(Self.mostNamed)
    var names = named.map { "`\(paths[$0])`" }.joined(separator: ", ")
    if missing.count > named.count { names += " and \(missing.count - named.count) more" }
    var details: [String] = []
    var first: SourceLocation?
    if var place = location {
      var offset = 0
      for index in named {
        place = place.advanced(
          over: bytes[offset..<offsets[index]], fromColumn: location?.column ?? 1)
        offset = offsets[index]
        first = first ?? place
        details.append("\(place): `\(paths[index])`")
      }
    }
    return Failure(
      .configuration, "\(names) \(missing.count == 1 ? "has" : "have") no value",
      suggestion:
        "give \(missing.count == 1 ? "it" : "each of them") a value, or a default in the file",
      at: first, details: details.count > 1 ? details : [])
  }

  private static let mostNamed = 100
}

/// A prompt under construction: the author's lines can be tidied, inserted text cannot.
private struct PromptText {
  private let mostBreaks: Int
  private var kept: [UInt8] = []
  private var line: [UInt8] = []
  /// Whether the line contains inserted text.
  private var holdsInsertion = false
  /// Line ends before the next line with content; none before the first.
  private var breaks = 0

  init(mostBreaks: Int) { self.mostBreaks = mostBreaks }

  var count: Int { kept.count + line.count }

  mutating func insert(_ text: ArraySlice<UInt8>) {
    guard !text.isEmpty else { return }
    line += text
    holdsInsertion = true
  }

  mutating func write(_ text: ArraySlice<UInt8>) {
    for byte in text {
      if byte == 0x0A { endLine() } else { line.append(byte) }
    }
  }

  private mutating func endLine() {
    let isBlank = !holdsInsertion && line.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
    if isBlank {
      if !kept.isEmpty { breaks = min(mostBreaks, breaks + 1) }
    } else {
      if !kept.isEmpty { kept += [UInt8](repeating: 0x0A, count: max(1, breaks)) }
      kept += line
      breaks = 1
    }
    line.removeAll(keepingCapacity: true)
    holdsInsertion = false
  }

  mutating func finish() -> String {
    endLine()
    return String(decoding: kept, as: UTF8.self)
  }
}

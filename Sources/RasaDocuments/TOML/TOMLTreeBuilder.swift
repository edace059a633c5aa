import RasaCore

/// Makes a tree of what toml++ has read, and keeps the limits.
struct TOMLTreeBuilder {
  private let source: SourceText
  private let text: ArraySlice<UInt8>
  private let limits: DocumentLimits
  private var next = 0
  private var excerpt = (line: 0, text: "")
  /// The place whose byte was asked for last: a file may be one line, with a great many values that
  /// are asked for in turn.
  private var cursor = (line: 0, column: 1, offset: 0)

  init(source: SourceText, text: ArraySlice<UInt8>, limits: DocumentLimits) {
    self.source = source
    self.text = text
    self.limits = limits
  }

  mutating func build(_ document: borrowing TOMLDocument) throws(Failure) -> DocumentNode {
    let start = SourceLocation(file: source.file, line: 1, column: 1)
    guard let root = document[0] else {
      return DocumentNode(content: .mapping([]), location: start)
    }
    next = 1
    return try node(root, in: document, depth: 1, at: start)
  }

  private mutating func node(
    _ value: TOMLValue, in document: borrowing TOMLDocument, depth: Int,
    at location: SourceLocation
  ) throws(Failure) -> DocumentNode {
    if next > limits.nodes {
      throw source.failure(
        "the file has more than \(limits.nodes) values", suggestion: "split it", at: location)
    }
    let excerpt = excerpt(line: location.line)
    func scalar(_ scalar: Value, _ raw: String?) -> DocumentNode {
      DocumentNode(content: .scalar(scalar), location: location, excerpt: excerpt, rawText: raw)
    }
    switch value.kind {
    case .string(let text):
      try checkNoNUL(text, at: location)
      return scalar(.string(text), text)
    case .boolean(let flag): return scalar(.bool(flag), flag ? "true" : "false")
    case .integer(let integer): return scalar(.int(integer), number(written(value)))
    case .number(let double): return scalar(.double(double), number(written(value)))
    case .time:
      let written = written(value)
      return scalar(.string(written), written)
    case .table, .array:
      if depth > limits.depth {
        throw source.failure(
          "the file is nested deeper than \(limits.depth) levels", suggestion: "make it flatter",
          at: location)
      }
    }
    var elements: [DocumentNode] = []
    var entries: [DocumentNode.Entry] = []
    for _ in 0..<value.children {
      guard let child = document[next] else { break }
      next += 1
      if case .array = value.kind {
        elements.append(
          try node(child, in: document, depth: depth + 1, at: place(child.start) ?? location))
      } else {
        let keyLocation = place(child.keyStart) ?? location
        try checkNoNUL(child.key, at: keyLocation)
        let start = place(child.start) ?? keyLocation
        entries.append(
          DocumentNode.Entry(
            key: child.key, keyLocation: keyLocation,
            value: try node(child, in: document, depth: depth + 1, at: start)))
      }
    }
    let content: DocumentNode.Content =
      if case .array = value.kind { .sequence(elements) } else { .mapping(entries) }
    return DocumentNode(content: content, location: location, excerpt: excerpt)
  }

  private func checkNoNUL(_ text: String, at location: SourceLocation) throws(Failure) {
    guard text.utf8.contains(0) else { return }
    throw source.failure(
      "the text that begins here holds a NUL character", suggestion: "take the `\\u0000` out of it",
      at: location)
  }

  private func place(_ place: TOMLValue.Place) -> SourceLocation? {
    guard place.line > 0 else { return nil }
    return SourceLocation(file: source.file, line: place.line, column: place.column)
  }

  /// As `Money` and people read it.
  private func number(_ written: String) -> String {
    String((written.hasPrefix("+") ? written.dropFirst() : written[...]).filter { $0 != "_" })
  }

  /// A value exactly as it stands in the file.
  private mutating func written(_ value: TOMLValue) -> String {
    let start = offset(of: value.start)
    let end = max(start, offset(of: value.end))
    return String(
      decoding: text[(text.startIndex + start)..<(text.startIndex + end)], as: UTF8.self)
  }

  private mutating func offset(of place: TOMLValue.Place) -> Int {
    if cursor.line != place.line || cursor.column > place.column {
      cursor = (place.line, 1, source.bytes(ofLine: place.line)?.lowerBound ?? text.count)
    }
    var (_, column, offset) = cursor
    // A span of `text` would keep all of this value.
    let text = text
    let span = text.span
    while column < place.column, offset < span.count {
      offset += 1
      while offset < span.count, span[offset] & 0xC0 == 0x80 { offset += 1 }
      column += 1
    }
    cursor = (place.line, column, offset)
    return offset
  }

  private mutating func excerpt(line: Int) -> String {
    if excerpt.line != line { excerpt = (line, source.excerpt(line: line)) }
    return excerpt.text
  }
}

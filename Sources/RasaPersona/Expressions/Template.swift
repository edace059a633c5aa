package import RasaCore

/// Text with `{{ path }}` placeholders. One pass: what is inserted is never scanned again, and the
/// time is linear in the text. `\{{` stands for two braces that are meant as such.
package struct Template: Sendable {
  package let source: String
  package let location: SourceLocation?
  /// Every path that is inserted, in order of appearance, without repeats.
  package let paths: [StatePath]
  private let segments: [Segment]
  /// Where each of the paths appears first, in bytes.
  private let offsets: [Int]

  private enum Segment {
    case text(String)
    case path(StatePath)
  }

  /// Reads the text; an error says where. `location` is where the text starts.
  package static func compile(
    _ source: String, at location: SourceLocation? = nil
  ) throws(Failure) -> Template {
    var segments: [Segment] = []
    var paths: [StatePath] = []
    var offsets: [Int] = []
    var seen: Set<StatePath> = []
    let bytes = Array(source.utf8)
    var text: [UInt8] = []
    var position = 0
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\\"), Self.isOpening(bytes, position + 1) {
        text += [UInt8(ascii: "{"), UInt8(ascii: "{")]
        position += 3
      } else if Self.isOpening(bytes, position) {
        let (path, end) = try placeholder(bytes, from: position, location)
        if !text.isEmpty { segments.append(.text(String(decoding: text, as: UTF8.self))) }
        text.removeAll(keepingCapacity: true)
        segments.append(.path(path))
        if seen.insert(path).inserted {
          paths.append(path)
          offsets.append(position)
        }
        position = end
      } else {
        text.append(byte)
        position += 1
      }
    }
    if !text.isEmpty { segments.append(.text(String(decoding: text, as: UTF8.self))) }
    return Template(
      source: source, location: location, paths: paths, segments: segments, offsets: offsets)
  }

  /// The path when the whole text is one placeholder and nothing else.
  package var onlyPath: StatePath? {
    guard segments.count == 1, case .path(let path) = segments[0] else { return nil }
    return path
  }

  /// Where a path is inserted first.
  package func location(of path: StatePath) -> SourceLocation? {
    guard let location, let index = paths.firstIndex(of: path) else { return nil }
    return location.advanced(over: source.utf8.prefix(offsets[index]))
  }

  /// The text with every placeholder replaced by what `read` gives (null gives nothing, an object
  /// gives JSON).
  package func render(_ read: (StatePath) -> Value) -> String {
    var rendered = ""
    rendered.reserveCapacity(source.utf8.count)
    for segment in segments {
      switch segment {
      case .text(let text): rendered += text
      case .path(let path): rendered += read(path).promptText
      }
    }
    return rendered
  }
}

extension Template {
  private static func isOpening(_ bytes: [UInt8], _ position: Int) -> Bool {
    position + 1 < bytes.count && bytes[position] == UInt8(ascii: "{")
      && bytes[position + 1] == UInt8(ascii: "{")
  }

  /// Reads `{{ path }}` and says where it ends.
  private static func placeholder(
    _ bytes: [UInt8], from start: Int, _ location: SourceLocation?
  ) throws(Failure) -> (path: StatePath, end: Int) {
    func failure(_ message: String, mend: String, at offset: Int) -> Failure {
      let begin = location ?? SourceLocation(file: "template", line: 1, column: 1)
      return Failure(
        .configuration, message, mend: mend, at: begin.advanced(over: bytes.prefix(offset)))
    }
    func byte(_ offset: Int) -> UInt8? { offset < bytes.count ? bytes[offset] : nil }
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    var position = start + 2
    while let space = byte(position), isBlank(space) { position += 1 }
    let nameStart = position
    while let part = byte(position), PathSyntax.isNamePart(part) || part == UInt8(ascii: ".") {
      position += 1
    }
    let name = String(decoding: bytes[nameStart..<position], as: UTF8.self)
    while let space = byte(position), isBlank(space) { position += 1 }

    if name == "file", byte(position) == UInt8(ascii: ":") {
      throw failure(
        "a placeholder cannot insert a file here",
        mend: "use `prompt_path` to keep the whole prompt in a file of its own", at: start)
    }
    guard byte(position) == UInt8(ascii: "}"), byte(position + 1) == UInt8(ascii: "}") else {
      let isCut = position >= bytes.count || bytes[position] == UInt8(ascii: "\n")
      throw isCut
        ? failure(
          "the placeholder that starts here has no closing `}}`",
          mend: #"close it, or write `\{{` for two braces"#, at: start)
        : failure(
          "a placeholder holds one path, such as `{{critique.verdict}}`, and nothing else",
          mend: #"mend the name, or write `\{{` for two braces"#, at: position)
    }
    guard PathSyntax.isPath(name) else {
      throw failure(
        name.isEmpty ? "the placeholder is empty" : "`\(name)` is not a path",
        mend: "a path is names joined by dots, such as `critique.verdict`",
        at: name.isEmpty ? start : nameStart)
    }
    return (StatePath(name), position + 2)
  }
}

extension Template: Hashable {
  package static func == (left: Template, right: Template) -> Bool { left.source == right.source }
  package func hash(into hasher: inout Hasher) { hasher.combine(source) }
}

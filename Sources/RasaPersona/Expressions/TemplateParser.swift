import RasaCore

/// Parses a template in one pass over its bytes.
struct TemplateParser {
  let bytes: [UInt8]
  private(set) var segments: [Template.Segment] = []
  private(set) var paths: [StatePath] = []
  private(set) var offsets: [Int] = []
  private(set) var files: [Template.File] = []
  private(set) var warnings: [Warning] = []
  private let author: Template.Author
  private let location: SourceLocation?
  /// Keyed by the path as written.
  private var numbers: [String: Int] = [:]
  /// The last location that was looked up; the next ones come after it.
  private var cursor: (offset: Int, location: SourceLocation)
  private var unknown = 0
  /// Sections that are still open, innermost last.
  private var open: [(segment: Int, name: String, offset: Int)] = []
  private static let mostWarnings = 20

  init(_ bytes: [UInt8], by author: Template.Author, at location: SourceLocation?) {
    self.bytes = bytes
    self.author = author
    self.location = location
    cursor = (0, location ?? SourceLocation(file: "template", line: 1, column: 1))
  }

  mutating func parse() throws(Failure) {
    var start = 0
    var position = 0
    while let opening = Self.opening(in: bytes, from: position) {
      if opening > start, bytes[opening - 1] == UInt8(ascii: "\\") {
        addText(start..<(opening - 1))
        start = opening
        position = opening + 2
        continue
      }
      switch placeholder(at: opening) {
      case .path(let name, let dots, let end):
        addText(start..<opening)
        segments.append(.path(number(of: name, dots, at: opening), opening..<end))
        start = end
        position = end
      case .file(let path, let form, let end):
        addText(start..<opening)
        segments.append(.file(files.count))
        let place = location == nil ? nil : place(of: opening)
        files.append(Template.File(path: path, form: form, location: place))
        start = end
        position = end
      case .opening(let name, let dots, let end):
        let line = ownLine(of: opening..<end)
        addText(start..<max(start, line?.lowerBound ?? opening))
        open.append((segments.count, name, opening))
        segments.append(.section(number(of: name, dots, at: opening), end: 0))
        start = line?.upperBound ?? end
        position = start
      case .closing(let name, let end):
        let line = ownLine(of: opening..<end)
        addText(start..<max(start, line?.lowerBound ?? opening))
        try close(name, at: opening)
        start = line?.upperBound ?? end
        position = start
      case .broken(let message, let suggestion, let offset):
        if author == .persona {
          throw Failure(.configuration, message, suggestion: suggestion, at: place(of: offset))
        }
        warn(message, at: opening)
        position = opening + 2
        while position < bytes.count, bytes[position] == UInt8(ascii: "{") { position += 1 }
      }
    }
    addText(start..<bytes.count)
    if let section = open.last {
      throw Failure(
        .configuration, "the section `{{#\(section.name)}}` that starts here is not closed",
        suggestion: "write `{{/\(section.name)}}` where it ends", at: place(of: section.offset))
    }
    if unknown > Self.mostWarnings {
      warnings.append(
        Warning("\(unknown - Self.mostWarnings) more `{{` are left as text", at: location))
    }
  }

  private static func opening(in bytes: [UInt8], from start: Int) -> Int? {
    let span = bytes.span
    var position = start
    while position + 1 < span.count {
      if span[position] == UInt8(ascii: "{"), span[position + 1] == UInt8(ascii: "{") {
        return position
      }
      position += 1
    }
    return nil
  }

  private mutating func addText(_ range: Range<Int>) {
    if !range.isEmpty { segments.append(.text(range)) }
  }

  private mutating func close(_ name: String, at offset: Int) throws(Failure) {
    guard let section = open.popLast() else {
      throw Failure(
        .configuration, "`{{/\(name)}}` closes a section that was never opened",
        suggestion: "write `{{#\(name)}}` where it starts, or remove it", at: place(of: offset))
    }
    guard section.name == name else {
      throw Failure(
        .configuration, "`{{/\(name)}}` comes before `{{#\(section.name)}}` is closed",
        suggestion: "write `{{/\(section.name)}}` before it", at: place(of: offset))
    }
    guard case .section(let number, _) = segments[section.segment] else { return }
    segments[section.segment] = .section(number, end: segments.count)
  }

  /// The whole line, with its line end, if it contains nothing but the tag of a section: so neither
  /// tag leaves a blank line behind.
  private func ownLine(of tag: Range<Int>) -> Range<Int>? {
    var start = tag.lowerBound
    while start > 0, Self.isBlank(bytes[start - 1]) { start -= 1 }
    guard start == 0 || bytes[start - 1] == UInt8(ascii: "\n") else { return nil }
    var end = tag.upperBound
    while let next = byte(end), Self.isBlank(next) || next == UInt8(ascii: "\r") { end += 1 }
    if end == bytes.count { return start..<end }
    return bytes[end] == UInt8(ascii: "\n") ? start..<(end + 1) : nil
  }

  private mutating func number(
    of name: String, _ dots: Bool, at offset: Int
  ) -> Int {
    if let number = numbers[name] { return number }
    numbers[name] = paths.count
    paths.append(dots ? StatePath(name) : StatePath([name]))
    offsets.append(offset)
    return paths.count - 1
  }

  /// Called with ascending offsets, so that all lookups together take one pass.
  private mutating func place(of offset: Int) -> SourceLocation {
    if offset < cursor.offset { return cursor.location }
    cursor = (
      offset,
      cursor.location.advanced(
        over: bytes[cursor.offset..<offset], fromColumn: location?.column ?? 1)
    )
    return cursor.location
  }

  private mutating func warn(_ message: String, at offset: Int) {
    unknown += 1
    guard unknown <= Self.mostWarnings else { return }
    let place = location == nil ? nil : place(of: offset)
    warnings.append(Warning("`{{` is left as text here: \(message)", at: place))
  }
}

// MARK: One placeholder

extension TemplateParser {
  private enum Placeholder {
    case path(String, hasDots: Bool, end: Int)
    case file(String, Template.File.Form, end: Int)
    /// `{{#path}}`
    case opening(String, hasDots: Bool, end: Int)
    /// `{{/path}}`
    case closing(String, end: Int)
    case broken(message: String, suggestion: String, offset: Int)
  }

  private func byte(_ offset: Int) -> UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  private func placeholder(at start: Int) -> Placeholder {
    if author == .agent, start > 0, bytes[start - 1] == UInt8(ascii: "$") {
      return .broken(message: "`${{` belongs to another tool", suggestion: "", offset: start)
    }
    var position = start + 2
    while let space = byte(position), Self.isBlank(space) { position += 1 }
    let sign = byte(position)
    let isOpening = author == .persona && sign == UInt8(ascii: "#")
    let isClosing = author == .persona && sign == UInt8(ascii: "/")
    if isOpening || isClosing {
      position += 1
      while let space = byte(position), Self.isBlank(space) { position += 1 }
    }
    let nameStart = position
    var hasDots = false
    while let part = byte(position) {
      if part == UInt8(ascii: ".") {
        hasDots = true
      } else if !PathSyntax.isNamePart(part) {
        break
      }
      position += 1
    }
    let name = String(decoding: bytes[nameStart..<position], as: UTF8.self)
    while let space = byte(position), Self.isBlank(space) { position += 1 }
    if name == "file", !isOpening, !isClosing, byte(position) == UInt8(ascii: ":") {
      return file(at: start, from: position + 1)
    }
    guard byte(position) == UInt8(ascii: "}"), byte(position + 1) == UInt8(ascii: "}") else {
      let isCut = position >= bytes.count || bytes[position] == UInt8(ascii: "\n")
      return isCut
        ? unclosed(start)
        : .broken(
          message: isOpening || isClosing
            ? "a section takes one path and nothing else, such as `{{#draft}}…{{/draft}}`"
            : "a placeholder takes one path and nothing else, such as `{{critique.verdict}}`",
          suggestion: #"fix the name, or write `\{{` for two braces"#, offset: position)
    }
    let isName = !hasDots && nameStart < bytes.count && PathSyntax.startsName(bytes[nameStart])
    guard isName || PathSyntax.isPath(name) else {
      return .broken(
        message: name.isEmpty ? "the placeholder is empty" : "`\(name)` is not a path",
        suggestion: "a path is names joined by dots, such as `critique.verdict`",
        offset: name.isEmpty ? start : nameStart)
    }
    if isOpening { return .opening(name, hasDots: hasDots, end: position + 2) }
    if isClosing { return .closing(name, end: position + 2) }
    return .path(name, hasDots: hasDots, end: position + 2)
  }

  private func unclosed(_ start: Int) -> Placeholder {
    .broken(
      message: "the placeholder that starts here has no closing `}}`",
      suggestion: #"close it, or write `\{{` for two braces"#, offset: start)
  }

  private func file(at start: Int, from first: Int) -> Placeholder {
    guard author == .agent else {
      return .broken(
        message: "a placeholder cannot insert a file here",
        suggestion: "use `prompt_path` to keep the whole prompt in a file of its own", offset: start
      )
    }
    // A path has no braces, so no byte is scanned for two placeholders.
    var position = first
    while let next = byte(position), next != UInt8(ascii: "}"), next != UInt8(ascii: "{"),
      next != UInt8(ascii: "\n")
    {
      position += 1
    }
    guard byte(position) == UInt8(ascii: "}"), byte(position + 1) == UInt8(ascii: "}") else {
      return unclosed(start)
    }
    var words = bytes[first..<position]
    var form = Template.File.Form.text
    for candidate in [Template.File.Form.code, .markdown] {
      let ending = Array(":\(candidate.rawValue)".utf8)
      let trimmed = Self.trimmed(words)
      if trimmed.suffix(ending.count).elementsEqual(ending) {
        words = trimmed.dropLast(ending.count)
        form = candidate
        break
      }
    }
    let path = String(decoding: Self.trimmed(words), as: UTF8.self)
    guard !path.isEmpty else {
      return .broken(
        message: "the placeholder names no file", suggestion: "write `{{file:notes.md}}`",
        offset: start)
    }
    return .file(path, form, end: position + 2)
  }

  private static func trimmed(_ words: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let words = words.drop(while: isBlank)
    let end = words.lastIndex { !isBlank($0) }
    return words[..<(end.map { $0 + 1 } ?? words.startIndex)]
  }
}

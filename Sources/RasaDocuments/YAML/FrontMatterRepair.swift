import RasaCore

/// Reads the lines of front matter as YAML, and where that fails as people mean them.
///
/// Other tools read `key: value` lines by simpler rules than YAML's, so that people write values
/// YAML takes for something else: with `: ` in them, or with `*`, `@` or `[` at the beginning. Each
/// member is looked at alone; one that is broken is mended when there is one way to do it. Lines
/// keep their numbers throughout.
struct FrontMatterRepair {
  private let lines: FrontMatterLines
  private let range: Range<Int>
  private let source: SourceText
  private let limits: DocumentLimits
  private(set) var warnings: [Failure] = []
  /// By how much columns are larger in the mended text, by line counted from 1.
  private var shifts: [Int: Int] = [:]

  init(
    lines: FrontMatterLines, range: Range<Int>, source: SourceText, limits: DocumentLimits
  ) {
    self.lines = lines
    self.range = range
    self.source = source
    self.limits = limits
  }

  mutating func read() throws(Failure) -> DocumentNode {
    let start = SourceLocation(file: source.file, line: range.lowerBound + 1, column: 1)
    if range.allSatisfy({ lines.isBlank($0) || lines[$0].first == UInt8(ascii: "#") }) {
      return DocumentNode(
        content: .mapping([]), location: start, excerpt: source.excerpt(line: start.line))
    }
    var failure: Failure?
    var document: YAML.Document?
    do throws(Failure) { document = try parse(range.map { Array(lines[$0]) }) } catch {
      failure = error
    }
    guard failure != nil || range.contains(where: { lines.hasWordLikeComment($0) }),
      let entries = entries(isBroken: failure != nil),
      failure != nil || entries.contains(where: hasHiddenText)
    else {
      if let failure { throw failure }
      return try finish(document, range.map { Array(lines[$0]) })
    }
    var suggested: [[UInt8]] = Array(repeating: [], count: range.count)
    for entry in entries {
      let entry = try suggestion(entry, everything: failure != nil)
      for (offset, line) in entry.lines.enumerated() {
        suggested[entry.line - range.lowerBound + offset] = line
      }
    }
    do throws(Failure) { return try finish(parse(suggested), suggested) } catch {
      var failure = error
      if let location = failure.location {
        failure.location = placed(location)
        failure.excerpt = source.excerpt(line: location.line)
      }
      failure.others = []
      throw failure
    }
  }

  /// Corrects or reports what can be read but is probably a mistake.
  private mutating func finish(
    _ document: YAML.Document?, _ content: [[UInt8]]
  ) throws(Failure) -> DocumentNode {
    var document = document
    var content = content
    var isMoved = false
    for problem in document?.problems ?? [] {
      guard case .item(let line, let column) = problem.kind else { continue }
      let bytes = content[line - 1 - range.lowerBound]
      let text = bytes.drop(while: FrontMatterEntry.isBlank)
      content[line - 1 - range.lowerBound] = Array(repeating: 0x20, count: column - 1) + text
      shifts[line, default: 0] += column - 1 - (bytes.count - text.count)
      warn(
        "this `- ` is read as the next item of the list, although it is indented further than the others",
        "indent it like the other items", line - 1, bytes.count - text.count)
      isMoved = true
    }
    if isMoved { document = try parse(content) }
    let node = try mapping(document?.node)
    for problem in document?.problems ?? [] {
      guard case .repeatedKey = problem.kind else { continue }
      var warning = problem.failure
      warning.message += ", and this one counts"
      if let location = warning.location {
        warning.location = placed(location)
        warning.excerpt = source.excerpt(line: location.line)
      }
      warnings.append(warning)
    }
    return shifts.isEmpty ? node : placed(node)
  }

  private func mapping(_ node: DocumentNode?) throws(Failure) -> DocumentNode {
    guard let node, case .mapping = node.content else {
      throw source.failure(
        "the front matter is not made of `key: value` lines",
        suggestion: "write it as `key: value` lines",
        at: SourceLocation(file: source.file, line: range.lowerBound + 1, column: 1))
    }
    return node
  }

  /// Reads lines that begin where the front matter begins.
  private func parse(_ content: [[UInt8]]) throws(Failure) -> YAML.Document {
    var text = [UInt8](repeating: 0x0A, count: range.lowerBound)
    for line in content { text += line + [0x0A] }
    return try YAML.read(text, file: source.file, limits: limits)
  }
}

// MARK: Members

extension FrontMatterRepair {
  /// The members at the top level; nil when the first line does not begin one.
  private mutating func entries(isBroken: Bool) -> [FrontMatterEntry]? {
    var entries: [FrontMatterEntry] = []
    var examples = ExampleLines(lines: lines, end: range.upperBound)
    let keys = isBroken ? Set(range.compactMap { key(atLine: $0) }) : []
    for line in range {
      let bytes = Array(lines[line])
      let isInExample = examples.contain(line)
      if !isInExample, FrontMatterEntry.keyLength(bytes[...]) != nil {
        entries.append(FrontMatterEntry(line: line, lines: [bytes]))
      } else if isBroken, !isInExample, let last = entries.last, last.hasPlainText,
        let indentation = misplacedKey(bytes, besides: keys)
      {
        warn(
          "`\(self.key(of: FrontMatterEntry(line: line, lines: [Array(bytes.dropFirst(indentation))])))`"
            + " is read as a key, although its line is indented below another",
          "start the line with it", line, indentation)
        shifts[line + 1] = -indentation
        entries.append(
          FrontMatterEntry(line: line, lines: [Array(bytes.dropFirst(indentation))]))
      } else if !entries.isEmpty {
        entries[entries.count - 1].lines.append(bytes)
      } else if !lines.isBlank(line), bytes.first != UInt8(ascii: "#") {
        return nil
      }
    }
    return entries
  }

  private func key(atLine line: Int) -> String? {
    FrontMatterEntry.keyLength(lines[line]).map {
      String(decoding: lines[line].prefix($0), as: UTF8.self)
    }
  }

  /// By how much a line is indented that begins with one of the usual keys and cannot go on with the
  /// text above it; nil for all others. Of a key that stands elsewhere the line is a text's.
  private func misplacedKey(_ line: [UInt8], besides keys: Set<String>) -> Int? {
    let text = line.drop(while: FrontMatterEntry.isBlank)
    let indentation = line.count - text.count
    guard indentation > 0, let length = FrontMatterEntry.keyLength(text) else { return nil }
    let key = String(decoding: text.prefix(length), as: UTF8.self)
    let after = text.dropFirst(length + 1).first
    let isSpaced = after.map(FrontMatterEntry.isBlank) ?? true
    return isSpaced && Self.usualKeys.contains(key) && !keys.contains(key) ? indentation : nil
  }

  /// The usual keys of agents, skills and prompts.
  private static let usualKeys: Set<String> = [
    "name", "description", "model", "tools", "color", "tags", "version", "author", "category",
    "temperature", "mode", "display_name", "agent_id", "capabilities", "permission",
  ]

  private func hasHiddenText(_ entry: FrontMatterEntry) -> Bool {
    entry.wordLikeComment != nil
      && entry.lines.dropFirst().allSatisfy { $0.allSatisfy(FrontMatterEntry.isBlank) }
  }

  /// The member as it can be read. Without `everything`, only what YAML would read and lose.
  private mutating func suggestion(
    _ entry: FrontMatterEntry, everything: Bool
  ) throws(Failure) -> FrontMatterEntry {
    guard everything, let problem = problem(of: entry) else {
      guard hasHiddenText(entry), let offset = entry.wordLikeComment else { return entry }
      warn(
        "what follows `#` is read as part of the text of `\(key(of: entry))`",
        "put the text in quotes, or a space after a `#` that begins a comment", entry.line, offset)
      return entry.quoted()
    }
    var spaced = entry
    if let tab = entry.firstTab {
      spaced = entry.withoutTabs
      for (offset, line) in entry.lines.enumerated() {
        shifts[entry.line + offset + 1, default: 0] += FrontMatterEntry.tabs(line).count
      }
      if self.problem(of: spaced) == nil {
        warn(
          "each tab in the indentation is read as two spaces", "indent with spaces",
          entry.line + tab.line, tab.column)
        return spaced
      }
    }
    if entry.lacksSpace {
      let apart = spaced.withSpace
      if self.problem(of: apart) == nil {
        warn(
          "`\(key(of: entry))` is read as a key, although no space follows its colon",
          "write a space after the colon", entry.line, entry.keyLength + 1)
        shifts[entry.line + 1, default: 0] += 1
        return apart
      }
    }
    if entry.isBlock {
      let indented = spaced.indented
      guard self.problem(of: indented) == nil else { return spaced }
      warn(
        "the lines below `\(key(of: entry))` are read as its text, although they are not indented",
        "indent them with spaces", entry.line, 0)
      return indented
    }
    let quoted = entry.quoted()
    guard !entry.value.isEmpty, !entry.hasMembers, self.problem(of: quoted) == nil else {
      return spaced
    }
    let isLong = entry.lines.dropFirst().contains { !$0.allSatisfy(FrontMatterEntry.isBlank) }
    warn(
      "the value of `\(key(of: entry))` is read as plain text"
        + (isLong ? ", with the lines below it" : " to the end of the line"),
      "put it in single quotes, or write `\(key(of: entry)): |` with the text indented below it",
      entry.line, entry.value.startIndex, because: problem)
    return quoted
  }

  /// What is wrong with a member by itself.
  private func problem(of entry: FrontMatterEntry) -> String? {
    let text = Array(entry.lines.joined(separator: [0x0A]))
    do throws(Failure) {
      let node = try YAML.read(text, file: source.file, limits: limits).node
      guard case .mapping(let entries) = node.content, entries.count == 1 else {
        return "no ':' follows the key"
      }
      return nil
    } catch {
      return error.message
    }
  }

  private func key(of entry: FrontMatterEntry) -> String {
    SourceText.printable(
      String(decoding: entry.lines[0].prefix(entry.keyLength), as: UTF8.self))
  }

  private mutating func warn(
    _ message: String, _ suggestion: String, _ line: Int, _ offset: Int,
    because problem: String? = nil
  ) {
    let before = lines[line].prefix(offset)
    let column = before.reduce(1) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
    warnings.append(
      source.failure(
        message, suggestion: suggestion,
        at: SourceLocation(file: source.file, line: line + 1, column: column),
        details: problem.map { ["as YAML: \($0)"] } ?? []))
  }
}

/// Descriptions have whole dialogues between `<example>` and `</example>`; what looks like a key in
/// there is a part of the description.
private struct ExampleLines {
  private var last: Int?
  private var isOpen = false
  private let lines: FrontMatterLines

  init(lines: FrontMatterLines, end: Int) {
    self.lines = lines
    last = (0..<end).last { Self.holds("</example>", lines[$0]) }
  }

  /// Asked for one line after the other.
  mutating func contain(_ line: Int) -> Bool {
    guard let last, line <= last else { return false }
    let wasOpen = isOpen
    if Self.holds("<example>", lines[line]) { isOpen = true }
    if Self.holds("</example>", lines[line]) { isOpen = false }
    return wasOpen
  }

  private static func holds(_ tag: String, _ line: ArraySlice<UInt8>) -> Bool {
    line.drop(while: FrontMatterEntry.isBlank).starts(with: tag.utf8)
      || line.lazy.filter { $0 != 0x20 }.suffix(tag.utf8.count).elementsEqual(tag.utf8)
  }
}

// MARK: Places

extension FrontMatterRepair {
  private func placed(_ location: SourceLocation) -> SourceLocation {
    guard let shift = shifts[location.line] else { return location }
    var location = location
    location.column = max(1, location.column - shift)
    return location
  }

  /// The tree with the places and lines of the file instead of those of the mended text.
  private func placed(_ node: DocumentNode) -> DocumentNode {
    var node = node
    node.location = placed(node.location)
    node.excerpt = source.excerpt(line: node.location.line)
    switch node.content {
    case .scalar: break
    case .sequence(let elements): node.content = .sequence(elements.map(placed))
    case .mapping(let entries):
      node.content = .mapping(
        entries.map {
          DocumentNode.Entry(
            key: $0.key, keyLocation: placed($0.keyLocation), value: placed($0.value))
        })
    }
    return node
  }
}

import RasaCore

/// The data about a tool's words that a search uses: the same kind of note as an agent's.
enum ToolTerms {
  static func note(_ tool: ToolIndex.Entry, _ reader: inout Tokenizer) -> [UInt8] {
    var collector = TermCollector(reader: reader)
    defer { reader = collector.reader }
    let (group, name) = parts(of: tool.name)
    collector.text(wordsOfName(name), .name)
    if let group { collector.text(wordsOfName(group), .surroundings) }
    collector.text(beginning(of: tool.text), .description)
    var texts: [String] = []
    describe(tool.parameters, depth: 0, into: &texts)
    for text in texts { collector.text(text, .parameters) }
    return TermVector.encode(collector.terms())
  }

  /// A tool as a single text, for embedding.
  static func text(of tool: ToolIndex.Entry) -> String {
    let (group, name) = parts(of: tool.name)
    func words(_ name: String) -> String {
      wordsOfName(name).utf8.split { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        .map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
    }
    return [words(name), group.map(words) ?? "", beginning(of: tool.text)].filter { !$0.isEmpty }
      .joined(separator: ". ")
  }

  /// `mcp:git/git_commit` is `git_commit` of `git`, `agent:code-reviewer` an agent.
  private static func parts(of name: String) -> (group: String?, name: String) {
    let bytes = name.utf8
    guard
      let slash = bytes.lastIndex(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") }),
      bytes.index(after: slash) < bytes.endIndex
    else { return (nil, name) }
    var group = name[..<slash]
    if group.hasPrefix("mcp:") { group = group.dropFirst(4) }
    return (String(group), String(name[bytes.index(after: slash)...]))
  }

  /// Capitals inside a name begin a word: `getStockPrice` is about stocks and prices.
  static func wordsOfName(_ name: String) -> String {
    let bytes = Array(name.utf8)
    func isUpper(_ byte: UInt8) -> Bool { byte >= 0x41 && byte <= 0x5A }
    func isLower(_ byte: UInt8) -> Bool { byte >= 0x61 && byte <= 0x7A }
    var words: [UInt8] = []
    for (index, byte) in bytes.enumerated() {
      if index > 0, isUpper(byte) {
        let beginsAfterLower = !isUpper(bytes[index - 1])
        let beginsBeforeLower = index + 1 < bytes.count && isLower(bytes[index + 1])
        if (beginsAfterLower || beginsBeforeLower) && bytes[index - 1] != UInt8(ascii: "_") {
          words.append(UInt8(ascii: "-"))
        }
      }
      words.append(byte)
    }
    return String(decoding: words, as: UTF8.self)
  }

  private static let longestText = 4_000
  private static let mostTexts = 200
  private static let mostValues = 32
  private static let deepest = 6

  /// A description states its purpose at the start.
  private static func beginning(of text: String) -> String {
    guard text.utf8.count > longestText else { return text }
    return String(decoding: text.utf8.prefix(longestText), as: UTF8.self)
  }

  /// The names, descriptions and possible values of a schema's properties.
  private static func describe(_ schema: Value, depth: Int, into texts: inout [String]) {
    guard depth < deepest, texts.count < mostTexts else { return }
    if depth > 0 {
      for key in ["title", "description"] {
        if let text = schema[key].string { texts.append(beginning(of: text)) }
      }
      for value in schema["enum"].array?.prefix(mostValues) ?? [] {
        if let text = value.string { texts.append(text) }
      }
    }
    for (name, property) in schema["properties"].object ?? [:] {
      guard texts.count < mostTexts else { return }
      texts.append(wordsOfName(name))
      describe(property, depth: depth + 1, into: &texts)
    }
    describe(schema["items"], depth: depth + 1, into: &texts)
  }
}

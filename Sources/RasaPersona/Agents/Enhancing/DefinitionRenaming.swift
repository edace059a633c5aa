package import RasaCore
package import RasaDocuments

/// Renames a definition by changing the one line with its name; everything else is kept byte for
/// byte.
package struct DefinitionRenaming {
  private var bytes: [UInt8]
  private let file: String
  /// Only lines of the front matter count.
  private let isMarkdown: Bool

  package init(_ document: SourceDocument) {
    bytes = document.bytes
    file = document.path
    isMarkdown = false
  }

  package init(bytes: [UInt8], node: DocumentNode?) {
    self.bytes = bytes
    file = node?.location.file ?? "the file"
    isMarkdown = false
  }

  package init(frontMatterOf document: SourceDocument) {
    bytes = document.bytes
    file = document.path
    isMarkdown = true
  }

  /// Replaces the value of a field at the start of a line.
  package func renamed(
    _ key: String, to name: String, inTOML: Bool = false
  ) throws(Failure) -> [UInt8] {
    guard let line = line(of: key, inTOML: inTOML) else {
      throw Failure(
        .configuration, "`\(key)` in \(file) is not on a line of its own",
        suggestion: "copy it without `--name`, and rename it by hand")
    }
    let text = inTOML ? "\(key) = \"\(name)\"" : "\(key): \(name)"
    var result = bytes
    result.replaceSubrange(line, with: Array(text.utf8))
    return result
  }

  /// Renames a Markdown agent in whichever field has its ID; if none does, by adding a line.
  package func renamed(_ agent: Agent, to id: String) throws(Failure) -> [UInt8] {
    let matter = try FrontMatter.read(bytes, file: file)
    for key in ["id", "agent_id"] where matter.node?[key] != nil {
      return try renamed(key, to: id)
    }
    // A display name remains one.
    if let name = matter.node?["name"]?.value.string, name == agent.id {
      return try renamed("name", to: id)
    }
    guard let opening = bytes.firstIndex(of: 0x0A), matter.node != nil else {
      return Array("---\nagent_id: \(id)\n---\n".utf8) + bytes
    }
    var result = bytes
    result.insert(contentsOf: Array("agent_id: \(id)\n".utf8), at: opening + 1)
    return result
  }

  /// Turns a field's line into a comment.
  package func commented(_ key: String) -> [UInt8] {
    guard let line = line(of: key, inTOML: false) else { return bytes }
    var result = bytes
    result.insert(contentsOf: Array("# ".utf8), at: line.lowerBound)
    return result
  }

  /// The line that starts with a key, without its line end; nil for a value over several lines.
  private func line(of key: String, inTOML: Bool) -> Range<Int>? {
    let mark = Array(key.utf8)
    var start = 0
    var rules = 0
    while start < bytes.count {
      var end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
      let next = end + 1
      if end > start, bytes[end - 1] == 0x0D { end -= 1 }
      let line = bytes[start..<end]
      if isMarkdown, line.elementsEqual("---".utf8) {
        rules += 1
        if rules == 2 { return nil }
      }
      let indent = inTOML ? line.prefix { $0 == 0x20 || $0 == 0x09 }.count : 0
      let words = line.dropFirst(indent)
      if words.starts(with: mark) {
        let rest = words.dropFirst(mark.count).drop { $0 == 0x20 || $0 == 0x09 }
        let value = rest.dropFirst().drop { $0 == 0x20 || $0 == 0x09 }
        let isField = rest.first == (inTOML ? UInt8(ascii: "=") : UInt8(ascii: ":"))
        let opensMore = [
          UInt8(ascii: "|"), UInt8(ascii: ">"), UInt8(ascii: "{"), UInt8(ascii: "["),
        ]
        if isField, let first = value.first, !opensMore.contains(first) {
          return (start + indent)..<end
        }
      }
      start = next
    }
    return nil
  }
}

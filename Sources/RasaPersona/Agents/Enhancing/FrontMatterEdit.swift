package import RasaCore
import RasaDocuments

/// Adds fields to a Markdown file's front matter, or adds front matter. Existing content is kept
/// byte for byte, including comments, order and unknown fields.
package enum FrontMatterEdit {
  /// The file's bytes with the fields added.
  ///
  /// - Parameter identity: the first lines of new front matter.
  package static func adding(
    _ proposals: [AgentProposal], to document: SourceDocument, identity: [AgentProposal]
  ) throws(Failure) -> [UInt8] {
    guard !proposals.isEmpty else { return document.bytes }
    let matter = try FrontMatter.read(document.bytes, file: document.path)
    if let failure = matter.failure { throw failure }
    let end = lineEnd(of: document.bytes)
    var bytes = document.bytes
    if let node = matter.node {
      let close = startOfLastLine(before: matter.bodyOffset, in: bytes)
      var lines: [String] = []
      var gaps: [(range: Range<Int>, lines: [String])] = []
      for proposal in proposals {
        let written = FrontMatterText.lines(proposal)
        if let gap = try gap(of: proposal.key, in: node, bytes, document.path) {
          gaps.append((gap, written))
        } else {
          lines += written
        }
      }
      bytes.insert(contentsOf: text(lines, end), at: close)
      for gap in gaps.sorted(by: { $0.range.lowerBound > $1.range.lowerBound }) {
        bytes.replaceSubrange(gap.range, with: text(gap.lines, end))
      }
    } else {
      let lines =
        ["---"] + (identity + proposals).flatMap { FrontMatterText.lines($0) } + ["---"]
      let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
      bytes.insert(contentsOf: text(lines, end), at: bytes.starts(with: mark) ? mark.count : 0)
    }
    try check(bytes, of: document, had: matter, proposals)
    return bytes
  }

  /// The proposals for fields that the front matter lacks: existing fields are left alone, even
  /// empty ones such as `tags: []`.
  package static func new(
    _ proposals: [AgentProposal], in document: SourceDocument
  ) throws(Failure) -> [AgentProposal] {
    let existing = try FrontMatter.read(document.bytes, file: document.path).node?.value.object
    return proposals.filter { (existing?[$0.key] ?? .null).isNull }
  }

  /// Existing fields must read as before, and new ones as intended.
  private static func check(
    _ bytes: [UInt8], of document: SourceDocument, had matter: FrontMatter,
    _ proposals: [AgentProposal]
  ) throws(Failure) {
    let now = try? FrontMatter.read(bytes, file: document.path)
    var expected = matter.node?.value.object ?? ValueObject()
    for proposal in proposals { expected[proposal.key] = proposal.value }
    let found = now?.node?.value.object ?? ValueObject()
    let isKept = expected.allSatisfy { found[$0.key] == $0.value }
    guard isKept, now?.body == matter.body else {
      throw Failure(
        .configuration, "fields cannot be added to front matter in this form",
        suggestion: "add the fields yourself",
        at: SourceLocation(file: document.path, line: 1, column: 1))
    }
  }

  /// The line of a key without a value; nil if the key is missing.
  private static func gap(
    of key: String, in node: DocumentNode, _ bytes: [UInt8], _ path: String
  ) throws(Failure) -> Range<Int>? {
    guard case .mapping(let entries) = node.content,
      let entry = entries.first(where: { $0.key == key })
    else { return nil }
    guard case .scalar(.null) = entry.value.content,
      let range = range(ofLine: entry.keyLocation.line, in: bytes)
    else {
      throw Failure(
        .configuration, "`\(key)` is already there", suggestion: "change it yourself",
        at: entry.keyLocation)
    }
    return range
  }

  private static func text(_ lines: [String], _ end: String) -> [UInt8] {
    lines.flatMap { Array($0.utf8) + Array(end.utf8) }
  }

  private static func lineEnd(of bytes: [UInt8]) -> String {
    guard let first = bytes.firstIndex(where: { $0 == 0x0A || $0 == 0x0D }) else { return "\n" }
    if bytes[first] == 0x0A { return "\n" }
    return first + 1 < bytes.count && bytes[first + 1] == 0x0A ? "\r\n" : "\r"
  }

  private static func startOfLastLine(before offset: Int, in bytes: [UInt8]) -> Int {
    var end = offset
    while end > 0, bytes[end - 1] == 0x0A || bytes[end - 1] == 0x0D { end -= 1 }
    while end > 0, bytes[end - 1] != 0x0A, bytes[end - 1] != 0x0D { end -= 1 }
    return end
  }

  /// A line, counted from 1, including its line end.
  private static func range(ofLine number: Int, in bytes: [UInt8]) -> Range<Int>? {
    var line = 1
    var start = 0
    for (index, byte) in bytes.enumerated() {
      let isCut = byte == 0x0D && index + 1 < bytes.count && bytes[index + 1] == 0x0A
      guard byte == 0x0A || byte == 0x0D, !isCut else { continue }
      if line == number { return start..<(index + 1) }
      line += 1
      start = index + 1
    }
    return nil
  }
}

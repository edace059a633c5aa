package import RasaCore

extension JSON {
  /// Reads one document with the place of every value, for files that people edit. Unlike
  /// `parse`, this refuses duplicate members.
  package static func document(
    _ bytes: [UInt8], file: String, limits: JSONLimits = JSONLimits()
  ) throws(Failure) -> DocumentNode {
    var builder = NodeBuilder(
      reader: try JSONReader(bytes, named: file, limits: limits),
      source: SourceText(bytes[...], file: file))
    let node = try builder.node()
    try builder.reader.finish()
    return node
  }
}

private struct NodeBuilder {
  var reader: JSONReader
  let source: SourceText

  mutating func node() throws(Failure) -> DocumentNode {
    // Asking for the kind moves to the value's first byte.
    let kind = try reader.kind()
    let location = source.location(ofByte: reader.position)
    let excerpt = source.excerpt(line: location.line)
    let content: DocumentNode.Content
    var rawText: String?
    switch kind {
    case .object: content = .mapping(try entries())
    case .array:
      var elements: [DocumentNode] = []
      if try reader.enterArray() {
        while try reader.nextElement() { elements.append(try node()) }
      }
      content = .sequence(elements)
    case .number:
      let start = reader.position
      content = .scalar(try reader.value())
      rawText = reader.text.text(in: start..<reader.position, isASCII: true)
    default: content = .scalar(try reader.value())
    }
    return DocumentNode(
      content: content, location: location, excerpt: excerpt, rawText: rawText)
  }

  private mutating func entries() throws(Failure) -> [DocumentNode.Entry] {
    var entries: [DocumentNode.Entry] = []
    var known: Set<String> = []
    guard try reader.enterObject() else { return entries }
    while let key = try reader.nextKey() {
      let location = source.location(ofByte: reader.lastString)
      guard known.insert(key).inserted else {
        throw source.failure(
          "the member \"\(key)\" is defined twice", suggestion: "remove one of the two",
          at: location)
      }
      entries.append(DocumentNode.Entry(key: key, keyLocation: location, value: try node()))
    }
    return entries
  }
}

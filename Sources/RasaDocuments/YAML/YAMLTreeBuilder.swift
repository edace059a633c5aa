import RasaCore

/// Builds a tree from libyaml's events, with an explicit stack, and enforces the limits as it reads.
struct YAMLTreeBuilder {
  /// A node with its size: the number of nodes in it, itself included, and the levels below it.
  private struct Branch {
    var node: DocumentNode
    var nodes: Int
    var height: Int
  }

  private enum Anchor {
    case open
    case complete(Branch)
  }

  /// A list or a mapping that has begun and not ended.
  private struct Frame {
    var isMapping: Bool
    var location: SourceLocation
    var excerpt: String
    var anchor: String?
    var nodes = 1
    var height = 1
    var elements: [DocumentNode] = []
    var entries: [DocumentNode.Entry] = []
    /// Where each key stands, and which entry it is.
    var keys: [String: (location: SourceLocation, entry: Int)] = [:]
    var key: (text: String, location: SourceLocation)?
  }

  private let source: SourceText
  private let limits: DocumentLimits
  private let escapes: SurrogateEscapes?
  private(set) var problems: [YAML.Problem] = []
  private var stack: [Frame] = []
  private var anchors: [String: Anchor] = [:]
  private var root: DocumentNode?
  private var nodes = 0
  private var aliasNodes = 0
  private var excerpt = (line: 0, text: "")

  init(source: SourceText, limits: DocumentLimits, escapes: SurrogateEscapes? = nil) {
    self.source = source
    self.limits = limits
    self.escapes = escapes
  }

  mutating func build(_ text: ArraySlice<UInt8>) throws(Failure) -> DocumentNode {
    do {
      return try tree(of: text)
    } catch let problem as YAMLProblem {
      throw problem.failure(in: source)
    } catch let failure as Failure {
      throw failure
    } catch {
      throw Failure(.configuration, "the YAML could not be read")
    }
  }

  private mutating func tree(of text: ArraySlice<UInt8>) throws -> DocumentNode {
    let clock = ContinuousClock()
    let deadline = clock.now + limits.time
    var reader = try YAMLEventReader(text)
    var events = 0
    var documents = 0
    while true {
      let event = try reader.next()
      if events % 256 == 0, clock.now > deadline {
        throw source.failure(
          "the file takes too long to read", suggestion: "make it smaller and simpler",
          at: source.location(ofScalar: event.start))
      }
      events += 1
      switch event.kind {
      case .streamEnd: return try finish()
      case .documentStart:
        documents += 1
        if documents > 1 {
          throw source.failure(
            "a second document begins here", suggestion: "keep one document per file",
            at: source.location(ofScalar: event.start))
        }
      case .streamStart, .documentEnd: break
      default: try add(event)
      }
    }
  }

  private func finish() throws(Failure) -> DocumentNode {
    guard let root, root.rawText != "" || !root.value.isNull else {
      throw Failure(
        .configuration, "the file is empty", suggestion: "write the document, or remove the file",
        at: SourceLocation(file: source.file, line: 1, column: 1))
    }
    return root
  }
}

// MARK: Events

extension YAMLTreeBuilder {
  private mutating func add(_ event: YAMLEvent) throws(Failure) {
    let location = source.location(ofScalar: event.start)
    switch event.kind {
    case .alias(let name): try add(alias: name, at: location)
    case .scalar(let text, let isPlain):
      let text = try checked(text, isPlain: isPlain, at: location)
      if isPlain { checkItems(in: text, event, at: location) }
      let value = try resolve(text, isPlain: isPlain, tag: event.tag, at: location)
      let node = DocumentNode(
        content: .scalar(value), location: location, excerpt: excerpt(at: location), rawText: text)
      try count(1, at: location)
      try add(Branch(node: node, nodes: 1, height: 0), anchor: event.anchor)
    case .sequenceStart: try open(event, isMapping: false, at: location)
    case .mappingStart: try open(event, isMapping: true, at: location)
    case .sequenceEnd, .mappingEnd: try close()
    case .streamStart, .streamEnd, .documentStart, .documentEnd: break
    }
  }

  private mutating func open(
    _ event: YAMLEvent, isMapping: Bool, at location: SourceLocation
  ) throws(Failure) {
    if let frame = stack.last, frame.isMapping, frame.key == nil {
      throw source.failure(
        "a key must be text, not a list or a mapping",
        suggestion: "quote the text if it is meant to "
          + "begin with '{' or '['", at: location)
    }
    let expected = isMapping ? YAMLTag.map : YAMLTag.seq
    if let tag = event.tag, tag != expected { throw refusal(ofTag: tag, at: location) }
    try checkDepth(stack.count + 1, at: location)
    try count(1, at: location)
    if let anchor = event.anchor { anchors[anchor] = .open }
    stack.append(
      Frame(
        isMapping: isMapping, location: location, excerpt: excerpt(at: location),
        anchor: event.anchor))
  }

  private mutating func close() throws(Failure) {
    guard let frame = stack.popLast() else { return }
    let node = DocumentNode(
      content: frame.isMapping ? .mapping(frame.entries) : .sequence(frame.elements),
      location: frame.location, excerpt: frame.excerpt)
    try add(Branch(node: node, nodes: frame.nodes, height: frame.height), anchor: frame.anchor)
  }

  private mutating func add(alias name: String, at location: SourceLocation) throws(Failure) {
    switch anchors[name] {
    case nil:
      throw source.failure(
        "the alias '*\(name)' has no anchor '&\(name)' before it",
        suggestion: "put '&\(name)' before the value, or quote the text", at: location)
    case .open:
      throw source.failure(
        "the alias '*\(name)' is inside the value that it repeats",
        suggestion: "write the value out",
        at: location)
    case .complete(let branch):
      aliasNodes += branch.nodes
      if aliasNodes > limits.aliasNodes {
        throw source.failure(
          "aliases repeat more than \(limits.aliasNodes) values", suggestion: "write fewer aliases",
          at: location)
      }
      try count(branch.nodes, at: location)
      try checkDepth(stack.count + branch.height, at: location)
      var repeated = branch
      if isKeyDue { repeated.node.location = location }
      try add(repeated, anchor: nil)
    }
  }

  private var isKeyDue: Bool { stack.last.map { $0.isMapping && $0.key == nil } ?? false }

  /// Puts a complete node where it belongs: under the open list or mapping, or at the root.
  private mutating func add(_ branch: Branch, anchor: String?) throws(Failure) {
    if let anchor { anchors[anchor] = .complete(branch) }
    guard let top = stack.indices.last else {
      root = branch.node
      return
    }
    stack[top].nodes += branch.nodes
    stack[top].height = max(stack[top].height, branch.height + 1)
    if !stack[top].isMapping {
      stack[top].elements.append(branch.node)
    } else if let key = stack[top].key {
      stack[top].key = nil
      let entry = DocumentNode.Entry(
        key: key.text, keyLocation: key.location, value: branch.node)
      // Of a duplicate key the last value counts.
      if let place = stack[top].keys[key.text]?.entry, place < stack[top].entries.count {
        stack[top].entries[place] = entry
      } else {
        stack[top].entries.append(entry)
      }
    } else {
      stack[top].key = try key(branch.node, in: top)
    }
  }

  private mutating func key(
    _ node: DocumentNode, in top: Int
  ) throws(Failure) -> (text: String, location: SourceLocation) {
    guard let text = node.rawText else {
      throw source.failure(
        "a key must be text, not an alias of a list or a mapping",
        suggestion: "write the key as text",
        at: node.location)
    }
    if let first = stack[top].keys[text]?.location {
      stack[top].keys[text]?.location = node.location
      report(
        .repeatedKey,
        source.failure(
          "the key '\(SourceText.printable(text))' is defined twice",
          suggestion: "keep one of the two", at: node.location,
          details: ["the first is at \(first)"]))
    } else {
      stack[top].keys[text] = (node.location, stack[top].entries.count)
    }
    return (text, node.location)
  }
}

// MARK: Likely mistakes

extension YAMLTreeBuilder {
  private static let mostProblems = 100

  private mutating func report(_ kind: YAML.Problem.Kind, _ failure: Failure) {
    guard problems.count < Self.mostProblems else { return }
    problems.append(YAML.Problem(kind: kind, failure: failure))
  }

  /// A scalar's text as the author meant it.
  private func checked(
    _ text: String, isPlain: Bool, at location: SourceLocation
  ) throws(Failure) -> String {
    if !isPlain, text.utf8.contains(0) {
      throw source.failure(
        "this text contains a NUL character", suggestion: "remove the `\\0`",
        at: location)
    }
    guard let escapes else { return text }
    do throws(SurrogateEscapes.LoneHalf) {
      return try escapes.restored(text)
    } catch {
      throw source.failure(
        "an escape in this text is half of a character",
        suggestion: "write both halves, as in \\ud83d\\ude42, or the character itself", at: location
      )
    }
  }

  /// `- b` in the line below `- a`, but further in, is by the rules a part of the text `a - b`.
  private mutating func checkItems(
    in text: String, _ event: YAMLEvent, at location: SourceLocation
  ) {
    guard let frame = stack.last, !frame.isMapping, text.hasBytes(" - ") else { return }
    let last = source.location(ofScalar: event.end).line
    guard last > location.line else { return }
    let first = source.excerpt(line: location.line).unicodeScalars
    let listColumn = first.prefix { $0 == " " }.count + 1
    guard first.dropFirst(listColumn - 1).first == "-" else { return }
    for line in location.line + 1...last {
      let scalars = source.excerpt(line: line).unicodeScalars
      let indentation = scalars.prefix { $0 == " " }.count
      guard scalars.dropFirst(indentation).starts(with: "- ".unicodeScalars) else { continue }
      report(
        .item(line: line, listColumn: listColumn),
        source.failure(
          "this `- ` is indented further than the item above, so it is part of that item's text",
          suggestion: "indent it like the other items, or put the text in quotes",
          at: SourceLocation(file: source.file, line: line, column: indentation + 1)))
    }
  }
}

// MARK: Scalars and limits

extension YAMLTreeBuilder {
  private func resolve(
    _ text: String, isPlain: Bool, tag: String?, at location: SourceLocation
  ) throws(Failure) -> Value {
    guard let tag else { return isPlain ? CoreSchema.value(of: text) : .string(text) }
    if tag == YAMLTag.str { return .string(text) }
    let value = CoreSchema.value(of: text)
    switch (tag, value) {
    case (YAMLTag.null, .null), (YAMLTag.bool, .bool), (YAMLTag.int, .int),
      (YAMLTag.float, .double):
      return value
    case (YAMLTag.float, .int(let number)): return .double(Double(number))
    case (YAMLTag.null, _), (YAMLTag.bool, _), (YAMLTag.int, _), (YAMLTag.float, _):
      throw source.failure(
        "the value does not match its tag '!!\(tag.dropFirst(YAMLTag.prefix.count))'",
        suggestion: "correct the value or remove the tag", at: location)
    default: throw refusal(ofTag: tag, at: location)
    }
  }

  private func refusal(ofTag tag: String, at location: SourceLocation) -> Failure {
    let isStandard = tag.hasPrefix(YAMLTag.prefix)
    let shown = isStandard ? "!!\(tag.dropFirst(YAMLTag.prefix.count))" : tag
    return source.failure(
      "the tag '\(shown)' is not supported", suggestion: "remove the tag", at: location)
  }

  private mutating func count(_ added: Int, at location: SourceLocation) throws(Failure) {
    nodes += added
    if nodes > limits.nodes {
      throw source.failure(
        "the file has more than \(limits.nodes) values", suggestion: "split it", at: location)
    }
  }

  private func checkDepth(_ depth: Int, at location: SourceLocation) throws(Failure) {
    if depth > limits.depth {
      throw source.failure(
        "the file is nested deeper than \(limits.depth) levels", suggestion: "make it flatter",
        at: location)
    }
  }

  private mutating func excerpt(at location: SourceLocation) -> String {
    if excerpt.line != location.line {
      excerpt = (location.line, source.excerpt(line: location.line))
    }
    return excerpt.text
  }
}

private enum YAMLTag {
  static let prefix = "tag:yaml.org,2002:"
  static let null = "tag:yaml.org,2002:null"
  static let bool = "tag:yaml.org,2002:bool"
  static let int = "tag:yaml.org,2002:int"
  static let float = "tag:yaml.org,2002:float"
  static let str = "tag:yaml.org,2002:str"
  static let seq = "tag:yaml.org,2002:seq"
  static let map = "tag:yaml.org,2002:map"
}

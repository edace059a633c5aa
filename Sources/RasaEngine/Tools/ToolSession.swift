import RasaCore
import RasaDocuments
import RasaPersona

/// The tools of an operator while its model works: what it is offered, what it has found and used, how much of its
/// limits is left. All of it follows from the journal.
struct ToolSession: Sendable {
  static let searchName = "search_tools"
  static let readName = "read_result"
  private static let mostHits = 8
  /// A token of a schema is rarely shorter than this.
  private static let bytesOfToken = 3

  let limits: ToolLimits
  /// Tokens of definitions that are sent.
  private let mostDefinitions: Int
  let tools: [ToolDescription]
  private let names: WireNames
  private let places: [String: Int]
  private let sizes: [Int]
  /// Whether there are too many to be sent.
  let isSearched: Bool
  /// Places of what was found, the latest last.
  private var found: [Int] = []
  /// All results by the call's number: which of them the model sees in part is known once it is asked.
  private var results: [String: String] = [:]
  /// Whether one was longer than may be shown at once.
  private var hasLongResult = false
  /// The tools that the skills that were loaded leave, each by its patterns.
  private var narrowings: [(skill: String, list: AgentNarrowing.List)] = []
  private(set) var calls = 0
  private(set) var bytes = 0

  /// - Parameter window: the tokens of the model's window; nil where nobody knows.
  init(_ tools: [ToolDescription], _ limits: ToolLimits, window: Int64? = nil) {
    self.tools = tools
    self.limits = limits
    mostDefinitions = limits.mostDefinitions(in: window)
    names = WireNames(tools.map(\.name), taken: [Self.searchName, Self.readName])
    places = Dictionary(tools.enumerated().map { ($1.name, $0) }) { first, _ in first }
    let names = names
    sizes = tools.map { Self.size(of: $0, named: names.name(of: $0.name)) }
    isSearched = sizes.reduce(0, +) > mostDefinitions
  }

  private static func size(of tool: ToolDescription, named name: String) -> Int {
    let bytes = tool.text.utf8.count + tool.parameters.json().utf8.count + name.utf8.count
    return bytes / bytesOfToken + 16
  }

  /// Whether the window of the model decides what is sent of these.
  static func dependsOnWindow(_ tools: [ToolDescription], _ limits: ToolLimits) -> Bool {
    guard limits.definitions == nil else { return false }
    return tools.reduce(0) { $0 + size(of: $1, named: $1.name) } > ToolLimits.smallestShare
  }

  // MARK: Definitions

  /// What the model may call now.
  var definitions: [ToolDefinition] {
    var definitions: [ToolDefinition] = []
    if isSearched {
      definitions.append(search)
      definitions += found.sorted().map { definition(of: $0) }
    } else {
      definitions = tools.indices.map { definition(of: $0) }
    }
    if hasLongResult { definitions.append(Self.read) }
    return definitions
  }

  private func definition(of place: Int) -> ToolDefinition {
    let tool = tools[place]
    var parameters = tool.parameters.object ?? ValueObject()
    // Every provider wants this much of a schema.
    parameters["type"] = "object"
    if parameters["properties"]?.object == nil { parameters["properties"] = .emptyObject }
    var definition = ToolDefinition(
      name: names.name(of: tool.name), description: tool.text, parameters: .object(parameters))
    definition.isReadOnly = tool.sideEffects == .none
    return definition
  }

  private var search: ToolDefinition {
    // Where they come from gives a model an idea of what to look for.
    var groups: [(name: String, count: Int)] = []
    for tool in tools {
      let name = tool.name.split(separator: "/").first.map(String.init) ?? tool.name
      let isGroup = tool.name.utf8.contains(UInt8(ascii: "/"))
      if let place = groups.firstIndex(where: { $0.name == name }), isGroup {
        groups[place].count += 1
      } else {
        groups.append((name, 1))
      }
    }
    let most = 24
    var list = groups.prefix(most).map { $0.count == 1 ? $0.name : "\($0.name) (\($0.count))" }
    if groups.count > most { list.append("and others") }
    return ToolDefinition(
      name: Self.searchName,
      description:
        "Searches the \(tools.count) tools that you can use and gives you those that fit; you can call "
        + "them from then on. They are from: \(list.joined(separator: ", ")).",
      parameters: Self.searchParameters)
  }

  static let searchParameters: Value = [
    "type": "object",
    "properties": [
      "query": ["type": "string", "description": "What the tool is to do, in a few words."]
    ], "required": ["query"],
  ]

  static let read = ToolDefinition(
    name: readName,
    description:
      "Reads on in a result that you were shown only in part: from an offset in bytes, or where it "
      + "contains a text.",
    parameters: [
      "type": "object",
      "properties": [
        "call": ["type": "string", "description": "The number of the call, as its note says."],
        "offset": ["type": "integer", "minimum": 0],
        "search": ["type": "string", "description": "A text to find, instead of an offset."],
      ], "required": ["call"],
    ])

  /// The tool that a model means, whether it was offered just now or not.
  func tool(named name: String) -> ToolDescription? {
    let tool = names.tool(named: name) ?? name
    return places[tool].map { tools[$0] }
  }

  /// What to tell a model that calls something else.
  func unknown(_ name: String) -> ToolResult {
    let known = definitions.map(\.name)
    let nearest = nearestName(to: name, among: known).map { " Did you mean `\($0)`?" } ?? ""
    let most = 30
    let list = known.prefix(most).map { "`\($0)`" }.joined(separator: ", ")
    return ToolResult(
      [.text("There is no tool `\(name)`.\(nearest) You can call: \(list).")], isError: true)
  }

  // MARK: Skills

  /// A skill that was loaded may leave only some of the tools from then on.
  mutating func take(skill result: ToolResult) {
    guard !result.isError, let patterns = result.structured?["allowed_tools"].array else { return }
    let skill = result.structured?["skill"].string ?? ""
    narrowings.append(
      (skill, AgentNarrowing.List(patterns.compactMap(\.string), place: "`allowed-tools`")))
  }

  /// Why a tool may not be used any more; nil while it may. Skills can be read on in any case.
  func refusal(of tool: ToolDescription) -> ToolResult? {
    if tool.origin == .skill, tool.sideEffects == .none { return nil }
    guard let first = narrowings.first(where: { !$0.list.allows(tool.name) }) else { return nil }
    return ToolResult(
      [.text("The skill `\(first.skill)` that you loaded does not allow `\(tool.name)`.")],
      isError: true)
  }

  // MARK: Searching

  /// What a search gives: as many as fit into the limit of definitions.
  func hits(_ query: String, by source: any ToolSource) -> ToolResult {
    var room = mostDefinitions - searchSize
    var hits: [Int] = []
    for place in source.search(query, among: tools, limit: Self.mostHits)
    where tools.indices.contains(place) && !hits.contains(place) {
      room -= sizes[place]
      if room < 0, !hits.isEmpty { break }
      hits.append(place)
    }
    guard !hits.isEmpty else {
      return ToolResult(
        [.text("No tool fits these words. Try others.")], structured: ["found": []])
    }
    let lines = hits.map { place in
      "- \(names.name(of: tools[place].name)): \(tools[place].text.opening(160))"
    }
    return ToolResult(
      [.text("You can call these now:\n" + lines.joined(separator: "\n"))],
      structured: ["found": .array(hits.map { .string(tools[$0].name) })])
  }

  private var searchSize: Int {
    (search.description.utf8.count + search.parameters.json().utf8.count) / Self.bytesOfToken + 16
  }

  /// Makes callable what a search has found; what was found first goes where there is no room.
  mutating func take(hits result: ToolResult) {
    for name in (result.structured?["found"].array ?? []).compactMap(\.string) {
      guard let place = places[name] else { continue }
      found.removeAll { $0 == place }
      found.append(place)
    }
    var room = mostDefinitions - searchSize - found.reduce(0) { $0 + sizes[$1] }
    while room < 0, found.count > 1 {
      room += sizes[found.removeFirst()]
    }
  }

  // MARK: Limits

  /// How many of so many calls may still be made.
  mutating func takeCalls(_ count: Int) -> Int {
    let allowed = min(count, max(0, limits.calls - calls))
    calls += allowed
    return allowed
  }

  /// Why the model gets no tools any more after this round; nil while it does.
  func bound(after round: Int) -> ToolBound? {
    if round >= limits.rounds { return ToolBound(name: "rounds", most: limits.rounds) }
    if calls >= limits.calls { return ToolBound(name: "calls", most: limits.calls) }
    if bytes >= limits.bytes { return ToolBound(name: "bytes", most: limits.bytes) }
    return nil
  }

  // MARK: Results

  /// The message that tells the model of a result.
  mutating func message(
    _ result: ToolResult, of call: ToolCall, number: String
  ) -> ChatMessage {
    var text = result.text
    if text.isBlank, let structured = result.structured {
      text = structured.json(.compact, escaping: .onlyNeeded)
    }
    let attachments = result.content.compactMap { content -> Attachment? in
      if case .attachment(let attachment) = content { attachment } else { nil }
    }
    if text.isBlank { text = attachments.isEmpty ? "(no result)" : "(see what is attached)" }
    let room = max(1_024, min(limits.result, limits.bytes - bytes))
    results[number] = text
    if text.utf8.count > room {
      hasLongResult = true
      let shown = text.bytes(from: 0, count: room)
      text =
        "\(shown)\n[This is the beginning: \(shown.utf8.count) of \(text.utf8.count) bytes. "
        + "`\(Self.readName)` with call \"\(number)\" reads on, from an offset or where it contains a "
        + "text.]"
    }
    bytes += text.utf8.count
    var message = ChatMessage(.tool, text, toolCallID: call.id, attachments: attachments)
    message.isError = result.isError
    message.resultNumber = number
    return message
  }

  /// A part of a result that was shown only in part.
  func read(_ arguments: Value) -> ToolResult {
    let call = arguments["call"].promptText
    guard let text = results[call] else {
      let known = results.keys.sorted().map { "`\($0)`" }.joined(separator: ", ")
      return ToolResult(
        [.text("There is no result of a call `\(call)`; there are: \(known).")],
        isError: true)
    }
    let size = text.utf8.count
    let room = max(1_024, limits.result * 3 / 4)
    if let words = arguments["search"].string, !words.isEmpty {
      return ToolResult([.text(text.passages(with: words, room: room))])
    }
    // Nobody checks what a model writes there but this.
    let offset = Int(clamping: max(0, arguments["offset"].int ?? 0))
    guard offset < size else {
      return ToolResult([.text("The result has only \(size) bytes.")], isError: true)
    }
    let shown = text.bytes(from: offset, count: room)
    let end = offset + shown.utf8.count
    return ToolResult([
      .text(
        "\(shown)\n[bytes \(offset)–\(end) of \(size)"
          + (end < size ? "; go on with offset \(end)]" : "; this is its end]"))
    ])
  }
}

/// A limit that a model has reached with its tools.
struct ToolBound: Sendable, Hashable {
  var name: String
  var most: Int
}

extension String {
  /// About so many bytes from there on, characters whole.
  fileprivate func bytes(from offset: Int, count: Int) -> String {
    let bytes = utf8
    guard
      var start = bytes.index(bytes.startIndex, offsetBy: offset, limitedBy: bytes.endIndex)
    else { return "" }
    func isInside(_ index: Index) -> Bool { index < bytes.endIndex && bytes[index] & 0xC0 == 0x80 }
    while isInside(start) { start = bytes.index(after: start) }
    var end = bytes.index(start, offsetBy: count, limitedBy: bytes.endIndex) ?? bytes.endIndex
    while end > start, isInside(end) { end = bytes.index(before: end) }
    return String(self[start..<end])
  }

  /// Where a text is found, with what stands around it.
  fileprivate func passages(with words: String, room: Int) -> String {
    let bytes = Array(utf8)
    let wanted = Array(words.utf8.map(\.lowered))
    var offsets: [Int] = []
    var position = 0
    while position + wanted.count <= bytes.count {
      if bytes[position].lowered == wanted[0],
        wanted.indices.allSatisfy({ bytes[position + $0].lowered == wanted[$0] })
      {
        offsets.append(position)
        position += wanted.count
      } else {
        position += 1
      }
    }
    guard !offsets.isEmpty else { return "It does not contain `\(words)`." }
    let around = 240
    var parts: [String] = []
    var used = 0
    var shownTo = -1
    for offset in offsets where offset > shownTo {
      let start = max(0, offset - around)
      let part = self.bytes(from: start, count: offset - start + wanted.count + around)
      guard used + part.utf8.count <= room || parts.isEmpty else { break }
      parts.append("[at byte \(start)]\n\(part)")
      used += part.utf8.count
      shownTo = start + part.utf8.count
    }
    let count = offsets.count == 1 ? "It is there once" : "It is there \(offsets.count) times"
    let rest = shownTo < (offsets.last ?? 0) ? "; the first passages" : ""
    return "\(count)\(rest):\n" + parts.joined(separator: "\n…\n")
  }
}

extension UInt8 {
  fileprivate var lowered: UInt8 { self >= 0x41 && self <= 0x5A ? self | 0x20 : self }
}

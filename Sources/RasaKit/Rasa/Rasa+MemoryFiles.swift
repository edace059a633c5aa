import RasaCore
import RasaDocuments
import RasaEngine
import RasaPersona
import RasaStore

/// What is remembered, as a file: JSON Lines with a head, a line for each memory, and an end by which a file that was
/// cut off is known.
extension Rasa {
  /// How much an import brought.
  public struct MemoryImport: Sendable, Hashable, Codable {
    /// Memories that are new here.
    public var added: Int
    /// Memories that were known already.
    public var known: Int
    /// Whether the file ended before its own end, or a line of it could not be read, and only what is before that was
    /// imported.
    public var isPartial: Bool
  }

  /// The largest export that is imported, in bytes.
  public static let largestMemoryFile = 256 << 20

  /// Writes everything that is remembered as JSON Lines, the newest first.
  ///
  /// - Parameters:
  ///   - user: Only of this user; nil for everybody.
  ///   - persona: Only what this persona kept; nil for all.
  ///   - kinds: Turns, notes or facts.
  ///   - write: Takes some lines at a time.
  /// - Returns: How many memories were written.
  @discardableResult
  public func exportMemories(
    user: String? = nil, persona: String? = nil,
    kinds: Set<Memory.Kind> = Set(Memory.Kind.allCases),
    to write: (String) throws -> Void
  ) async throws -> Int {
    let head: Value = [
      "rasa_memory": 1, "exported_at_ms": .int(composition.time.now().milliseconds),
    ]
    try write(head.json(.compact) + "\n")
    var count = 0
    var before: Int64?
    while true {
      let page = try await memories(
        persona: persona, user: user, kinds: kinds, includingPast: true, before: before, limit: 500)
      guard let last = page.last else { break }
      try write(page.map { $0.json.description + "\n" }.joined())
      count += page.count
      before = last.id
    }
    try write((["end": true, "memories": .int(Int64(count))] as Value).json(.compact) + "\n")
    return count
  }

  /// Adds what an export has. Facts supersede each other as if they had been added here; what is known stays as it is.
  ///
  /// Nothing is imported unless every line can be read.
  ///
  /// - Parameters:
  ///   - text: The export.
  ///   - file: What errors call it.
  ///   - user: Whose memories they become; nil for those whose they were.
  ///   - takingPart: Whether what stands before the first line that cannot be read is imported all the same.
  /// - Throws: A `RasaError` of code `configuration` with line and column.
  public func importMemories(
    _ text: [UInt8], file: String = "the export", user: String? = nil, takingPart: Bool = false
  ) async throws(RasaError) -> MemoryImport {
    try await redacted {
      var reading = MemoryFileReading(file: file, user: user)
      var problem: Failure?
      do throws(Failure) { try reading.read(text) } catch { problem = error }
      if let problem, !takingPart || !reading.hasHead { throw problem }
      // The file has the newest first, and conversations go the other way.
      let imported = try await store.importItems(reading.items.reversed())
      return MemoryImport(
        added: imported.added, known: imported.known, isPartial: problem != nil)
    }
  }
}

extension Rasa.Memory {
  /// The memory as `rasa memory list --json` prints it.
  public var json: Rasa.JSON {
    func word(_ value: String?) -> Value { value.map { .string($0) } ?? .null }
    func moment(_ value: Int64?) -> Value { value.map { .int($0) } ?? .null }
    var value: ValueObject = [
      "id": .int(id), "kind": .string(kind.rawValue), "scope": .string(scope.rawValue),
      "persona": .string(persona), "user": .string(user), "session": word(session),
      "text": .string(text), "source_run": .string(run), "trust": .string(source),
      "at_ms": .int(time),
    ]
    switch kind {
    case .turn: value["speaker"] = word(speaker)
    case .note: break
    case .fact:
      value["fact_kind"] = word(factKind)
      value["since_at_ms"] = moment(since)
      value["until_at_ms"] = moment(until)
      value["expires_at_ms"] = moment(expires)
      value["superseded_by"] = moment(supersededBy)
    }
    return Rasa.JSON(.object(value))
  }
}

/// An export while it is read.
private struct MemoryFileReading {
  let file: String
  /// Whose the memories become.
  let user: String?
  private(set) var items: [MemoryItem] = []
  private(set) var hasHead = false

  init(file: String, user: String?) {
    self.file = file
    self.user = user
  }

  mutating func read(_ bytes: [UInt8]) throws(Failure) {
    var rest = bytes[...]
    var number = 0
    var hasEnd = false
    while !rest.isEmpty {
      let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
      let line = rest[..<end]
      rest = rest[min(end + 1, rest.endIndex)...]
      number += 1
      if line.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") }) { continue }
      guard !hasEnd else { throw broken(number, "there is something after the end of the export") }
      let value = try parsed(line, number)
      if !hasHead {
        guard value["rasa_memory"].int == 1 else {
          throw broken(
            number, "this is no export of memories of a version that is known here",
            suggestion: "`rasa memory export` writes one")
        }
        hasHead = true
      } else if value["end"] == true {
        guard value["memories"].int == Int64(items.count) else {
          throw broken(number, "memories are missing in the file: it has \(items.count)")
        }
        hasEnd = true
      } else {
        items.append(try item(value, number))
      }
    }
    guard hasEnd else {
      throw broken(
        number + 1,
        hasHead ? "the export was cut off here" : "the file is empty, and no export of memories",
        suggestion: hasHead ? Self.partly : "")
    }
  }

  private func parsed(_ line: ArraySlice<UInt8>, _ number: Int) throws(Failure) -> Value {
    do {
      return try JSON.parse(line, named: file)
    } catch {
      var failure = error
      failure.location?.line = number
      if failure.suggestion.isEmpty { failure.suggestion = Self.partly }
      throw failure
    }
  }

  private func item(_ value: Value, _ number: Int) throws(Failure) -> MemoryItem {
    func word(_ name: String) throws(Failure) -> String {
      guard let text = value[name].string, !text.isEmpty else {
        throw broken(number, "`\(name)` is missing, or is no text")
      }
      return text
    }
    func moment(_ name: String) throws(Failure) -> Timestamp? {
      if value[name].isNull { return nil }
      guard let milliseconds = value[name].int else {
        throw broken(number, "`\(name)` is no time in whole milliseconds")
      }
      return Timestamp(milliseconds: milliseconds)
    }
    func choice<Choice: RawRepresentable & CaseIterable>(
      _ name: String, _ type: Choice.Type
    ) throws(Failure) -> Choice where Choice.RawValue == String {
      let text = try word(name)
      guard let choice = Choice(rawValue: text) else {
        throw broken(
          number,
          "`\(name)` is \(quoted(text)), and not \(listed(Choice.allCases.map(\.rawValue), "or"))")
      }
      return choice
    }
    let kind = try choice("kind", MemoryItem.Kind.self)
    guard let time = try moment("at_ms") else { throw broken(number, "`at_ms` is missing") }
    var fact: FactDetails?
    if kind == .fact {
      fact = FactDetails(
        kind: value["fact_kind"].string ?? "fact", validFrom: try moment("since_at_ms"),
        until: try moment("until_at_ms"), expires: try moment("expires_at_ms"),
        supersededBy: value["superseded_by"].int)
    }
    let session = value["session"].string
    if kind != .fact, session == nil {
      throw broken(number, "`session` is missing, and every \(kind.rawValue) belongs to one")
    }
    let owner: String
    if let user { owner = user } else { owner = try word("user") }
    return MemoryItem(
      id: value["id"].int ?? 0, kind: kind, scope: try choice("scope", MemoryScope.self),
      user: owner, persona: try word("persona"), session: session,
      speaker: value["speaker"].string, text: try word("text"),
      run: Identifier(try word("source_run")), time: time,
      trust: try choice("trust", MemoryTrust.self), fact: fact)
  }

  private static let partly = "`--partial` imports what is before that"

  private func broken(
    _ line: Int, _ message: String, suggestion: String = MemoryFileReading.partly
  ) -> Failure {
    Failure(
      .configuration, message, suggestion: suggestion,
      at: SourceLocation(file: file, line: line, column: 1))
  }
}

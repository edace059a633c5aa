import RasaCore
import RasaDocuments
import RasaPersona
import RasaSystem

/// Reads single files, from anywhere.
struct AgentReading: Sendable {
  let engines: Set<String>
  let note: @Sendable (Agent, _ prompt: String) -> [UInt8]
  let lookup: PromptLookup
  /// When the scan started: files changed around that time may change again without a new stamp.
  let began: Int64

  func read(_ file: AgentFile) -> AgentRecord {
    var record = AgentRecord(file)
    do throws(Failure) {
      let documents = try documents(file, &record)
      if documents.config == nil, let document = documents.prompt {
        try readAlone(document, documents, &record)
      } else {
        take(AgentLoader.load(documents, engines: engines), into: &record)
      }
    } catch {
      record.failures.append(error)
    }
    record.isFresh =
      !file.isShipped
      && (file.stamp.mayHide(changesAfter: began)
        || record.prompt?.stamp.mayHide(changesAfter: began) == true)
    return record
  }

  /// The current files of an agent.
  func documents(_ file: AgentFile, _ record: inout AgentRecord) throws(Failure) -> AgentDocuments {
    guard let read = try lookup.readDefinition(file) else {
      throw Failure(
        .configuration, "\(file.path) was removed while agents were read", suggestion: "try again")
    }
    let document = SourceDocument(bytes: read.bytes, path: file.path)
    var documents = AgentDocuments(
      fileName: file.stem, category: file.category, origin: file.origin)
    guard file.isConfig else {
      documents.prompt = document
      documents.promptStamp = promptStamp(read.stamp)
      return documents
    }
    // The TOML of other tools contains the prompt itself. rasa's own is recognised without being
    // parsed.
    if !Self.hasAgentTable(document.bytes), let foreign = try? ForeignFile(document),
      foreign.what != .agent(.rasa)
    {
      documents.prompt = document
      return documents
    }
    documents.config = document
    record.promptNames = try AgentLoader.promptPaths(in: document)
    record.prompt = lookup.find(record.promptNames, for: file)
    documents.promptsOutside = lookup.leadingOut(record.promptNames, for: file)
    // If there is no other, the reader reports it, because it knows the line.
    for name in documents.promptsOutside
    where record.prompt != nil || name != record.promptNames.first {
      record.warnings.append(
        Warning(
          "the prompt `\(name)` is outside the agent's folder and the project, so it is not read",
          at: SourceLocation(file: file.path, line: 0, column: 0)))
    }
    if record.prompt == nil, let link = lookup.linkLeadingOut(record.promptNames, for: file) {
      throw Failure(
        .configuration,
        "the prompt \(link) is behind a link that leads out of its folder",
        suggestion: "put the prompt itself there",
        at: SourceLocation(file: file.path, line: 0, column: 0))
    }
    if let prompt = record.prompt {
      do throws(Failure) {
        if let read = try lookup.readPrompt(prompt.path, for: file) {
          documents.prompt = SourceDocument(bytes: read.bytes, path: prompt.path)
          documents.promptStamp = promptStamp(read.stamp)
        }
      } catch {
        record.warnings.append(
          Warning(error.message, at: SourceLocation(file: file.path, line: 0, column: 0)))
      }
    }
    return documents
  }

  /// Nil if a later change could leave it the same.
  private func promptStamp(_ stamp: FileStamp?) -> PromptCache.Stamp? {
    guard let stamp, !stamp.mayHide(changesAfter: FileSystem.clock()) else { return nil }
    return PromptCache.Stamp(size: stamp.size, modified: stamp.modified)
  }

  private static func hasAgentTable(_ bytes: [UInt8]) -> Bool {
    let mark = Array("[agent".utf8)
    var position = bytes.startIndex
    while let bracket = bytes[position...].firstIndex(of: mark[0]) {
      if bytes[bracket...].starts(with: mark) { return true }
      position = bracket + 1
    }
    return false
  }

  /// An agent in one file, or a file that is not one.
  private func readAlone(
    _ document: SourceDocument, _ documents: AgentDocuments, _ record: inout AgentRecord
  ) throws(Failure) {
    let file: ForeignFile
    do throws(Failure) {
      file = try ForeignFile(document)
    } catch {
      guard case .data = AgentFileName(document.path.utf8.span), !mayBeAgent(document.bytes)
      else { throw error }
      record.other = document.path.hasByteSuffix(".json") ? .json : .yaml
      return
    }
    switch file.what {
    case .nothing: return
    case .other(let other): record.other = other
    case .agent: take(AgentLoader.load(documents, engines: engines, from: file), into: &record)
    }
  }

  private func take(_ reading: Reading<AgentLoader.LoadedAgent>, into record: inout AgentRecord) {
    record.failures += reading.failures
    // Assumptions about another tool's file are that tool's format; `info` reports them.
    if let loaded = reading.definition, loaded.agent.files.kind != .rasa {
      record.warnings += loaded.unreadable.map { [$0] } ?? []
    } else {
      record.warnings += reading.warnings
    }
    guard let loaded = reading.definition else { return }
    record.inserted = Self.insertions(in: loaded.prompt?.text ?? "")
    record.entry = AgentRegistry.Entry(
      agent: loaded.agent, relevance: note(loaded.agent, loaded.prompt?.text ?? ""))
  }

  /// Whether unreadable YAML or JSON was meant to be an agent: decided by typical keys.
  private func mayBeAgent(_ bytes: [UInt8]) -> Bool {
    let keys = ["instructions", "instruction", "prompt"].map { Array($0.utf8) }
    let marks = Array(" -{\"".utf8)
    return bytes.prefix(20_000).split(separator: 0x0A).contains { line in
      let words = line.drop { marks.contains($0) }
      return keys.contains { key in
        guard words.starts(with: key) else { return false }
        let next = words.dropFirst(key.count).first
        return next == UInt8(ascii: ":") || next == UInt8(ascii: "\"")
      }
    }
  }

  /// The paths in `{{file:…}}`.
  private static func insertions(in prompt: String) -> [String] {
    let mark = Array("{{file:".utf8)
    let bytes = Array(prompt.utf8)
    var names: [String] = []
    var position = 0
    while let open = bytes[position...].firstIndex(of: UInt8(ascii: "{")) {
      position = open + 1
      guard bytes[open...].starts(with: mark) else { continue }
      let inner = bytes[(open + mark.count)...].prefix {
        $0 != UInt8(ascii: "}") && $0 != UInt8(ascii: "\n")
      }
      position = inner.endIndex
      var name = String(decoding: inner, as: UTF8.self)
      for form in [":code", ":markdown"] where name.hasByteSuffix(form) {
        name = String(name.dropLast(form.count))
      }
      names.append(name.split(separator: " ").joined(separator: " "))
    }
    return names
  }
}

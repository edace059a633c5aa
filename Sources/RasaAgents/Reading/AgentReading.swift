import RasaCore
import RasaDocuments
import RasaPersona
import RasaSystem

/// Reads single files, wherever it is told to.
struct AgentReading: Sendable {
  let engines: Set<String>
  let note: @Sendable (Agent, _ prompt: String) -> [UInt8]
  let lookup: PromptLookup
  /// When the looking began: what was changed about then may change again unseen.
  let began: Int64

  func read(_ file: AgentFile) -> AgentRecord {
    var record = AgentRecord(file)
    do throws(Failure) {
      if file.isConfig {
        try readConfig(&record)
      } else {
        try readMarkdown(&record)
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

  /// The files of an agent as they stand.
  func documents(_ file: AgentFile, _ record: inout AgentRecord) throws(Failure) -> AgentDocuments {
    guard let read = try lookup.readDefinition(file) else {
      throw Failure(
        .configuration, "\(file.path) was removed while agents were read", mend: "try again")
    }
    let document = SourceDocument(bytes: read.bytes, path: file.path)
    var documents = AgentDocuments(
      fileName: file.stem, category: file.category, origin: file.origin)
    guard file.isConfig else {
      documents.prompt = document
      documents.promptStamp = promptStamp(read.stamp)
      return documents
    }
    documents.config = document
    record.promptNames = try AgentLoader.promptPaths(in: document)
    record.prompt = lookup.find(record.promptNames, for: file)
    documents.promptsOutside = lookup.leadingOut(record.promptNames, for: file)
    // Where there is no other the reader tells, who knows the line.
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
        "the prompt \(link) is reached by a link that leads out of the folder it is in",
        mend: "put the prompt itself there",
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

  /// Nil where a later change could leave it as it is.
  private func promptStamp(_ stamp: FileStamp?) -> PromptCache.Stamp? {
    guard let stamp, !stamp.mayHide(changesAfter: FileSystem.clock()) else { return nil }
    return PromptCache.Stamp(size: stamp.size, modified: stamp.modified)
  }

  private func readConfig(_ record: inout AgentRecord) throws(Failure) {
    let documents = try documents(record.file, &record)
    take(AgentLoader.load(documents, engines: engines), into: &record)
  }

  private func readMarkdown(_ record: inout AgentRecord) throws(Failure) {
    let documents = try documents(record.file, &record)
    guard let prompt = documents.prompt, mayHaveFrontMatter(prompt.bytes.span) else { return }
    take(AgentLoader.load(documents, engines: engines), into: &record)
    guard record.entry == nil else { return }
    // A rule at the beginning of a text is not the beginning of an agent.
    let matter = try FrontMatter.read(prompt.bytes, file: prompt.path)
    if matter.node == nil, matter.failure == nil {
      record = AgentRecord(record.file)
    }
  }

  private func take(_ reading: Reading<AgentLoader.Loaded>, into record: inout AgentRecord) {
    record.failures += reading.failures
    record.warnings += reading.warnings
    guard let loaded = reading.definition else { return }
    record.entry = AgentRegistry.Entry(
      agent: loaded.agent, relevance: note(loaded.agent, loaded.prompt?.text ?? ""))
  }

  /// Whether the first line with anything on it could open front matter: most Markdown files are
  /// told from agents by this alone.
  private func mayHaveFrontMatter(_ bytes: Span<UInt8>) -> Bool {
    var place = 0
    // Of more than one mark the reader tells.
    while place + 3 <= bytes.count, bytes[place] == 0xEF, bytes[place + 1] == 0xBB,
      bytes[place + 2] == 0xBF
    {
      place += 3
    }
    while place < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[place]) { place += 1 }
    guard place + 3 <= bytes.count else { return false }
    return bytes[place] == UInt8(ascii: "-") && bytes[place + 1] == UInt8(ascii: "-")
      && bytes[place + 2] == UInt8(ascii: "-")
  }
}

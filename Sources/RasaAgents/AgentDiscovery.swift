import RasaCore
package import RasaPersona
import RasaSystem

/// Finds the agents of a user and a project.
package struct AgentDiscovery: Sendable {
  package var places: AgentRoots
  /// The engines that agents may name: built-in and configured ones.
  package var engines: @Sendable () -> Set<String> = { AgentLoader.builtInEngines }
  /// Extracts what recommendation needs from an agent's words; see `AgentRegistry.Entry.relevance`.
  package var note: @Sendable (Agent, _ prompt: String) -> [UInt8]
  /// Changes whenever `note` would produce a different result.
  package var noteName: String
  /// The user's folder for disposable state, where the index is kept; nil to keep none.
  package var indexFolder: String?
  package var limits = ScanLimits()
  /// Decides whether a file could still have been written to while it was read.
  package var clock: @Sendable () -> Int64 = { FileSystem.clock() }

  package init(
    _ places: AgentRoots, indexFolder: String? = nil, noteName: String = "",
    note: @escaping @Sendable (Agent, _ prompt: String) -> [UInt8] = { _, _ in [] }
  ) {
    self.places = places
    self.indexFolder = indexFolder
    self.noteName = noteName
    self.note = note
  }

  /// Scans all files, and reads those that have changed.
  package func discover() -> DiscoveredAgents { scan(remembering: nil).found }

  /// - Parameter memory: the result of the last scan; by default the index in the user's folder.
  func scan(remembering memory: AgentMemory? = nil) -> DiscoveryScan {
    let began = clock()
    var warnings: [Warning] = []
    let roots = places.roots { warnings.append($0) }
    let reading = reading(roots, began: began)
    let index = indexFolder.map {
      AgentIndex(folder: $0, roots: roots, reading: "\(noteName) \(reading.engines.sorted())")
    }
    let kept = memory == nil ? index?.open() : nil
    let (tree, records) = walk(at: roots, beside: kept)
    let memory = memory ?? AgentMemory(records)

    var scan = scan(tree, memory, reading)
    let all = tree.files.compactMap { scan.memory[$0.path] }
    let parts = InsertedFiles(all, reading.lookup)
    scan.found = DiscoveredAgents(
      parts.isEmpty ? all : all.filter { !parts.contains($0.record) },
      warnings: warnings + tree.warnings,
      projects: Set(roots.indices.filter { roots[$0].isProject }),
      suggestions: roots.map(\.suggestion))
    if let index {
      let keepable = all.filter { !$0.record.isFresh }
      if scan.hasNews || keepable.count != kept?.count ?? memory.keptCount {
        index.write(keepable)
      }
    }
    return scan
  }

  /// Every file of a tree that is or was meant to be an agent, read or from memory.
  func scan(_ tree: AgentFileTree, _ memory: AgentMemory, _ reading: AgentReading)
    -> DiscoveryScan
  {
    var scan = DiscoveryScan(
      places: places, lookup: reading.lookup, treeFolders: tree.folders)
    scan.take(tree.files.filter(\.isConfig), memory, reading)
    let prompts = scan.prompts
    scan.take(tree.files.filter { !$0.isConfig && !prompts.contains($0) }, memory, reading)
    return scan
  }

  /// For single files, in their current state.
  func reading() -> AgentReading { reading(places.roots { _ in }, began: 0) }

  func reading(_ roots: [AgentRoot], began: Int64) -> AgentReading {
    AgentReading(
      engines: engines(), note: note, lookup: PromptLookup(places, roots), began: began)
  }

  /// The tree is walked while the index is decoded.
  private func walk(
    at roots: [AgentRoot], beside kept: AgentIndex.Contents?
  ) -> (AgentFileTree, [SharedAgentRecord]) {
    let parts = Workers.map(1 + (kept?.parts ?? 0)) { part in
      part == 0
        ? (tree: AgentFileTree(roots, limits: limits), records: [])
        : (tree: nil, records: kept?.records(ofPart: part - 1) ?? [])
    }
    return (parts.first?.tree ?? AgentFileTree([], limits: limits), parts.flatMap(\.records))
  }
}

/// The result of reading each file, by path.
struct AgentMemory: Sendable {
  private var records: [String: SharedAgentRecord] = [:]

  init(_ records: [SharedAgentRecord] = []) {
    self.records.reserveCapacity(records.count)
    for record in records { keep(record) }
  }

  subscript(path: String) -> SharedAgentRecord? { records[path] }
  var all: some Collection<SharedAgentRecord> { records.values }
  var count: Int { records.count }
  var keptCount: Int { records.values.count { !$0.record.isFresh } }

  mutating func keep(_ record: SharedAgentRecord) { records[record.path] = record }
  mutating func reserve(_ count: Int) { records.reserveCapacity(count) }
}

/// One scan of all files.
struct DiscoveryScan: Sendable {
  /// What to remember of it.
  var memory = AgentMemory()
  var found = DiscoveredAgents(registry: AgentRegistry())
  /// Whether a file was read although nothing had changed.
  var hasNews = false
  private let places: AgentRoots
  private let lookup: PromptLookup
  private let treeFolders: [String]

  init(places: AgentRoots, lookup: PromptLookup, treeFolders: [String]) {
    self.places = places
    self.lookup = lookup
    self.treeFolders = treeFolders
  }

  /// The folders in which files that concern agents can appear, change or disappear. Some may not
  /// exist.
  var folders: Set<String> {
    var folders = Set(treeFolders + places.watched)
    for record in memory.all.lazy.map(\.record)
    where record.file.isConfig && !record.file.isShipped {
      if let prompt = record.prompt {
        folders.insert(FileSystem.parent(of: prompt.path))
      } else {
        folders.formUnion(lookup.folders(of: record.promptNames, for: record.file))
      }
    }
    return folders
  }

  /// Unchanged files come from memory; all others are read, on all processors.
  mutating func take(_ files: [AgentFile], _ old: AgentMemory, _ reading: AgentReading) {
    let part = 32
    let parts = Workers.map((files.count + part - 1) / part) { number in
      let range = number * part..<min((number + 1) * part, files.count)
      return files[range].map { file in
        if let known = old[file.path], known.record.isValid(for: file, reading.lookup) {
          return (record: known.moved(to: file), isNew: false)
        }
        return (record: SharedAgentRecord(reading.read(file)), isNew: true)
      }
    }
    memory.reserve(memory.count + files.count)
    for (record, isNew) in parts.joined() {
      memory.keep(record)
      if isNew, !record.record.isFresh { hasNews = true }
    }
  }

  /// The Markdown files that are prompts of TOML files, and therefore not agents themselves.
  var prompts: Prompts { Prompts(memory.all, lookup) }

  struct Prompts {
    private var identities: Set<FileIdentity> = []
    private var paths: Set<String> = []
    /// Of unreadable TOML files: their prompt paths are unknown, but Markdown files with the same
    /// name must not become agents without their configuration.
    private var broken: Set<Stem> = []

    private struct Stem: Hashable {
      var root: Int
      var name: String
    }

    init(_ records: some Collection<SharedAgentRecord>, _ lookup: PromptLookup) {
      for record in records.lazy.map(\.record) {
        if record.entry == nil, !record.failures.isEmpty {
          broken.insert(Stem(root: record.file.root, name: record.file.stem))
        }
        guard let prompt = record.prompt else { continue }
        if prompt.path.hasPrefix(AgentFile.shippedPrefix) {
          paths.insert(prompt.path)
        } else {
          identities.insert(prompt.stamp.identity)
          // The mirror of an existing prompt is not an agent either.
          for name in record.promptNames.dropFirst() {
            if let mirror = lookup.find([name], for: record.file) {
              identities.insert(mirror.stamp.identity)
            }
          }
        }
      }
    }

    func contains(_ file: AgentFile) -> Bool {
      broken.contains(Stem(root: file.root, name: file.stem))
        || (file.isShipped
          ? paths.contains(file.path) : identities.contains(file.stamp.identity))
    }
  }
}

/// The Markdown files without front matter that agents' prompts insert: they are parts, not agents.
struct InsertedFiles {
  private var identities: Set<FileIdentity> = []

  init(_ records: [SharedAgentRecord], _ lookup: PromptLookup) {
    guard records.contains(where: { $0.record.isPlainPrompt }) else { return }
    for record in records.lazy.map(\.record) where !record.inserted.isEmpty {
      let prompt = record.prompt?.path ?? record.file.path
      for path in lookup.insertions(record.inserted, inPromptAt: prompt) {
        if let status = FileSystem.status(of: path) { identities.insert(status.stamp.identity) }
      }
    }
  }

  var isEmpty: Bool { identities.isEmpty }

  func contains(_ record: AgentRecord) -> Bool {
    record.isPlainPrompt && identities.contains(record.file.stamp.identity)
  }
}

import RasaCore
import RasaEngine
import RasaKit
import RasaPersona
import RasaSystem

/// A recording and where it stands.
struct RecordingFile: Sendable {
  let path: String
  var recording: Recording

  static func read(_ file: NamedFile) throws(Failure) -> RecordingFile {
    let bytes = try file.read(limit: Recording.largest)
    return RecordingFile(path: file.path, recording: try Recording(bytes, file: file.path))
  }

  /// There in full or not at all.
  func write() throws(Failure) {
    let text = recording.text
    guard text.utf8.count <= Recording.largest else {
      throw Failure(
        .run,
        "the recording would have \(byteCountText(text.utf8.count)), but only "
          + "\(byteCountText(Recording.largest)) can be read again",
        suggestion: "record a shorter run")
    }
    try FileSystem.write(text, to: path, followingLinks: true)
  }

  /// Recordings below the paths, in order; a folder without any is an error.
  static func find(_ paths: [String]) throws(Failure) -> [NamedFile] {
    var found: [NamedFile] = []
    for path in paths {
      switch FileSystem.kind(of: path) {
      case .folder:
        let below = try files(in: FileRoot(path))
        guard !below.isEmpty else {
          throw Failure(
            .usage, "there are no tests in \(path)",
            suggestion: "`rasa runs export RUN --as-test \(path)` makes one of a run")
        }
        found += below
      case nil:
        throw Failure(
          .usage, "there is no file or folder \(path)",
          suggestion: "`rasa runs export RUN --as-test \(path)` makes a recording of a run")
      default: found.append(NamedFile(path))
      }
    }
    return found
  }

  /// Deeper is no folder of tests.
  private static let deepest = 16

  private static func files(
    in root: FileRoot, below folder: String = "", depth: Int = 0
  ) throws(Failure) -> [NamedFile] {
    guard depth < deepest else { return [] }
    var found: [NamedFile] = []
    let listed = folder.isEmpty ? root.folder : FileSystem.path(folder, in: root.folder)
    for entry in try FileSystem.list(listed) where !entry.name.hasBytePrefix(".") {
      let path = folder.isEmpty ? entry.name : "\(folder)/\(entry.name)"
      guard entry.kind == .folder || entry.name.hasByteSuffix(".json") else { continue }
      guard root.standing(of: path) != .outside else { throw root.refusal(of: path) }
      if entry.kind == .folder {
        found += try files(in: root, below: path, depth: depth + 1)
      } else {
        found.append(NamedFile(path, in: root))
      }
    }
    return found
  }
}

extension CompositionRoot {
  /// The persona to replay a recording with: the one named, the copy in the file, or the one of that
  /// name as it stands now.
  func graph(
    for recording: Recording, persona: String? = nil, isPinned: Bool
  ) throws(Failure) -> Graph {
    if let persona { return try graph(persona) }
    if isPinned {
      return try Graph.compile(
        recording.files, named: recording.start.persona, engines: library.engines)
    }
    do {
      return try graph(recording.start.persona)
    } catch {
      // One that was named by its path is not in the library.
      guard let path = recording.files.persona(named: recording.start.persona)?.path,
        path.hasSuffix(".yaml") || path.hasSuffix(".yml"),
        path.hasByte("/"), FileSystem.kind(of: path) == .file
      else { throw error }
      return try graph(path)
    }
  }
}

import RasaCore
import RasaEngine
import RasaKit
import RasaPersona
import RasaSystem

/// A recording and where it stands.
struct RecordingFile: Sendable {
  let path: String
  var recording: Recording

  static func read(_ path: String) throws(Failure) -> RecordingFile {
    let bytes = try FileSystem.read(path, limit: Recording.largest)
    return RecordingFile(path: path, recording: try Recording(bytes, file: path))
  }

  /// There in full or not at all.
  func write() throws(Failure) {
    let text = recording.text
    guard text.utf8.count <= Recording.largest else {
      throw Failure(
        .run,
        "the recording would have \(byteCountText(text.utf8.count)), and no more than "
          + "\(byteCountText(Recording.largest)) can be read again",
        mend: "record a shorter run")
    }
    try FileSystem.write(text, to: path, followingLinks: true)
  }

  /// Recordings below the paths, in order; a folder without any is an error.
  static func find(_ paths: [String]) throws(Failure) -> [String] {
    var found: [String] = []
    for path in paths {
      switch FileSystem.kind(of: path) {
      case .folder:
        let below = try files(below: path, depth: 0)
        guard !below.isEmpty else {
          throw Failure(
            .usage, "there are no recordings in \(path)",
            mend: "`rasa runs export RUN --as-test \(path)` makes one of a run")
        }
        found += below
      case nil:
        throw Failure(
          .usage, "there is no file or folder \(path)",
          mend: "`rasa runs export RUN --as-test \(path)` makes a recording of a run")
      default: found.append(path)
      }
    }
    return found
  }

  /// Deeper is no folder of tests.
  private static let deepest = 16

  private static func files(below folder: String, depth: Int) throws(Failure) -> [String] {
    guard depth < deepest else { return [] }
    var found: [String] = []
    let base = folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    for entry in try FileSystem.list(folder) where !entry.name.hasPrefix(".") {
      let path = base == "." ? entry.name : "\(base)/\(entry.name)"
      if entry.kind == .folder {
        found += try files(below: path, depth: depth + 1)
      } else if entry.name.hasSuffix(".json") {
        found.append(path)
      }
    }
    return found
  }
}

extension House {
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
        path.contains("/"), FileSystem.kind(of: path) == .file
      else { throw error }
      return try graph(path)
    }
  }
}

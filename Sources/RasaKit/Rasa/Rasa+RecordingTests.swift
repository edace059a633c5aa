import RasaCore
import RasaEngine
import RasaSystem

extension Rasa {
  /// A file with a recording.
  public struct RecordingFile: Sendable, Hashable {
    private let file: NamedFile

    /// The file at this path, which may be a link to anywhere.
    public init(_ path: String) { file = NamedFile(path) }

    init(_ file: NamedFile) { self.file = file }

    /// Its path.
    public var path: String { file.path }

    /// Reads the recording.
    ///
    /// - Throws: A `RasaError` when the file cannot be read or is no recording, with line and column.
    @concurrent
    public func read() async throws(RasaError) -> Recording {
      try convertingErrors { () throws(Failure) in
        Recording(
          try RasaEngine.Recording(
            try file.read(limit: Recording.largestFile), file: file.path))
      }
    }

    /// The recordings at some paths, in order: the files that are named, and every `.json` below a
    /// folder that is. A link in a folder must stay in it.
    ///
    /// - Throws: A `RasaError` of code `usage` for a path where nothing is, and for a folder without any.
    @concurrent
    public static func find(at paths: [String]) async throws(RasaError) -> [RecordingFile] {
      try convertingErrors { () throws(Failure) in
        var found: [RecordingFile] = []
        for path in paths {
          switch FileSystem.kind(of: path) {
          case .folder:
            let below = try files(in: FileRoot(path), endings: [".json"])
            guard !below.isEmpty else {
              throw Failure(
                .usage, "there are no tests in \(path)",
                suggestion: "`rasa runs export RUN --as-test \(path)` makes one of a run")
            }
            found += below.map { RecordingFile($0) }
          case nil:
            throw Failure(
              .usage, "there is no file or folder \(path)",
              suggestion: "`rasa runs export RUN --as-test \(path)` makes a recording of a run")
          default: found.append(RecordingFile(path))
          }
        }
        return found
      }
    }

    /// Deeper is no folder of tests.
    private static let deepest = 16

    /// The files below a folder whose names end so, in order.
    static func files(
      in root: FileRoot, endings: [String], below folder: String = "", depth: Int = 0
    ) throws(Failure) -> [NamedFile] {
      guard depth < deepest else { return [] }
      var found: [NamedFile] = []
      let listed = folder.isEmpty ? root.folder : FileSystem.path(folder, in: root.folder)
      for entry in try FileSystem.list(listed) where !entry.name.hasBytePrefix(".") {
        let path = folder.isEmpty ? entry.name : "\(folder)/\(entry.name)"
        guard entry.kind == .folder || endings.contains(where: { entry.name.hasByteSuffix($0) })
        else { continue }
        guard root.standing(of: path) != .outside else { throw root.refusal(of: path) }
        if entry.kind == .folder {
          found += try files(in: root, endings: endings, below: path, depth: depth + 1)
        } else {
          found.append(NamedFile(path, in: root))
        }
      }
      return found
    }
  }

  /// What a test of one recording found.
  public struct RecordingTest: Sendable {
    /// What came of a test. More verdicts may come.
    public struct Verdict: Sendable, Hashable, Codable, CustomStringConvertible {
      private enum Name: String, Sendable, Hashable, Codable { case ok, differs, updated, broken }
      private let name: Name
      private init(_ name: Name) { self.name = name }

      /// The word that JSON has for it.
      public var description: String { name.rawValue }

      /// The replay came to what the recording expects.
      public static let ok = Verdict(.ok)
      /// It did not.
      public static let differs = Verdict(.differs)
      /// It did not, and the file has what it came to now.
      public static let updated = Verdict(.updated)
      /// The recording or its persona cannot be read.
      public static let broken = Verdict(.broken)
    }

    /// The file's path.
    public var path: String
    /// The persona of the recording; empty for a file that cannot be read.
    public var persona = ""
    /// What came of it.
    public var verdict = Verdict.ok
    /// How long it took.
    public var duration = Duration.zero
    /// Where the replay differs from the recording.
    public var differences: [Replay.Difference] = []
    /// Whether every call and question had a recorded answer: only then can the file be updated.
    public var isComplete = true
    /// Why the test is broken.
    public var failure: RasaError?
  }

  /// Replays a recording, and compares what comes of it with what it expects. Nobody is asked.
  ///
  /// - Parameters:
  ///   - file: The recording.
  ///   - usesPinnedFiles: Uses the copy of the persona that is in the file.
  ///   - updates: Writes what the replay came to into the file, where every call and question had a
  ///     recorded answer.
  /// - Throws: A `RasaError` only when the task is cancelled: a broken file is a verdict.
  public func test(
    _ file: RecordingFile, usesPinnedFiles: Bool = false, updates: Bool = false
  ) async throws(RasaError) -> RecordingTest {
    let begin = composition.time.monotonic()
    var test = RecordingTest(path: file.path)
    do throws(RasaError) {
      let recording = try await file.read()
      test.persona = recording.persona
      let replay = try await replay(recording, usesPinnedFiles: usesPinnedFiles)
      test.differences = replay.differences
      test.isComplete = replay.isComplete
      if !replay.differences.isEmpty { test.verdict = .differs }
      if updates, test.verdict == .differs, replay.isComplete {
        try replay.observed.write(to: file.path)
        test.verdict = .updated
      }
    } catch {
      guard !Task.isCancelled else { throw error }
      test.verdict = .broken
      test.failure = error
    }
    test.duration = .nanoseconds(Int64(clamping: composition.time.monotonic() &- begin))
    return test
  }
}

import RasaCore
import RasaEngine
import RasaModels
import RasaPersona
import RasaStore
import RasaSystem

// MARK: Recordings

extension Rasa {
  /// A run with everything that came from outside: answers of models and tools, decisions of people,
  /// memories and times. A replay needs nothing else, so it asks nobody and costs nothing.
  ///
  /// ```swift
  /// let recorded = try await rasa.record("r01j…")
  /// try recorded.recording.write(to: "tests/greeting.json")
  /// let replay = try await rasa.replay(recorded.recording)
  /// assert(replay.differences.isEmpty)
  /// ```
  public struct Recording: Sendable, Hashable, CustomStringConvertible {
    var own: RasaEngine.Recording

    init(_ own: RasaEngine.Recording) { self.own = own }

    /// Reads the text of a recording.
    ///
    /// - Parameters:
    ///   - text: What `description` returned.
    ///   - file: The name that errors have for it.
    /// - Throws: A `RasaError` of code `configuration` with line and column.
    public init(parsing text: String, file: String = "the recording") throws(RasaError) {
      own = try convertingErrors { () throws(Failure) in
        try RasaEngine.Recording(Array(text.utf8), file: file)
      }
    }

    /// The largest file that is read and written, in bytes.
    public static let largestFile = RasaEngine.Recording.largest

    /// The ID of the run that was recorded.
    public var run: String { own.start.run.text }
    /// The persona or agent of that run.
    public var persona: String { own.start.persona }
    /// When that run began, in milliseconds since 1970.
    public var startedAt: Int64 { own.startedAt.milliseconds }
    /// Whether that run waited for a person when it was recorded.
    public var isWaiting: Bool {
      own.effects.contains { effect in
        if case .question(let asked) = effect { asked.answer == nil } else { false }
      }
    }

    /// The text of the file: JSON with a member on each line, so that a version control system shows
    /// what changed.
    public var description: String { own.text }

    /// Writes the file, in full or not at all. A link is followed.
    ///
    /// - Throws: A `RasaError` of code `run` when the recording is too large to be read again.
    public func write(to path: String) throws(RasaError) {
      try convertingErrors { () throws(Failure) in
        let text = own.text
        guard text.utf8.count <= Self.largestFile else {
          throw Failure(
            .run,
            "the recording would have \(byteCountText(text.utf8.count)), but only "
              + "\(byteCountText(Self.largestFile)) can be read again",
            suggestion: "record a shorter run")
        }
        try FileSystem.write(text, to: path, followingLinks: true)
      }
    }
  }

  /// The recording of a run, and where a replay already differs from the run.
  public struct RecordedRun: Sendable, Hashable {
    /// The recording.
    public var recording: Recording
    /// Empty unless the run does not replay to the same result.
    public var differences: [Replay.Difference]
  }

  /// Makes a recording of a run, whether or not it has ended.
  ///
  /// - Parameters:
  ///   - id: The run.
  ///   - options: How the run was asked for. The recording names model, profile and cost limit; a replay
  ///     uses the profile.
  /// - Throws: A `RasaError` when there is no such run, its journal is damaged, or it keeps no copy of a
  ///   persona that has changed since.
  public func record(
    _ id: String, options: RunOptions = RunOptions()
  ) async throws(RasaError) -> RecordedRun {
    try await redacted {
      // A run that failed before it was written down has no record, and an empty journal.
      let run = try await store.run(id)?.record.id ?? Identifier(id)
      let entries = try await store.entries(of: run)
      let graph = try RasaEngine.Recording.graph(of: entries) { name throws(Failure) in
        try composition.graph(name)
      }
      var (recording, differences) = try await RasaEngine.Recording.make(
        of: entries, on: graph, options: options.recorded)
      // A recording is read in other folders, too.
      let here = FileSystem.absolute("")
      for index in recording.files.files.indices
      where recording.files.files[index].path.hasBytePrefix(here) {
        recording.files.files[index].path.removeFirst(here.count)
      }
      return RecordedRun(
        recording: Recording(recording), differences: differences.map { Replay.Difference($0) })
    }
  }
}

extension Rasa.RunOptions {
  /// How the run was asked for, by the name of the option.
  fileprivate var recorded: ValueObject {
    let gate = gate
    var options = ValueObject()
    if let profile = gate.profile { options["profile"] = .string(profile.rawValue) }
    if let model = gate.model { options["model"] = .string(model.description) }
    if gate.premium { options["premium"] = true }
    if let most = gate.maxCost { options["max_cost_usd"] = .string(most.decimalText) }
    return options
  }
}

// MARK: Replays

extension Rasa {
  /// What a replay of a recording came to.
  public struct Replay: Sendable {
    /// Where it differs from the recording; empty when it does not.
    public var differences: [Difference]
    /// Whether every call and question had a recorded answer. Otherwise `observed` is not a whole run.
    public var isComplete: Bool
    /// The recording that this replay would have made: it replaces the old one when the differences are
    /// intended.
    public var observed: Recording
    /// What came of the run; nil when it failed.
    public var result: RunResult?
    /// Why the run failed.
    public var failure: RasaError?

    init(_ replayed: Replayed, _ redact: (Failure) -> Failure) {
      differences = replayed.differences.map { Difference($0) }
      isComplete = replayed.isComplete
      observed = Recording(replayed.observed)
      result = replayed.result.map {
        RunResult($0, run: replayed.observed.start.run.text, warnings: [])
      }
      failure = replayed.failure.map { RasaError($0, redact) }
    }
  }

  /// Runs a recorded run again, with the persona as it is now: every guard, prompt, check and route is
  /// carried out, and everything from outside is as it was recorded. No model and no person is asked.
  ///
  /// - Parameters:
  ///   - recording: The recorded run.
  ///   - persona: Another persona than the recording names, by name or path.
  ///   - usesPinnedFiles: Uses the copy of the persona that is in the recording.
  /// - Throws: A `RasaError` when the persona cannot be read, or the task is cancelled. A run that fails
  ///   is no error: see `Replay.failure`.
  public func replay(
    _ recording: Recording, persona: String? = nil, usesPinnedFiles: Bool = false
  ) async throws(RasaError) -> Replay {
    try await redacted {
      try await replay(
        recording, persona: persona, usesPinnedFiles: usesPinnedFiles,
        observer: Observer { _ in })
    }
  }

  /// The same for an observer, who sees the run as if it happened now.
  ///
  /// - Throws: What the observer throws, and `RasaError`.
  public func replay(
    _ recording: Recording, persona: String? = nil, usesPinnedFiles: Bool = false,
    observer: Observer
  ) async throws -> Replay {
    let graph = try redacted { () throws(Failure) in
      try composition.graph(for: recording.own, persona: persona, isPinned: usesPinnedFiles)
    }
    let observe = observer.observe
    let replayed = try await RasaEngine.Replay(recording.own, on: graph).run { progress in
      try await observe(Observation(progress))
    }
    return Replay(replayed, { composition.redaction($0) })
  }
}

extension CompositionRoot {
  /// The persona to replay a recording with: the one named, the copy in the file, or the one of that
  /// name as it stands now.
  func graph(
    for recording: RasaEngine.Recording, persona: String?, isPinned: Bool
  ) throws(Failure) -> Graph {
    if let persona { return try graph(persona) }
    if isPinned {
      return try Graph.compile(
        recording.files, named: recording.start.persona, engines: library.engines,
        isOnlyRead: true)
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

// MARK: Differences

extension Rasa.Replay {
  /// Where a replay differs from its recording.
  public struct Difference: Sendable, Hashable {
    /// What is different. More kinds may come.
    public struct Kind: Sendable, Hashable, Codable, CustomStringConvertible {
      private enum Name: String, Sendable, Hashable, Codable {
        case request, question, path, state, output, status, failure, calls
        case newCall = "new_call"
        case missingCall = "missing_call"
        case newQuestion = "new_question"
        case missingQuestion = "missing_question"
        case newRecall = "new_recall"
        case missingRecall = "missing_recall"
        case cost = "cost_usd"
      }
      private let name: Name
      private init(_ name: Name) { self.name = name }

      /// The name of the kind, such as `new_call`, as JSON has it.
      public var description: String { name.rawValue }

      /// A model was asked in other words. It gave the recorded answer all the same.
      public static let request = Kind(.request)
      /// A model was asked something that is not in the recording.
      public static let newCall = Kind(.newCall)
      /// A recorded call was not made.
      public static let missingCall = Kind(.missingCall)
      /// A person would see something else. The recorded decision counted all the same.
      public static let question = Kind(.question)
      /// A person would be asked something that is not in the recording.
      public static let newQuestion = Kind(.newQuestion)
      /// A recorded question was not asked.
      public static let missingQuestion = Kind(.missingQuestion)
      /// Memories were looked up, and there are none in the recording.
      public static let newRecall = Kind(.newRecall)
      /// Recorded memories were not looked up.
      public static let missingRecall = Kind(.missingRecall)
      /// Other operators ran, or in another order.
      public static let path = Kind(.path)
      /// An operator wrote something else.
      public static let state = Kind(.state)
      /// The answer is different.
      public static let output = Kind(.output)
      /// The run ended in another way.
      public static let status = Kind(.status)
      /// The run failed for another reason, or only one of the two failed.
      public static let failure = Kind(.failure)
      /// Another number of calls was answered.
      public static let calls = Kind(.calls)
      /// The answers cost something else.
      public static let cost = Kind(.cost)
    }

    /// A message to a model that is different.
    public struct Message: Sendable, Hashable, Codable {
      /// `system`, `user` or `assistant`.
      public var role: String
      /// Empty when there was no such message.
      public var expected: String
      /// Empty when there is no such message any more.
      public var found: String
    }

    /// A parameter of a request that is different.
    public struct Parameter: Sendable, Hashable, Codable {
      /// `attachments`, `schema`, `max_tokens`, `temperature` or `profile`.
      public var name: String
      /// `null` when it was not set.
      public var expected: Rasa.JSON
      /// `null` when it is not set any more.
      public var found: Rasa.JSON
    }

    /// What is different.
    public var kind: Kind
    /// What it is about, for people: an operator and its frame, or a key of the state. Empty when it is
    /// about the whole run.
    public var subject = ""
    /// What the recording has, `null` for nothing. Amounts are decimal text; a path is an array of steps.
    public var expected = Rasa.JSON.null
    /// What the replay came to, in the same form.
    public var found = Rasa.JSON.null
    /// For a `request`: the messages that are different.
    public var messages: [Message] = []
    /// For a `request`: the parameters that are different.
    public var parameters: [Parameter] = []
    /// For a `newQuestion`: the question.
    public var title = ""
    /// The difference as `rasa test --json` prints it.
    public var json: Rasa.JSON

    init(_ difference: RasaEngine.Difference) {
      json = Rasa.JSON(difference.value)
      func own(_ value: Value) -> Rasa.JSON { Rasa.JSON(value) }
      switch difference {
      case .request(let key, let change):
        kind = .request
        subject = key.title
        messages = change.messages.map {
          Message(role: $0.role.rawValue, expected: $0.expected, found: $0.found)
        }
        parameters = change.parameters.map {
          Parameter(name: $0.name, expected: own($0.expected), found: own($0.found))
        }
      case .newCall(let key, let request):
        (kind, subject) = (.newCall, key.title)
        found = own(.string(request.messages.last?.text ?? ""))
      case .missingCall(let key): (kind, subject) = (.missingCall, key.title)
      case .question(let key, let expected, let found):
        (kind, subject) = (.question, key.title)
        (self.expected, self.found) = (own(expected), own(found))
      case .newQuestion(let key, let title, let payload):
        (kind, subject, self.title) = (.newQuestion, key.title, title)
        found = own(payload)
      case .missingQuestion(let key): (kind, subject) = (.missingQuestion, key.title)
      case .newRecall(let step): (kind, subject) = (.newRecall, step.title)
      case .missingRecall(let step): (kind, subject) = (.missingRecall, step.title)
      case .path(let expected, let found):
        kind = .path
        self.expected = own(.array(expected.map { .string($0.place) }))
        self.found = own(.array(found.map { .string($0.place) }))
      case .state(let key, let expected, let found):
        (kind, subject) = (.state, key)
        (self.expected, self.found) = (own(expected), own(found))
      case .output(let expected, let found):
        kind = .output
        (self.expected, self.found) = (own(expected), own(found))
      case .status(let expected, let found):
        kind = .status
        self.expected = own(.string(expected.rawValue))
        self.found = own(.string(found.rawValue))
      case .failure(let expected, let found):
        kind = .failure
        self.expected = own(expected.compared)
        self.found = own(found.compared)
      case .calls(let expected, let found):
        kind = .calls
        (self.expected, self.found) = (own(.int(expected)), own(.int(found)))
      case .cost(let expected, let found):
        kind = .cost
        self.expected = own(.string(expected.decimalText))
        self.found = own(.string(found.decimalText))
      }
    }
  }
}

extension EffectKey {
  /// As people read it: `critic in session_frame, visit 2, try 2`.
  fileprivate var title: String {
    var title = "\(operatorName) in \(frameTitle(frame))"
    if visit > 1 { title += ", visit \(visit)" }
    if label != "call", label != "review" { title += ", \(label)" }
    if occurrence > 1 { title += ", try \(occurrence)" }
    return title
  }
}

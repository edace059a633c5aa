package import RasaCore

/// Why something could not be done: what happened, where, and what to do about it.
///
/// Everything in RasaKit throws this type and no other.
///
/// ```swift
/// do {
///   let result = try await rasa.run(agent: "code-reviewer", input: text).result()
/// } catch where error.code == .budget {
///   print(error.message, error.suggestion)
/// }
/// ```
public struct RasaError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What kind of error it is. More codes may come: always handle the ones you do not know.
  public struct Code: Sendable, Hashable, CustomStringConvertible, Codable {
    private enum Kind: String, Sendable, Hashable, Codable {
      case run, usage, configuration, authentication, provider, budget, approval, limit, timeout
      case cancelled, storage
    }
    private let kind: Kind

    private init(_ kind: Kind) { self.kind = kind }

    init(_ kind: Failure.Kind) { self.kind = Kind(rawValue: kind.rawValue) ?? .run }

    /// A run failed for a reason that none of the other codes names.
    public static let run = Code(Kind.run)
    /// The call itself is wrong: an unknown id, an empty input, a stream that was already read.
    public static let usage = Code(Kind.usage)
    /// A persona, an agent, an operator or a setting is wrong or missing.
    public static let configuration = Code(Kind.configuration)
    /// A provider refused the key, or there is none.
    public static let authentication = Code(Kind.authentication)
    /// No provider could answer.
    public static let provider = Code(Kind.provider)
    /// A budget has no room left. Nothing was sent.
    public static let budget = Code(Kind.budget)
    /// A person said no, or nobody was there to ask.
    public static let approval = Code(Kind.approval)
    /// The run reached its own limit of steps or size.
    public static let limit = Code(Kind.limit)
    /// Something took too long.
    public static let timeout = Code(Kind.timeout)
    /// The run or the task that waited for it was cancelled.
    public static let cancelled = Code(Kind.cancelled)
    /// The database or another file of rasa's own could not be read or written.
    public static let storage = Code(Kind.storage)

    /// The code's name, such as `budget`, as JSON and journals have it.
    public var description: String { kind.rawValue }

    var failureKind: Failure.Kind { Failure.Kind(rawValue: kind.rawValue) ?? .run }
  }

  /// What kind of error it is.
  public var code: Code
  /// What happened, as one sentence without a full stop.
  public var message: String
  /// What to do now; empty when there is nothing to say.
  public var suggestion: String
  /// The reason in more detail, in the word that the journal has for it, such as `rate_limit`; nil
  /// where the code says it all.
  public var reason: String?
  /// The file that the error is about.
  public var file: String?
  /// The line in that file, counted from 1.
  public var line: Int?
  /// The column in that line, counted in characters from 1.
  public var column: Int?
  /// Further lines: each attempt of several, each cause.
  public var details: [String]
  /// The run that ended with this error, or could not go on; nil when none had begun.
  public var run: String?
  /// All of it on several lines, as a terminal shows it.
  public var description: String
  /// What the targets below threw, with what this type does not tell.
  private let origin: Failure

  /// Makes an error for an approval handler, a model provider or an operator to throw.
  ///
  /// - Parameters:
  ///   - code: What kind of error it is. It decides whether another model is asked, and whether a run
  ///     can go on.
  ///   - message: What happened, as one sentence without a full stop.
  ///   - suggestion: What to do now.
  public init(_ code: Code, _ message: String, suggestion: String = "") {
    self.init(Failure(code.failureKind, message, suggestion: suggestion))
  }

  init(_ failure: Failure) {
    origin = failure
    code = Code(failure.kind)
    message = failure.message
    suggestion = failure.suggestion
    reason = failure.reason
    file = failure.location?.file
    line = failure.location.flatMap { $0.line > 0 ? $0.line : nil }
    column = failure.location.flatMap { $0.line > 0 ? $0.column : nil }
    details = failure.details
    run = failure.run?.id
    description = failure.description
  }

  /// What the targets below know it as.
  package var failure: Failure {
    var failure = origin
    failure.kind = code.failureKind
    failure.message = message
    failure.suggestion = suggestion
    failure.reason = reason
    return failure
  }
}

extension RasaError {
  /// What a caller sees of any error.
  init(_ error: any Error, _ redact: (Failure) -> Failure = { $0 }) {
    switch error {
    case let error as RasaError: self = error
    case let failure as Failure: self.init(redact(failure))
    case is CancellationError: self.init(Failure(.cancelled, "it was cancelled"))
    default: self.init(redact(Failure(.run, "\(error)")))
    }
  }
}

extension Rasa {
  /// Runs what throws failures of the targets below so that a caller sees `RasaError`, without the keys
  /// of the environment.
  func redacted<Result>(_ body: () throws(Failure) -> Result) throws(RasaError) -> Result {
    do { return try body() } catch { throw RasaError(error, { composition.redaction($0) }) }
  }

  /// The same for work that waits.
  func redacted<Result>(_ body: () async throws -> Result) async throws(RasaError) -> Result {
    do { return try await body() } catch { throw RasaError(error, { composition.redaction($0) }) }
  }
}

/// Runs what throws failures of the targets below so that a caller sees `RasaError`.
func convertingErrors<Result>(_ body: () throws(Failure) -> Result) throws(RasaError) -> Result {
  do { return try body() } catch { throw RasaError(error) }
}

import RasaCore
import RasaDocuments
import RasaTestKit

/// One row of the table: how it is measured and what is aimed at.
struct Row: Sendable {
  var name: String
  var measure: @Sendable (Bench, Row) async throws -> RowResult

  init(
    _ name: String, _ measure: @escaping @Sendable (Bench, Row) async throws -> RowResult
  ) {
    self.name = name
    self.measure = measure
  }
}

/// The programs that are compared, a provider between them, and a home for rasa.
struct Bench: Sendable {
  let rasa: String
  let floors: String
  /// This program, to be started again as one of several.
  let itself = "/proc/self/exe"
  private let server: ServerProcess
  private let home: ScratchDirectory
  let baseURL: String

  init(rasa: String, provider: String, floors: String) throws {
    self.rasa = rasa
    self.floors = floors
    server = try ServerProcess(provider, [])
    guard let address = server.greeting.split(separator: " ").last, address.hasPrefix("http") else {
      throw Failure(.run, "the provider did not start: \(server.greeting)")
    }
    baseURL = String(address)
    home = ScratchDirectory()
    try home.write(Self.single, to: "personas/single.yaml")
  }

  static let single = """
    name: single
    description: One streamed answer.
    frames: [stateless_frame]
    operators: []
    """

  static let rows: [Row] =
    [
      .firstToken, .steps, .wholeRun, .throughput, .pacedLatency, .fiveCalls, .fiveCallsDurable,
      .fiveCallsDelayed, .fiveCallsProcess, .packedStreams, .manyRuns, .manyDurableRuns,
      .residentMemory, .programSize, .durableStep, .manyWriters, .journalSize,
      .resume, .parkedRuns, .gateInMemory, .gateDurable, .reservations, .singleReservations,
      .limits, .trimming,
      .selection, .template, .rendering, .checking,
    ] + Row.decoding + Row.agents + Row.tools + [.sandboxedStart] + Row.memory + Row.performance + [
      .recallingFirstToken, .vectors,
    ] + Row.routing + Row.forwarding + Row.forwardingMany

  /// Measured only where they are named.
  static let rowsByName: [Row] = [.incrementalBuild, .largeMemory, .manyVectors]

  var completions: String { "\(baseURL)/v1/chat/completions" }

  var environment: [String: String] {
    [
      "RASA_HOME": home.path, "OPENAI_BASE_URL": "\(baseURL)/v1", "OPENAI_API_KEY": "sk-none",
      "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home.path, "USER": "bench",
    ]
  }

  /// A program run from outside, in a folder without personas of its own.
  func program(
    _ path: String, _ arguments: [String], keepsPieces: Bool = false,
    adding variables: [String: String] = [:]
  ) throws -> MeasuredRun {
    let run = try MeasuredRun.run(
      path, arguments, environment: environment.merging(variables) { $1 }, folder: folder,
      keepsPieces: keepsPieces)
    guard run.exitCode == 0 else {
      throw Failure(
        .run, "\(path) \(arguments.joined(separator: " ")) ended with \(run.exitCode)")
    }
    return run
  }

  var folder: String { home.path }

  func ask(_ persona: String, model: String, of provider: String = "openai") -> [String] {
    ["run", "--persona", persona, "--input", "hello", "--model", "\(provider):\(model)", "--quiet"]
  }

  func floor(_ name: String) -> String { "\(floors)/\(name)" }

  /// What `rasa bench` says of itself, as JSON.
  func selfMeasured(_ arguments: [String]) async throws -> Value {
    let run = try await ProgramRun.run(
      rasa, ["bench"] + arguments + ["--json"], environment: environment, folder: folder,
      limit: .seconds(300))
    guard run.exitCode == 0 else {
      throw Failure(.run, "rasa bench ended with \(run.exitCode): \(run.errorText)")
    }
    return try JSON.parse(run.output)
  }

  /// A in turn with B, so that a drift of the machine meets both.
  func paired(
    _ count: Int, _ first: () async throws -> Double, _ second: () async throws -> Double
  ) async throws -> (Double, Double) {
    var left: [Double] = []
    var right: [Double] = []
    for index in 0...count {
      let one = try await first()
      let other = try await second()
      // The first pair warms files and caches.
      if index > 0 {
        left.append(one)
        right.append(other)
      }
    }
    return (left.median, right.median)
  }
}

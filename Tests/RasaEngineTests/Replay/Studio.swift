import RasaCore
import RasaPersona
import RasaSystem
import Testing

@testable import RasaEngine

/// Runs a persona and makes a recording of it.
struct Studio {
  let graph: Graph
  var script: FakeGate.Script = Studio.answers
  var people = FakePeople()
  var store = FakeStore()
  var session: String? = "s"
  var input = "question"
  var preferences: ValueObject = ["risk": "low"]

  init(_ definition: PersonaDefinition) throws { graph = try compile(definition) }

  /// A persona that ships, with the files that it is made of.
  init(shipped name: String) throws {
    let recorder = FileRecorder()
    let library = recorder.recording(
      Library(
        personas: [Embedded(folder: "personas")], operators: [Embedded(folder: "operators")]))
    var graph = try Graph.compile(library.persona(named: name)) { name throws(Failure) in
      try library.operatorDefinition(named: name)
    }
    graph.pinned = recorder.files(of: [graph.persona.name]).value
    self.graph = graph
  }

  /// The journal of the run, however it ended.
  func run() async -> [JournalEntry] {
    let runner = Runner(
      RunDependencies(
        gate: FakeGate(journal: store, script), journal: store, memory: store,
        approvalHandler: people,
        time: .still()))
    var start = start(graph, input: input, session: session)
    start.preferences = preferences
    _ = try? await runner.run(graph, start)
    return store.snapshot.entries
  }

  func record() async throws -> Recording {
    let made = try await Recording.make(of: await run(), on: graph)
    #expect(made.differences == [])
    return made.recording
  }

  /// Answers as the shipped operators want to be answered; texts name who wrote them.
  static let answers: FakeGate.Script = { request, context, onEvent in
    guard let schema = request.schema else {
      return try await FakeGate.stream(
        "\(context.key.operatorName) says\n\nline two of visit \(context.key.visit)", onEvent)
    }
    var value = instance(of: schema)
    if context.key.operatorName == "critic_agent" {
      value["verdict"] = context.key.visit == 1 ? "revise" : "pass"
    }
    if context.key.operatorName == "find_cause" {
      value["confidence"] = .double(context.key.visit > 2 ? 0.9 : 0.25)
    }
    return Value.object(value).json()
  }

  /// The least that fits a schema of an object.
  static func instance(of schema: Value) -> ValueObject {
    ValueObject(
      (schema["properties"].object ?? ValueObject()).map { ($0.key, example(of: $0.value)) })
  }

  private static func example(of schema: Value) -> Value {
    if let first = schema["enum"].array?.first { return first }
    switch schema["type"].string {
    case "array": return [example(of: schema["items"])]
    case "object": return .object(instance(of: schema))
    case "integer": return schema["minimum"].isNull ? 1 : schema["minimum"]
    case "number": return 0.5
    case "boolean": return true
    default: return "some text"
    }
  }
}

/// What ships inside of the binary.
private struct Embedded: DefinitionSource {
  let folder: String
  var label: String { "shipped" }
  func list() throws(Failure) -> [String] { [] }
  func read(_ name: String) throws(Failure) -> SourceDocument? {
    EmbeddedFiles.bytes(of: "\(folder)/\(name).yaml").map {
      SourceDocument(bytes: $0, path: "shipped:\(folder)/\(name).yaml")
    }
  }
  func readSibling(_ path: String, of _: String) throws(Failure) -> SourceDocument {
    throw Failure(.configuration, "there is no shipped file `\(path)`")
  }
}

extension Recording {
  /// Written to a file and read again.
  func reread() throws -> Recording {
    try Recording(Array(text.utf8), file: "test.json")
  }

  /// What a replay on that persona differs in.
  func differences(on graph: Graph) async throws -> [Difference] {
    try await Replay(self, on: graph).run().differences
  }
}

/// What a recording has to do, whatever run it is of: it is the same when it is read again, and its
/// replay has no differences and observes the same.
func expectFaithful(
  _ recording: Recording, on graph: Graph, _ comment: Comment? = nil,
  sourceLocation: Testing.SourceLocation = #_sourceLocation
) async throws {
  let again = try recording.reread()
  #expect(again == recording, comment, sourceLocation: sourceLocation)
  let replayed = try await Replay(again, on: graph).run()
  #expect(replayed.differences == [], comment, sourceLocation: sourceLocation)
  #expect(replayed.observed == recording, comment, sourceLocation: sourceLocation)
}

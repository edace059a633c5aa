import RasaCore
import RasaDocuments
import RasaTestKit

/// The built program in a home of its own, with a provider to talk to when there is one.
struct RasaProgram {
  let home: ScratchDirectory
  var environment: [String: String]

  init(_ provider: ScriptedProvider? = nil) throws {
    home = try ScratchDirectory()
    environment = [
      "RASA_HOME": home.path, "HOME": home.path, "USER": "tester", "PATH": "/usr/bin:/bin",
      "TZ": "UTC",
    ]
    if let provider {
      environment["OPENAI_BASE_URL"] = provider.openAIBaseURL
      environment["OPENAI_API_KEY"] = "sk-made-up"
      environment["LLM_MODEL"] = "gpt-4o-mini"
    } else {
      environment["LLM_PROVIDER"] = "mock"
    }
  }

  /// The program stands beside the test bundle.
  static var binary: String {
    let bundle = CommandLine.arguments[0]
    return (bundle.lastIndex(of: "/").map { String(bundle[...$0]) } ?? "./") + "rasa"
  }

  func run(_ arguments: String..., input: String = "") async throws -> ProgramRun {
    try await ProgramRun.run(
      Self.binary, arguments, environment: environment, input: Array(input.utf8),
      folder: home.path)
  }

  func shell(_ script: String) async throws -> ProgramRun {
    try await ProgramRun.run(
      "/bin/sh", ["-c", script], environment: environment.merging(["RASA": Self.binary]) { $1 },
      folder: home.path)
  }

  func terminal(_ arguments: String...) throws -> TerminalSession {
    try TerminalSession(
      Self.binary, arguments, environment: environment, folder: home.path)
  }

  func terminal(columns: Int32, _ arguments: [String]) throws -> TerminalSession {
    try TerminalSession(
      Self.binary, arguments, environment: environment, folder: home.path, columns: columns)
  }

  /// A persona of one streamed answer.
  func writeSingle(_ more: String = "") throws {
    try home.write(
      "name: single\ndescription: One answer.\nframes: [session_frame]\noperators: []\n\(more)",
      to: "personas/single.yaml")
  }
}

extension Script {
  /// Answers as the operators of the first example want to be answered.
  static func forOperator(_ name: String, _ text: String) -> Script {
    Script.text(text).with { script in
      script.matches = { $0.schemaName == name }
    }
  }
}

extension ReceivedRequest {
  /// Which operator asks, when it has a schema.
  var schemaName: String? { json["response_format"]["json_schema"]["name"].string }
}

extension ReceivedRequest {
  /// What the system message says beside the day on which the run began.
  var instructions: String {
    let message = messages.first ?? ""
    guard let date = message.firstRange(of: "\n\nToday is ") else { return message }
    return String(message[..<date.lowerBound])
  }
}

extension ProgramRun {
  /// Whether the program printed an answer, as text or in a document, and not only what went wrong.
  var hasAnswer: Bool {
    guard !output.isEmpty else { return false }
    guard let document = try? JSON.parse(output) else { return true }
    return document["error"].isNull || !document["output"].isNull
  }
}

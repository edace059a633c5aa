import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

/// What runs and their questions are, as the program tells programs.
extension RasaProgram {
  /// A persona whose one answer a person has to see.
  func writeGate() throws {
    try home.write(
      "name: gate\ndescription: A person looks.\nframes: [session_frame]\noperators: [hitl]\n",
      to: "personas/gate.yaml")
  }

  func json(_ arguments: String...) async throws -> Value {
    let run = try await ProgramRun.run(
      Self.binary, arguments + ["--json"], environment: environment, folder: home.path)
    #expect(run.exitCode == 0, "\(arguments): \(run.errorText)")
    return try JSON.parse(run.output)
  }

  /// The newest run.
  func latest() async throws -> Value {
    try #require(try await json("runs", "list").array?.first)
  }

  func latestRun() async throws -> String {
    try #require(try await latest()["run"].string)
  }

  /// The one question that waits.
  func waiting() async throws -> String {
    let questions = try await json("approvals", "list").array ?? []
    #expect(questions.count == 1)
    return try #require(questions.first?["approval"].string)
  }

  /// Begins a run that parks at its question, and returns the question.
  ///
  /// - Parameter alone: whether it is the only one that waits.
  @discardableResult
  func park(_ input: String = "May I?", alone: Bool = true) async throws -> String {
    let run = try await run("run", "-p", "gate", input, "--approval", "defer")
    #expect(run.exitCode == 7 && run.output.isEmpty, "\(run.text)\(run.errorText)")
    return alone ? try await waiting() : ""
  }

  func begin(_ arguments: String...) throws -> RunningProgram {
    try RunningProgram(
      Self.binary, arguments, environment: environment, folder: home.path)
  }
}

extension ScriptedProvider {
  /// Questions to a model; lists of models are not.
  var asked: Int { requests.count { $0.method == "POST" } }
}

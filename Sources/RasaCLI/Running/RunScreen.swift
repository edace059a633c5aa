import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// Shows one run: the answer on standard output, everything else on standard error.
protocol RunScreen: Sendable {
  func show(_ observation: Rasa.Observation) async throws
  /// - Parameter failure: what is wrong all the same: above all, that it waits for people.
  func finish(_ result: Rasa.RunResult, failure: Failure?) async throws
  /// Takes away what would be in the way of an error message or a question.
  func clear() async
}

/// One JSON document at the end; what people want to know meanwhile stands on standard error.
struct JSONScreen: RunScreen {
  let commentary: TextScreen
  let deliver: @Sendable (Value) throws -> Void

  func show(_ observation: Rasa.Observation) async throws { try await commentary.show(observation) }
  func clear() async { await commentary.clear() }

  func finish(_ result: Rasa.RunResult, failure: Failure?) async throws {
    try await commentary.finish(result, failure: failure)
    try deliver(.object(result.document(failure)))
  }
}

/// One JSON document a line, as things happen; the last one is the result.
struct StreamJSONScreen: RunScreen {
  let commentary: TextScreen
  let output: Output

  func show(_ observation: Rasa.Observation) async throws {
    try await commentary.show(observation)
    guard let line = observation.json else { return }
    try write(line.description)
  }

  func clear() async { await commentary.clear() }

  func finish(_ result: Rasa.RunResult, failure: Failure?) async throws {
    try await commentary.finish(result, failure: failure)
    var value = result.document(failure)
    value["type"] = "result"
    try write(Value.object(value).json(.compact))
  }

  private func write(_ line: String) throws {
    try commentary.progress.write(line + "\n", to: output)
  }
}

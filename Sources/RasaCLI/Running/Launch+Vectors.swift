import RasaCore
import RasaKit

extension Launch {
  /// Makes vectors of what has been said and remembered, after the answer.
  ///
  /// - Parameter isWaitedFor: whether somebody waits for the program to end.
  /// - Returns: what came to nothing, if anything did; it is made up for after the next answer.
  func embedMemories(of runnable: Rasa.Runnable, _ settings: RunSettings, isWaitedFor: Bool = false)
    async -> String?
  {
    func problem(_ message: String, _ suggestion: String?) -> String {
      let mend = suggestion.map { $0.isEmpty ? "" : " → \($0)" } ?? ""
      return "not everything has its vector yet: \(message)\(mend)"
    }
    do {
      let outcome = try await runnable.embedSome(
        user: settings.options.user, isWaitedFor: isWaitedFor)
      return outcome?.problem.map { problem($0, outcome?.suggestion) }
    } catch {
      let failure = error as? Failure ?? (error as? RasaError)?.failure
      return problem(failure?.message ?? "\(error)", failure?.suggestion)
    }
  }
}

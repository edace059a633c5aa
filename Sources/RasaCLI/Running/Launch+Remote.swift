import RasaCore
import RasaKit
import RasaSystem

extension Launch {
  /// Runs a persona or an agent on a server and shows it, as one that runs here.
  func run(
    _ subject: Rasa.Remote.Subject, on remote: Rasa.Remote, _ settings: RunSettings,
    at presentation: RunPresentation
  ) async throws {
    let screen = presentation.screen
    var observer = Rasa.Observer { try await screen.show($0) }
    observer.warn = presentation.warn
    do {
      let result = try await interruptible { [observer] _ in
        try await remote.run(
          subject, input: settings.input, options: settings.options, observer: observer,
          approve: presentation.approve)
      }
      let parked = result.pending.first.map { first in
        Failure(
          .approval,
          "\(result.run) is parked on the server: \(first.step.name) waits for an answer",
          suggestion: "answer `POST /v1/approvals/\(first.id)` there; the run then goes on")
      }
      let failure = parked ?? (settings.isStrict ? Failure(notWhole: result) : nil)
      try await screen.finish(result, failure: failure)
      if let failure { throw failure }
    } catch {
      await screen.clear()
      throw error
    }
  }
}

import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

extension Launch {
  /// Asks the person at the terminal how good the answer was, and keeps the stars. Whatever comes of it, the run is done.
  func askForRating(
    of run: String, _ settings: RunSettings, at presentation: RunPresentation
  ) async {
    // In a chat the next question is what a person wants to type.
    guard later == nil, settings.format == .text, !settings.isQuiet, isInteractive,
      // A run without a record cannot be rated.
      (try? await rasa.report(ofRun: run)) != nil
    else { return }
    let prompt = ApprovalPrompt(
      environment: console.environment, style: console.terminal.style(of: .error))
    do {
      // A signal ends the question, and leaves the terminal as it was.
      let rating = try await interruptible { _ in try await prompt.askForRating() }
      guard let rating else { return }
      try await rasa.rate(run, stars: rating.stars, comment: rating.comment)
    } catch is Interrupted {
      return
    } catch {
      let reason = (error as? Failure)?.message ?? (error as? RasaError)?.message ?? "\(error)"
      presentation.warn("the rating was not kept: \(reason)")
    }
  }

  /// Whether a person reads the answer and types, and no program or file is on either side.
  private var isInteractive: Bool {
    let terminal = console.terminal
    let isUnattended = !["", "0", "false"].contains(console.environment["CI"] ?? "")
    return console.canAsk && terminal.outputIsTerminal && !isUnattended
  }
}

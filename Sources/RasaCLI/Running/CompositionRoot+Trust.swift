import RasaKit

extension CompositionRoot {
  /// Asks the `TrustQuestion`, and throws a refusal as a `Failure`.
  func settleTrust() async throws {
    do {
      try await TrustQuestion(rasa: Rasa(self, store()), console: console).settle()
    } catch let error as RasaError {
      // The callers handle failures only.
      throw error.failure
    }
  }
}

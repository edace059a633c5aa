import RasaKit

extension CompositionRoot {
  /// Asks once about a folder whose files change what rasa does; where nobody can be asked, it is
  /// refused.
  func settleTrust() async throws {
    do {
      try await TrustQuestion(rasa: Rasa(self, store()), console: console).settle()
    } catch let error as RasaError {
      // What is around it handles failures, one by one.
      throw error.failure
    }
  }
}

import RasaCore
import RasaEngine
import RasaStore

extension Rasa {
  /// Runs that a server has to go on with: those that it was carrying out when its process ended.
  ///
  /// - Parameter parked: The IDs of those that an orderly stop has parked.
  package func servedRuns(parked: [String]) async throws(RasaError) -> [RunSummary] {
    try await redacted {
      var served: [RunSummary] = []
      for found in try await archive.list(
        includesInternal: false, conditions: [.died, .interrupted], limit: 10_000)
      {
        guard found.condition == .died || parked.contains(found.id.text) else { continue }
        let first = try await store.journal(of: found.id, after: 0).entries.first
        guard first?.body["options"][RunStart.servedOption].bool == true else { continue }
        served.append(RunSummary(found))
      }
      return served.reversed()
    }
  }
}

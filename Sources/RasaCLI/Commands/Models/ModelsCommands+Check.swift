import RasaCore
import RasaKit

/// `rasa models check`: asks providers for their lists, never for an answer.
extension ModelsCommands {
  func check(_ names: [String]) async throws {
    let checks = try await rasa.checkModels(names)
    let listing = Table(
      columns: ["PROVIDER", "MODEL", "STATE", "WHY"],
      rows: checks.map { [$0.provider, $0.modelText, $0.availability.rawValue, $0.reason] },
      values: checks.map { check in
        [
          "provider": .string(check.provider),
          "model": check.model.map { .string($0) } ?? .null,
          "status": .string(check.availability.rawValue), "reason": .string(check.reason),
          "error": check.problem?.failure.value ?? .null,
        ]
      })
    let hasReasons = checks.contains { !$0.reason.isEmpty }
    try print(hasReasons ? listing : listing.fitting(0, leavingOut: ["WHY"]))
    let failed = checks.filter { $0.availability == .unavailable }
    let isBad = names.isEmpty ? failed.count == checks.count : !failed.isEmpty
    guard isBad, let first = failed.first else { return }
    let isRefused = failed.allSatisfy { $0.problem?.code == .authentication }
    throw Failure(
      isRefused ? .authentication : .provider,
      "\(first.provider) \(first.modelText) is unavailable: \(first.reason)",
      suggestion: first.problem?.suggestion
        ?? "`rasa models check` shows what \(first.provider) has")
  }
}

extension Rasa.ModelCheck {
  fileprivate var modelText: String { model ?? "(all)" }
}

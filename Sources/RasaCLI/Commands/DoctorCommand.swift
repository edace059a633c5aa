import RasaCore
import RasaDocuments
import RasaEngine
import RasaHTTPClient
import RasaKit
import RasaModels
import RasaPersona
import RasaStore
import RasaSystem

/// `rasa doctor`: what works here, and the mend for what does not.
struct DoctorCommand {
  let house: CompositionRoot
  let print: Printer

  private struct Finding {
    enum Verdict: String { case ok, note, broken }
    var verdict: Verdict
    var subject: String
    var text: String
    var suggestion = ""
    var kind: Failure.Kind = .configuration
  }

  func run() async throws {
    var findings = [
      Finding(verdict: .ok, subject: "rasa", text: "version \(Program.version)"),
      Finding(
        verdict: .ok, subject: "files",
        text:
          "personas and operators in \(house.folders.configuration), data in \(house.folders.data)"),
    ]
    findings.append(await database())
    findings.append(definitions())
    findings.append(network())
    findings += await providers()
    let today = house.time.localDay(house.time.now())
    findings.append(
      Finding(
        verdict: .ok, subject: "calendar",
        text: "today is \(today) here; daily and monthly budgets follow this calendar"))
    try show(findings)
    if let broken = findings.first(where: { $0.verdict == .broken }) {
      throw Failure(broken.kind, "\(broken.subject): \(broken.text)", suggestion: broken.suggestion)
    }
  }

  private func show(_ findings: [Finding]) throws {
    if print.isJSON {
      return try print(
        .array(
          findings.map { finding in
            [
              "subject": .string(finding.subject), "status": .string(finding.verdict.rawValue),
              "text": .string(finding.text),
              "suggestion": finding.suggestion.isEmpty ? .null : .string(finding.suggestion),
            ]
          }))
    }
    for finding in findings {
      let suggestion = finding.suggestion.isEmpty ? "" : "\n           → \(finding.suggestion)"
      try print(
        text:
          "\(finding.verdict.rawValue.padded(to: 7))\(finding.subject): \(finding.text)\(suggestion)\n"
      )
    }
  }

  private func database() async -> Finding {
    let store = house.store()
    let finding = await finding(on: store)
    await store.close()
    return finding
  }

  private func finding(on store: any RunStore) async -> Finding {
    do {
      let sessions = try await store.sessions(limit: 1)
      if try await store.hasUnfinishedDeletions() {
        return Finding(
          verdict: .note, subject: "database",
          text:
            "\(house.databasePath) opens, but a deletion is unfinished: deleted data "
            + "may still be in the file",
          suggestion:
            "the next deletion finishes it, for example `rasa runs prune --older-than 3650d`, which "
            + "deletes only very old runs")
      }
      let used = sessions.isEmpty ? "no session yet" : "last session \(sessions[0].id.name)"
      return Finding(
        verdict: .ok, subject: "database", text: "\(house.databasePath) opens (\(used))")
    } catch {
      let failure = error as? Failure ?? Failure(.storage, "\(error)")
      return Finding(
        verdict: .broken, subject: "database", text: failure.message,
        suggestion: failure.suggestion,
        kind: .storage)
    }
  }

  private func definitions() -> Finding {
    do throws(Failure) {
      let library = house.library
      let personas = try library.personas()
      let operators = try library.operators()
      let broken = personas.filter { (try? house.graph($0.name)) == nil }.map(\.name)
      guard broken.isEmpty else {
        return Finding(
          verdict: .note, subject: "personas",
          text: "cannot be run: \(broken.joined(separator: ", "))",
          suggestion: "see `rasa personas validate`")
      }
      return Finding(
        verdict: .ok, subject: "personas",
        text: "\(personas.count) personas and \(operators.count) operators, all valid")
    } catch {
      return Finding(
        verdict: .broken, subject: "personas", text: error.message, suggestion: error.suggestion)
    }
  }

  /// Which way requests go and whom they trust, and who said so.
  private func network() -> Finding {
    do throws(Failure) {
      let summary = NetworkSummary(try house.network())
      if let problem = summary.problem {
        return Finding(
          verdict: .broken, subject: "network", text: problem.message,
          suggestion: problem.suggestion ?? "")
      }
      return Finding(verdict: .ok, subject: "network", text: summary.text)
    } catch {
      return Finding(
        verdict: .broken, subject: "network", text: error.message, suggestion: error.suggestion,
        kind: error.kind)
    }
  }

  private func providers() async -> [Finding] {
    do {
      let client = try house.client()
      defer { client.shutdown() }
      let configuration = try await ProviderCheck.complete(
        house.models(house.configuration(), onWarning: { _ in }), client: client, time: house.time)
      let reports = try await ProviderCheck.run(
        configuration.providers, client: client, time: house.time)
      guard !reports.isEmpty else {
        return [
          Finding(
            verdict: .note, subject: "models",
            text: "no provider is configured and Ollama is not running, so the mock answers",
            suggestion: "set the key of a provider, such as OPENAI_API_KEY, or start Ollama")
        ]
      }
      return reports.map { report in
        if let problem = report.problem {
          return Finding(
            verdict: report.availability == .unknown ? .note : .broken, subject: report.name,
            text: "\(report.address): \(problem.message)", suggestion: problem.suggestion,
            kind: problem.kind)
        }
        let some = report.models.prefix(4).joined(separator: ", ")
        let more = report.models.count > 4 ? ", and \(report.models.count - 4) more" : ""
        return Finding(
          verdict: .ok, subject: report.name,
          text: "\(report.address) responds and has \(some.isEmpty ? "no models" : some + more)")
      }
    } catch {
      let failure = error as? Failure ?? Failure(.provider, "\(error)")
      return [
        Finding(
          verdict: .broken, subject: "models", text: failure.message,
          suggestion: failure.suggestion,
          kind: failure.kind)
      ]
    }
  }
}

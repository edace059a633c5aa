import RasaCore
import RasaEngine
import RasaHTTPClient
import RasaModels
import RasaPersona
import RasaStore
import RasaTools

extension Rasa {
  /// One thing that was examined: whether it works here, and what to do where it does not.
  public struct Diagnosis: Sendable, Hashable, Codable {
    /// How a thing stands. More states may come.
    public struct Status: Sendable, Hashable, Codable, CustomStringConvertible {
      private enum Kind: String, Sendable, Hashable, Codable { case ok, note, broken }
      private let kind: Kind

      private init(_ kind: Kind) { self.kind = kind }

      /// It works.
      public static let ok = Status(.ok)
      /// It works, and there is something to know about it.
      public static let note = Status(.note)
      /// It does not work.
      public static let broken = Status(.broken)

      /// The word that the program `rasa` has for it.
      public var description: String { kind.rawValue }
    }

    /// What was examined: `files`, `database`, `personas`, `tools` where some are declared, `network`, `models`,
    /// `calendar`, or the name of a provider.
    public var subject: String
    /// How it stands.
    public var status: Status
    /// What was found.
    public var text: String
    /// What to do; empty where there is nothing to do.
    public var suggestion: String
    /// What kind of error a broken thing is; nil for anything else.
    public var code: RasaError.Code?

    init(
      _ status: Status, _ subject: String, _ text: String, suggestion: String = "",
      kind: Failure.Kind = .configuration
    ) {
      self.status = status
      self.subject = subject
      self.text = text
      self.suggestion = suggestion
      code = status == .broken ? RasaError.Code(kind) : nil
    }

    /// The diagnosis as an error, for a program that cannot go on without what is broken; nil where
    /// nothing is.
    public var error: RasaError? {
      code.map { RasaError($0, "\(subject): \(text)", suggestion: suggestion) }
    }
  }

  /// Examines what rasa needs: its files, the database, personas, the network, every configured provider,
  /// and the calendar of budgets. Providers are asked for their list of models, which costs nothing.
  ///
  /// - Returns: What was found, in this order.
  public func diagnose() async -> [Diagnosis] {
    let folders = folders
    var found = [
      Diagnosis(
        .ok, "files",
        "personas and operators in \(folders.configuration), data in \(folders.data)"),
      await diagnoseDatabase(), await diagnoseDefinitions(), diagnoseNetwork(),
    ]
    if let tools = diagnoseTools() { found.append(tools) }
    found += await diagnoseProviders()
    found.append(
      Diagnosis(
        .ok, "calendar",
        "today is \(composition.time.localDay(composition.time.now())) here; daily and monthly budgets follow this "
          + "calendar"))
    return found
  }

  private func diagnoseDatabase() async -> Diagnosis {
    let path = composition.databasePath
    do {
      let sessions = try await store.sessions(limit: 1)
      if try await store.hasUnfinishedDeletions() {
        return Diagnosis(
          .note, "database",
          "\(path) opens, but a deletion is unfinished: deleted data may still be in the file",
          suggestion:
            "the next deletion finishes it, for example `rasa runs prune --older-than 3650d`, which "
            + "deletes only very old runs")
      }
      let used = sessions.isEmpty ? "no session yet" : "last session \(sessions[0].id.name)"
      return Diagnosis(.ok, "database", "\(path) opens (\(used))")
    } catch {
      let failure = error as? Failure ?? Failure(.storage, "\(error)")
      return Diagnosis(
        .broken, "database", failure.message, suggestion: failure.suggestion, kind: .storage)
    }
  }

  @concurrent
  private func diagnoseDefinitions() async -> Diagnosis {
    do throws(Failure) {
      let library = composition.library
      let personas = try library.personas()
      let operators = try library.operators()
      let broken = personas.filter { (try? composition.graph($0.name)) == nil }.map(\.name)
      guard broken.isEmpty else {
        return Diagnosis(
          .note, "personas", "cannot be run: \(broken.joined(separator: ", "))",
          suggestion: "see `rasa personas validate`")
      }
      return Diagnosis(
        .ok, "personas",
        "\(personas.count) personas and \(operators.count) operators, all valid")
    } catch {
      return Diagnosis(.broken, "personas", error.message, suggestion: error.suggestion)
    }
  }

  /// Whether the declared tools can be used, as far as that is known without starting anything. Nil without any.
  private func diagnoseTools() -> Diagnosis? {
    do throws(Failure) {
      let declared = try composition.declaredTools()
      let entries = ToolCatalogue(declared.layers).entries
      if let problem = declared.problems.first {
        return Diagnosis(
          .note, "tools", problem.location.map { "\($0): \(problem.message)" } ?? problem.message,
          suggestion: problem.suggestion)
      }
      guard !entries.isEmpty else { return nil }
      let starts = entries.contains {
        $0.declaration.command != nil && $0.declaration.sandbox.runtime == .bubblewrap
      }
      if starts,
        SandboxSettings(composition.environment, folders: composition.folders).bubblewrap == nil
      {
        return Diagnosis(
          .broken, "tools", "programs and servers cannot be started: bubblewrap is not installed",
          suggestion: "run: sudo apt install bubblewrap")
      }
      let pins = services.tools.parts.pins
      var waiting: [String] = []
      for entry in entries where entry.declaration.isServer {
        guard let pin = try pins.pin(of: entry.declaration) else {
          waiting.append(entry.declaration.reference)
          continue
        }
        if pin.changed != nil { waiting.append("\(entry.declaration.reference) (it has changed)") }
      }
      let count = entries.count == 1 ? "1 tool or server" : "\(entries.count) tools and servers"
      guard waiting.isEmpty else {
        return Diagnosis(
          .note, "tools", "\(count) declared; not approved yet: \(waiting.joined(separator: ", "))",
          suggestion: "`rasa tools approve NAME` shows what one needs, and starts it")
      }
      return Diagnosis(.ok, "tools", "\(count) declared")
    } catch {
      return Diagnosis(.broken, "tools", error.message, suggestion: error.suggestion)
    }
  }

  /// Which way requests go and whom they trust, and who said so.
  private func diagnoseNetwork() -> Diagnosis {
    do throws(Failure) {
      let summary = NetworkSummary(try composition.network())
      if let problem = summary.problem {
        return Diagnosis(
          .broken, "network", problem.message, suggestion: problem.suggestion ?? "")
      }
      return Diagnosis(.ok, "network", summary.text)
    } catch {
      return Diagnosis(
        .broken, "network", error.message, suggestion: error.suggestion, kind: error.kind)
    }
  }

  private func diagnoseProviders() async -> [Diagnosis] {
    do {
      let client = try services.client
      let configuration = try await RasaModels.ProviderCheck.complete(
        composition.models(composition.configuration(), onWarning: { _ in }), client: client,
        time: composition.time)
      let reports = try await RasaModels.ProviderCheck.run(
        configuration.providers, client: client, time: composition.time)
      guard !reports.isEmpty else {
        return [
          Diagnosis(
            .note, "models",
            "no provider is configured and Ollama is not running, so the mock answers",
            suggestion: "set the key of a provider, such as OPENAI_API_KEY, or start Ollama")
        ]
      }
      return reports.map { report in
        if let problem = report.problem {
          return Diagnosis(
            report.availability == .unknown ? .note : .broken, report.name,
            "\(report.address): \(problem.message)", suggestion: problem.suggestion,
            kind: problem.kind)
        }
        let some = report.models.prefix(4).joined(separator: ", ")
        let more = report.models.count > 4 ? ", and \(report.models.count - 4) more" : ""
        return Diagnosis(
          .ok, report.name,
          "\(report.address) responds and has \(some.isEmpty ? "no models" : some + more)")
      }
    } catch {
      let failure = error as? Failure ?? Failure(.provider, "\(error)")
      return [
        Diagnosis(
          .broken, "models", failure.message, suggestion: failure.suggestion, kind: failure.kind)
      ]
    }
  }
}

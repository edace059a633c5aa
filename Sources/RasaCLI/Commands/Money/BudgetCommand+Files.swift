import RasaCore
import RasaKit
import RasaSystem

/// Budgets as files, one for each owner.
extension BudgetCommand {
  private static let largest = 1_000_000

  // MARK: Export

  func export(_ id: String?, to folder: String) async throws {
    let budgets =
      if let id { [try await rasa.budget(of: id)] } else { try await rasa.budgets() }
    try FileSystem.makeFolder(folder)
    var written: [Value] = []
    for budget in budgets {
      let path = "\(folder)/\(budget.owner).json"
      // The books outlive the rules for names.
      guard !budget.owner.hasByte("/") else { continue }
      try FileSystem.write(budget.file(), to: path)
      written.append(["agent_id": .string(budget.owner), "file": .string(path)])
      if !print.isJSON { try print(text: "wrote \(path)\n") }
    }
    if print.isJSON { return try print(.array(written)) }
    if written.isEmpty { try print(text: "nothing to write\n") }
  }

  // MARK: Import

  /// Every file that can be read counts, also beside broken ones.
  func importFiles(_ path: String) async throws {
    let paths = try files(at: path)
    // A broken config.yaml is reported once, and not as a fault of every file.
    _ = try await rasa.today()
    var failures: [Failure] = []
    var changes: [Value] = []
    for path in paths {
      do {
        changes += try await importFile(path)
      } catch let error as RasaError where error.code == .configuration {
        failures.append(error.failure)
      } catch let failure as Failure where failure.kind == .configuration {
        failures.append(failure)
      }
    }
    if print.isJSON { try print(.array(changes)) }
    guard let first = failures.first else { return }
    guard paths.count > 1 else { throw first }
    throw Failure(
      .configuration,
      "\(failures.count) of \(paths.count) files cannot be imported; the others were imported",
      suggestion: "fix them and import again; nothing is counted twice",
      details: failures.flatMap {
        "\($0)".split(atByte: "\n", omittingEmpty: true).map(String.init)
      })
  }

  private func files(at path: String) throws(Failure) -> [NamedFile] {
    guard FileSystem.kind(of: path) == .folder else { return [NamedFile(path)] }
    let names = try FileSystem.list(path).filter {
      $0.kind != .folder && $0.name.hasSuffix(".json")
    }
    guard !names.isEmpty else {
      throw Failure(
        .usage, "there are no budget files in \(path)",
        suggestion: "name a folder with files such as `my-agent.json`")
    }
    let root = FileRoot(path)
    return names.map { NamedFile($0.name, in: root) }
  }

  private func importFile(_ file: NamedFile) async throws -> [Value] {
    let found = try await rasa.importBudget(
      try file.read(limit: Self.largest), named: file.path)
    for warning in found.warnings { console.warn(warning) }
    return try found.periods.map { period in
      let change = period.change
      if !print.isJSON {
        let what =
          change.change == .zero
          ? "already counts \(period.spent.centsText) or more"
          : "counts \(period.spent.centsText) now, \(change.change.centsText) more than before"
        try print(text: "\(change.owner), \(change.period): \(what)\n")
      }
      return [
        "agent_id": .string(change.owner), "period": .string(change.period),
        "spent_usd": .string(period.spent.decimalText),
        "changed_by_usd": .string(change.change.decimalText),
      ]
    }
  }
}

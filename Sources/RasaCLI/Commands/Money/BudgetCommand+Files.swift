import RasaAgents
import RasaCore
import RasaEngine
import RasaKit
import RasaPersona
import RasaSystem

/// Budgets as files, one for each owner.
extension BudgetCommand {
  private static let largest = 1_000_000

  // MARK: Export

  func export(_ id: String?, to folder: String) async throws {
    let statuses: [BudgetStatus]
    if let id {
      statuses = [try await books.status(of: books.owner(named: id))]
    } else {
      statuses = try await allStatuses()
    }
    try FileSystem.makeFolder(folder)
    var written: [Value] = []
    for status in statuses {
      let path = "\(folder)/\(status.owner.title).json"
      // The books outlive the rules for names.
      guard !status.owner.title.hasByte("/") else { continue }
      try FileSystem.write(status.file.text, to: path)
      written.append(["agent_id": .string(status.owner.title), "file": .string(path)])
      if !print.isJSON { try print(text: "wrote \(path)\n") }
    }
    if print.isJSON { return try print(.array(written)) }
    if written.isEmpty { try print(text: "nothing to write\n") }
  }

  // MARK: Import

  /// Every file that can be read counts, also beside broken ones.
  func importFiles(_ path: String) async throws {
    let paths = try files(at: path)
    var failures: [Failure] = []
    var changes: [Value] = []
    for path in paths {
      do {
        changes += try await importFile(path)
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

  private func importFile(_ named: NamedFile) async throws -> [Value] {
    let path = named.path
    let bytes = try named.read(limit: Self.largest)
    let reading = BudgetFile.read(SourceDocument(bytes: bytes, path: path))
    let file = try reading.get()
    for warning in reading.warnings { books.warn(warning) }
    let owner = try await importedOwner(file.agentID)
    var changes: [Value] = []
    if let daily = file.daily {
      changes.append(
        try await raise(
          .day(owner: owner.name, daily.date), of: owner, "\(daily.date)", daily.amounts))
      compare(daily.amounts.limit, owner.daily, "daily", owner, path)
    }
    if let monthly = file.monthly {
      changes.append(
        try await raise(
          .month(owner: owner.name, monthly.month), of: owner, monthly.month, monthly.amounts))
      compare(monthly.amounts.limit, owner.monthly, "monthly", owner, path)
    }
    return changes
  }

  /// Files may be of agents that are not here.
  private func importedOwner(_ id: String) async throws -> BudgetOwner {
    let everyone = try books.everyone
    if id == everyone.title { return everyone }
    let isHere =
      try house.library.personas().contains { $0.name == id }
      || house.agents.found.registry[id] != nil
    return isHere ? try await books.owner(named: id) : BudgetOwner(name: id, title: id)
  }

  private func raise(
    _ scope: BudgetLeg.Scope, of owner: BudgetOwner, _ period: String,
    _ amounts: BudgetFile.Amounts
  ) async throws -> Value {
    var change = Money.zero
    // What would change nothing leaves no trace.
    if try await books.accounts.balance(of: scope).settled < amounts.spent {
      change = try await books.accounts.adjust(
        Adjustment(
          scope: scope, change: .atLeast(amounts.spent), kind: .import, by: house.user(nil),
          time: house.time.now()))
    }
    if !print.isJSON {
      let what =
        change == .zero
        ? "already counts \(amounts.spent.budgetText) or more"
        : "counts \(amounts.spent.budgetText) now, \(change.budgetText) more than before"
      try print(text: "\(owner.title), \(period): \(what)\n")
    }
    return [
      "agent_id": .string(owner.title), "period": .string(period),
      "spent_usd": .string(amounts.spent.decimalText),
      "changed_by_usd": .string(change.decimalText),
    ]
  }

  private func compare(
    _ inFile: Money?, _ limit: Money?, _ name: String, _ owner: BudgetOwner, _ path: String
  ) {
    guard let inFile, inFile != limit else { return }
    let reason =
      limit.map { "that of `\(owner.title)` is \($0.budgetText)" }
      ?? "`\(owner.title)` has none; limits belong in a `cost_budget` or in config.yaml"
    books.warn(
      Warning(
        "the file's \(name) limit of \(inFile.budgetText) is not imported: \(reason)",
        at: SourceLocation(file: path, line: 0, column: 0)))
  }
}

import RasaCore
import RasaDocuments
import RasaPersona
import RasaSQLite
import RasaTestKit

/// What is wrong with a journey, by what it would mean for whoever owns the run.
struct Problem: Sendable, CustomStringConvertible {
  enum Kind: String, Sendable, CaseIterable {
    /// Something that was durable, or the answer, is not there.
    case lost
    /// Something was done or paid for a second time.
    case repeated
    /// The accounts are wrong.
    case unbalanced
    /// Anything else: a command failed, a fault did not strike.
    case failed
  }
  var kind: Kind
  var text: String
  var description: String { "\(kind.rawValue): \(text)" }
}

/// What a journey came to, as far as it must be the same for every journey of a scenario.
struct Arrival: Sendable {
  var output: Value
  var state: [String: Value]
  /// The text of every request that was paid for, sorted.
  var billed: [String]

  init(_ journey: Journey, _ journal: RunJournal) {
    output = journal.output ?? .null
    state = journal.state
    billed = journey.requests.filter(\.isBilled).map { request in
      request.textsToEmbed?.joined() ?? request.json["messages"].json(.canonical)
    }.sorted()
  }
}

extension Journey {
  /// Everything that does not hold after the run has come to its end.
  func problems(comparedWith reference: Arrival) async throws -> [Problem] {
    guard let journal = try await journal(), let run else {
      return [Problem(kind: .lost, text: "there is no run")]
    }
    var problems: [Problem] = []
    func check(_ holds: Bool, _ kind: Problem.Kind, _ text: @autoclosure () -> String) {
      if !holds { problems.append(Problem(kind: kind, text: text())) }
    }
    let arrival = Arrival(self, journal)
    check(journal.isContiguous, .lost, "the journal has holes")
    check(
      journal.lines(of: "run.finished").count == 1, .repeated,
      "the run has not ended exactly once")
    check(arrival.output == reference.output, .lost, "the output is \(arrival.output.json())")
    check(arrival.state == reference.state, .lost, "the state is \(arrival.state)")
    check(
      journal.repeated.isEmpty, .repeated,
      "these effects were recorded twice: \(journal.repeated.joined(separator: ", "))")
    check(
      arrival.billed == reference.billed, .repeated,
      "\(arrival.billed.count) calls were paid for, and not \(reference.billed.count)")
    problems += keyProblems(journal)
    if let policy = scenario.uncertain {
      let notes = try notes()
      let uses = notes.values.reduce(0, +)
      let again = journal.lines(of: "tool.uncertain").count
      check(notes.count == 1, .repeated, "the tool was used under \(notes.count) identities")
      check(uses > 0, .lost, "the tool was not used")
      check(
        uses <= journal.allowedUses, .repeated,
        "the tool was used \(uses) times, and not \(journal.allowedUses)")
      check(
        journal.decidedUses == (policy == .ask ? again : 0), .repeated,
        "a person decided about \(journal.decidedUses) of \(again) attempts in doubt")
    }
    if scenario.hook != nil { problems += try hookProblems(journal) }
    for process in processes {
      guard let before = process.before.journal else { continue }
      check(before.isBeginning(of: journal), .lost, "what had been written has changed")
      check(
        before.output == nil || before.output == reference.output, .lost,
        "a part of the answer was called final")
    }
    problems += try await finalProblems(run, journal, reference)
    return problems
  }

  private func hookProblems(_ journal: RunJournal) throws -> [Problem] {
    var problems: [Problem] = []
    let (calls, intents) = (try hookCalls(), journal.hookIntents)
    let asked = Dictionary(grouping: calls.map(\.key), by: \.self).mapValues(\.count)
    for (key, count) in asked where count > intents[key] ?? 0 {
      problems.append(
        Problem(
          kind: .repeated, text: "\(key) was asked \(count) times, and not \(intents[key] ?? 0)"))
    }
    for key in intents.keys where asked[key] == nil {
      problems.append(Problem(kind: .lost, text: "\(key) was not asked"))
    }
    for key in journal.hooksAskedAgain {
      problems.append(Problem(kind: .repeated, text: "\(key) was asked after it had answered"))
    }
    let points = Set(calls.compactMap(\.document["event"].string))
    if points.count != 6 {
      problems.append(Problem(kind: .lost, text: "hooks were asked only at \(points.sorted())"))
    }
    // Whichever process asks: what the hook before had changed is what was done.
    for call in calls where call.document["event"] == "after_tool" {
      let word = call.document["payload"]["arguments"]["word"]
      if word != "another word" {
        problems.append(Problem(kind: .lost, text: "after the tool, a hook saw \(word.json())"))
      }
    }
    let words = Set(
      (try program.home.read("notes") ?? "").split(separator: "\n").map {
        $0.split(separator: " ", maxSplits: 1).last
      })
    if words != ["another word"] {
      problems.append(Problem(kind: .lost, text: "the tool was given \(words)"))
    }
    return problems
  }

  /// What the provider was asked, held against what was to be asked.
  private func keyProblems(_ journal: RunJournal) -> [Problem] {
    var problems: [Problem] = []
    let requests = self.requests.filter { $0.method == "POST" }
    for request in requests where request.status == 400 {
      problems.append(Problem(kind: .repeated, text: "a key was used for another request"))
    }
    let intended = journal.intendedKeys
    for request in requests where !intended.contains(request.idempotencyKey ?? "") {
      problems.append(Problem(kind: .lost, text: "a request was sent that no line tells of"))
    }
    for process in processes {
      guard let before = process.before.journal else { continue }
      let answered = before.answeredKeys
      for request in requests
      where request.index >= process.before.requests
        && answered.contains(request.idempotencyKey ?? "")
      {
        problems.append(Problem(kind: .repeated, text: "a call was asked that had its result"))
      }
    }
    return problems
  }

  private func finalProblems(
    _ run: String, _ journal: RunJournal, _ reference: Arrival
  ) async throws -> [Problem] {
    var problems: [Problem] = []
    if let last = processes.last, last.run.exitCode == 0, last.arguments.first != "approvals" {
      let result = try JSON.parse(last.run.text)
      if result["output"] != reference.output {
        problems.append(Problem(kind: .lost, text: "what was printed is not the answer"))
      }
    }
    let turns = try JSON.parse(await ask("sessions", "show", "s", "--json")).array ?? []
    if turns.count != 1 || turns.first?["output"] != reference.output {
      problems.append(Problem(kind: .lost, text: "the session's turn is not the answer"))
    }
    if !journal.open.isEmpty {
      problems.append(Problem(kind: .unbalanced, text: "an attempt was never settled"))
    }
    let shown = try JSON.parse(await ask("runs", "show", run, "--json"))
    if shown["cost_usd"].string.flatMap({ Money(decimal: $0) }) != journal.cost {
      problems.append(
        Problem(
          kind: .unbalanced,
          text: "\(shown["cost_usd"].json()) is shown as spent, and its calls cost \(journal.cost)")
      )
    }
    if scenario.embeds { problems += try await vectorProblems() }
    return try problems
      + Books(home: program.home).problems(
        of: run, by: scenario.persona, spent: journal.cost)
  }
}

extension Journey {
  /// Whatever was lost on the way is made up for, and nothing that was kept is asked for again.
  private func vectorProblems() async throws -> [Problem] {
    var problems: [Problem] = []
    let first = try JSON.parse(await ask("memory", "embed", "-p", scenario.persona, "--json"))
    let stats = try JSON.parse(await ask("memory", "stats", "--json"))
    // Both sides of the turn have one as well.
    let count = Int64(scenario.remembered.count + 2)
    if first["complete"] != true || stats["vectors"].object?.map(\.value) != [.int(count)] {
      problems.append(Problem(kind: .lost, text: "vectors are missing: \(stats.json())"))
    }
    // A call that was cut off may be made once more, by another run.
    let asked = provider.requests.filter(\.isBilled).compactMap(\.textsToEmbed)
    let mostOften = 1 + processes.count(where: \.wasKilled)
    for (text, times) in Dictionary(grouping: asked.flatMap(\.self), by: \.self)
    where times.count > mostOften {
      problems.append(
        Problem(kind: .repeated, text: "\(text) was made a vector of \(times.count) times"))
    }
    return problems
  }
}

/// The accounts, read from the file itself.
struct Books {
  private let database: Database

  init(home: ScratchDirectory) throws { database = try Database(path: home.file("rasa.db")) }

  func problems(of run: String, by persona: String, spent: Money) throws -> [Problem] {
    var problems: [Problem] = []
    let held = try database.rows(
      """
      SELECT id FROM reservations WHERE state <> 2
        AND run IS (SELECT number FROM runs WHERE id = ?)
      """, .text(run)
    ) { $0.text(0) }
    if !held.isEmpty {
      problems.append(Problem(kind: .unbalanced, text: "\(held.count) reservations are still held"))
    }
    // Everything that was settled stands in each kind of account: the run's own, those of the days, those of the months;
    // and where agents do all of the work, in theirs. Runs beside it that made vectors have accounts of their own, and may
    // have been killed with money held, which stays held.
    let sums =
      try database.rows(
        """
        SELECT coalesce(sum(actual) FILTER (WHERE is_own), 0),
          coalesce(sum(actual) FILTER (WHERE NOT is_own), 0),
          coalesce(sum(amount) FILTER (WHERE NOT is_own AND state <> 2), 0)
        FROM (SELECT *, run IS (SELECT number FROM runs WHERE id = ?) AS is_own FROM reservations)
        """, .text(run)
      ) { row in (0..<3).map { Money(picoDollars: row.integer($0)) } }.first ?? []
    let (own, others, othersHeld) = (sums[0], sums[1], sums[2])
    let accounts = try database.rows(
      """
      WITH effects (scope) AS (
        SELECT 'execution:' || ?1 || '/' || words.text FROM reservations
        JOIN words ON words.number = reservations.effect)
      SELECT substr(scope, 1, instr(scope, ':') - 1) || CASE
          WHEN scope LIKE '%:*:%' THEN ' of all'
          WHEN scope IN (SELECT scope FROM effects) THEN ' of an effect'
          WHEN scope = 'execution:' || ?1 OR scope LIKE '%:' || ?2 || ':%' THEN ''
          ELSE ' inside' END
        AS kind, sum(settled), sum(held) FROM balances GROUP BY kind
      """, .text(run), .text(persona)
    ) {
      (
        kind: $0.text(0), settled: Money(picoDollars: $0.integer(1)),
        held: Money(picoDollars: $0.integer(2))
      )
    }
    // A limit of its own, such as that of a model that looks for facts, is an account of one effect.
    let ofEffects = try database.first(
      """
      SELECT coalesce(sum(actual), 0) FROM reservations
      JOIN words ON words.number = reservations.effect
      WHERE 'execution:' || ? || '/' || words.text IN (SELECT scope FROM balances)
      """, .text(run)
    ) { Money(picoDollars: $0.integer(0)) }
    for account in accounts {
      let expected: (settled: Money?, held: Money) =
        switch account.kind {
        case let kind where kind.hasSuffix(" of an effect"): (ofEffects, .zero)
        case "execution": (own, .zero)
        case "execution inside" where others + othersHeld > .zero: (others, othersHeld)
        default: (own + others, othersHeld)
        }
      if account.settled == expected.settled, account.held == expected.held { continue }
      problems.append(
        Problem(
          kind: .unbalanced,
          text: "the \(account.kind) account says \(account.settled) and \(account.held) held, not "
            + "\(expected.settled ?? .zero) and \(expected.held)"))
    }
    let settled = try database.first(
      "SELECT settled FROM balances WHERE scope = ?", .text("execution:\(run)")
    ) { Money(picoDollars: $0.integer(0)) }
    if (settled ?? .zero) != spent {
      problems.append(
        Problem(
          kind: .unbalanced, text: "the account of the run is \(settled ?? .zero), not \(spent)"))
    }
    return problems
  }
}

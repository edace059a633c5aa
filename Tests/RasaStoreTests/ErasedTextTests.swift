import RasaCore
import RasaEngine
import RasaLearning
import RasaPersona
import RasaSQLite
import RasaTestKit
import Testing

@testable import RasaStore

/// Whatever holds a person's text, and however it is erased: none of it stays in the files.
@Suite struct `Erased text` {
  let folder = ScratchDirectory()
  let time = FixedTime()

  private func store(_ owner: String = "me") -> SQLiteStore {
    var options = DatabaseWriter.Options()
    options.pagesPerScrub = 64
    return SQLiteStore(
      path: folder.file("rasa.db"), time: time.source, owner: owner, lease: .seconds(3600),
      options: options, slices: DeletionSlices())
  }

  /// Where text is kept, and what it is marked with.
  private enum Kind: String, CaseIterable {
    case line = "MARK-line", input = "MARK-input", turn = "MARK-turn", note = "MARK-note"
    case memory = "MARK-memory", question = "MARK-question", answer = "MARK-answer"
    case replaced = "MARK-replaced", withdrawn = "MARK-withdrawn", grant = "MARK-grant"
    case comment = "MARK-comment", feedback = "MARK-feedback", task = "MARK-task"
  }

  /// The columns of the file that such a text can be found in.
  private static let columns: Set<String> = [
    "lines.body", "bodies.bytes", "runs.input", "items.text", "grants.pattern", "summaries.text",
    "performance.comment", "evaluations.feedback", "decisions.content",
  ]
  /// Columns that hold names, keys, sums and what a machine says.
  private static let others: Set<String> = [
    "approvals.answered_by", "approvals.decision", "approvals.id", "approvals.on_expiry",
    "approvals.payload_digest", "approvals.standing", "audits.detail", "audits.kind",
    "audits.subject", "balances.scope",
    "bodies.digest", "countings.account", "countings.kind", "countings.model", "countings.provider",
    "decisions.id", "decisions.run", "evaluations.others", "evaluations.run",
    "pending_evaluations.name",
    "pending_evaluations.run", "performance.nodes", "performance.run",
    "grants.approval", "grants.id", "grants.made_by", "grants.revoked_by", "grants.session",
    "facts.kind", "facts.slot", "indexing.name", "items.language", "items.run", "items.session",
    "lines.seal", "needs.account", "needs.histogram", "needs.model", "needs.operator",
    "needs.provider", "postings.bytes", "shelf_items.bytes", "shelves.languages",
    "shelves.session", "shelves.speakers",
    "reservations.id", "reservations.legs", "runs.fork_of", "runs.id",
    "runs.seal", "runs.session", "runs.status", "sessions.id", "sessions.key", "sessions.persona",
    "sessions.user", "standings.account", "standings.adapted", "standings.adapted_under",
    "standings.model", "standings.provider", "standings.reason",
    "statements.chain", "statements.denies", "statements.form", "statements.kind", "statements.run",
    "vector_cells.centroid", "vector_cells.session", "vector_spaces.model", "vectors.numbers",
    "summaries.run", "summaries.session", "summaries.up_to",
    "votes.approval", "votes.by", "words.text", "workers.id", "workers.name",
  ]

  /// Two users' work at the same time: every table has rows of both among each other, of all sizes.
  private struct Work {
    var numbers: SeededNumbers
    let store: SQLiteStore
    let time: FixedTime
    var number = 0

    /// A text of random length in which a mark stands at a random place, if it is Ann's.
    mutating func text(_ kind: Kind, of user: String, atLeast shortest: Int = 0) -> String {
      number += 1
      let length =
        [0, 5, 40, 120, 300, 1500, 9000].filter { $0 >= shortest }
        .randomElement(using: &numbers) ?? shortest
      // So many different letters do not become shorter: the mark is found also in a compressed body.
      let letters = Array(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-äöüéèßñçøåλπσφ")
      let words = String((0..<length).map { _ in letters.randomElement(using: &numbers) ?? "a" })
      let mark = user == "ann" ? kind.rawValue : "kept"
      return Bool.random(using: &numbers)
        ? "\(words) \(mark) \(number)" : "\(number) \(mark) \(words)"
    }

    mutating func run(_ round: Int, of user: String) async throws {
      var record = record("\(user)\(round)", session: "s\(round % 7)")
      record.user = user
      record.input = text(.input, of: user)
      let (run, session) = (record.id.text, SessionID("s\(round % 7)", of: user))
      var start = RunStart(
        run: record.id, persona: record.persona, personaDigest: "d1", user: user,
        input: text(.line, of: user))
      start.session = session.name
      store.open(
        record,
        [
          RunEvent.started(start).entry(of: record.id, at: time.now),
          entry(run, "a", .string(text(.line, of: user))),
        ])
      for _ in 0..<4 {
        let body: Value =
          Bool.random(using: &numbers)
          ? .string(text(.line, of: user))
          : ["draft": .string(text(.line, of: user)), "parts": [.string(text(.line, of: user))]]
        try await store.append([entry(run, "b", body)])
      }
      let question = approval(run, "ask", payload: .string(text(.question, of: user)))
      _ = try await store.ask(question, recording: [])
      let answer = HumanAnswer(.edit, text: .string(text(.answer, of: user)), by: user)
      _ = try await store.answer(question.id, answer)
      let granted = permission(run)
      _ = try await store.ask(granted, recording: [])
      var grant = HumanAnswer(.approve, by: user)
      grant.grant = ["allow": "send", "arguments": ["to": .string(text(.grant, of: user))]]
      _ = try await store.answer(granted.id, grant)
      let asked = approval(run, "later", payload: .string(text(.withdrawn, of: user)))
      _ = try await store.ask(asked, recording: [])
      // It goes on after a pause, says something else, and asks anew.
      for (kind, status) in [(Kind.replaced, RunRecord.Status.failed), (.turn, .done)] {
        var ending = RunEnding(
          status,
          turn: SessionTurn(
            session: session, run: record.id, time: time.now, input: text(kind, of: user),
            output: text(kind, of: user)),
          notes: [note(session, text(.note, of: user), at: time.now)])
        ending.performance = PerformanceFacts(
          category: "research", complexity: 2, day: LocalDay(year: 2023, month: 11, day: 14))
        ending.performance?.evaluations = ["critical"]
        ending.facts = [fact(text(.memory, of: user), user: user, run: run)]
        try await store.close(record.id, ending, [])
        if status == .failed {
          _ = try await store.claim(record.id)
          _ = try await store.ask(asked, recording: [])
        }
      }
      let weights: @Sendable (String) -> ScoringWeights = { ScoringWeights(name: $0) }
      _ = try await store.judge(
        record.id, .stars(4, comment: text(.comment, of: user), by: user), weights: weights)
      _ = try await store.judge(
        record.id,
        .evaluation(
          RunEvaluation(
            kind: .peer, name: "holistic", model: "p:m", criteria: Quality([.clarity: 0.5]),
            score: 0.5, feedback: text(.feedback, of: user), cost: .zero, time: time.now)),
        weights: weights)
      try await store.keep(
        StoredDecision(
          id: Identifier("\(run)-decision"), time: time.now, run: record.id, user: user,
          content: ["task": .string(text(.task, of: user)), "chosen": "analyst"]))
      let summary = Identifier("\(run)-summary")
      _ = try await store.beginSummary(of: session, turns: 1, upTo: record.id, by: summary)
      #expect(try await store.keepSummary(text(.turn, of: user), of: session, by: summary))
    }
  }

  @Test(arguments: 1...4)
  func `is in no file, whichever table held it`(seed: UInt64) async throws {
    let store = store()
    var work = Work(numbers: SeededNumbers(seed: seed), store: store, time: time)
    for round in 0..<21 {
      for user in ["ann", "bob"].shuffled(using: &work.numbers) {
        try await work.run(round, of: user)
      }
    }
    try await expectMarks(in: store)
    let kept = try await content(of: "bob", in: store)

    // By every way there is: single memories and all, runs, old runs, sessions with and without runs.
    let memories = try await store.facts(of: FactOwner(user: "ann"), limit: 3)
    for memory in memories { #expect(try await store.forgetItems([memory.id]).facts == 1) }
    #expect(try await store.deleteRuns((0..<5).map { Identifier("ann\($0)") }).count == 5)
    for name in 0..<3 { #expect(try await store.deleteSession(SessionID("s\(name)", of: "ann"))) }
    let left = try await store.runs(RunFilter(user: "ann", limit: 99)).map(\.record.id)
    #expect(try await store.deleteRuns(left) == left)
    for name in 3..<7 { #expect(try await store.deleteSession(SessionID("s\(name)", of: "ann"))) }
    _ = try await store.forgetAll(of: FactOwner(user: "ann"))

    for kind in Kind.allCases { #expect(files(mention: kind.rawValue) == []) }
    #expect(try await store.hasUnfinishedDeletions() == false)
    #expect(try await content(of: "bob", in: store) == kept)
    let check = try await store.writer.read {
      try $0.first("PRAGMA integrity_check") { $0.text(0) }
    }
    #expect(check == "ok")
    await store.close()
  }

  @Test(arguments: [1, 2])
  func `is in no file after old runs are pruned`(seed: UInt64) async throws {
    let store = store()
    var work = Work(numbers: SeededNumbers(seed: seed), store: store, time: time)
    for round in 0..<20 { try await work.run(round, of: round.isMultiple(of: 3) ? "bob" : "ann") }
    for name in 0..<7 { _ = try await store.deleteSession(SessionID("s\(name)", of: "bob")) }
    _ = try await store.pruneRuns(endedBefore: Timestamp(milliseconds: .max))
    let stays: Set<Kind> = [.turn, .note, .memory]
    for kind in Kind.allCases where !stays.contains(kind) {
      #expect(files(mention: kind.rawValue) == [])
    }
    await store.close()
  }

  /// The turns of a conversation outlive its runs, and may be all that is left to delete.
  @Test func `is in no file when a session is deleted whose runs were deleted before`() async throws
  {
    let store = store()
    let words = String(repeating: "MARK a long text ", count: 30)
    let said = SessionTurn(session: "s", run: "r1", time: time.now, input: words, output: words)
    store.open(record("r1", session: "s"), [])
    try await store.close("r1", RunEnding(.done, turn: said), [])
    #expect(try await store.deleteRun("r1"))
    #expect(try await store.deleteSession("s"))
    #expect(try await store.writer.read { try $0.rows("SELECT 1 FROM bodies") { _ in } }.isEmpty)
    #expect(files(mention: "MARK") == [])
  }

  /// Words that occur nowhere else, their stems, and the name of the user.
  private static let distinctive = [
    "gerbilfanciers", "gerbilfanci", "gerbil", "Quetzalcoatlus", "quetzalcoatlus", "砂鼠愛好家", "砂鼠",
    "8172635.4455", "zacharias-7f3a",
  ]

  private func keepWords(of user: String, in store: SQLiteStore, _ words: String) async throws {
    let session = SessionID("pets of \(user)", of: user)
    for number in 0..<30 {
      var record = record("run-\(user.count)-\(number)", session: session.name)
      record.user = user
      record.input = "\(number) \(words)"
      store.open(record, [entry(record.id.text, "a", .string("\(words) \(number)"))])
      let question = approval(record.id.text, "ask", payload: .string("\(words) \(number)?"))
      _ = try await store.ask(question, recording: [])
      _ = try await store.answer(question.id, HumanAnswer(.approve, by: user))
      try await store.close(
        record.id,
        RunEnding(
          .done,
          turn: SessionTurn(
            session: session, run: record.id, time: time.now, input: "\(number) \(words)",
            output: String(repeating: "\(words) ", count: number)),
          notes: [note(session, "\(words) \(number)", at: time.now)],
          facts: [
            NewFact(
              scope: number % 2 == 0 ? .user : .persona, user: user, persona: "analyst",
              session: session.name, text: "fact \(number) \(words)", run: record.id,
              time: time.now, trust: .model, details: FactDetails(slot: "pet of \(user)"))
          ]), [])
    }
  }

  @Test func `is in no file after its user is forgotten, nor is the name of the user`() async throws
  {
    let store = store()
    let words = "Gerbilfanciers gerbilfanciers love Quetzalcoatlus, 砂鼠愛好家 8172635.4455"
    try await keepWords(of: "zacharias-7f3a", in: store, words)
    try await keepWords(of: "bob", in: store, "tea and biscuits")
    #expect(!files(mention: "gerbilfanciers").isEmpty && !files(mention: "zacharias-7f3a").isEmpty)
    var numbers = SeededNumbers(seed: 5)
    for user in ["zacharias-7f3a", "bob"] {
      let vectors = try await store.all(user).map { item in
        MadeVectors.One(
          item: item.id, numbers: (0..<64).map { _ in Float.random(in: -1...1, using: &numbers) })
      }
      try await store.keepVectors(
        MadeVectors(
          model: "m", vectors: vectors, viewer: MemoryViewer(user: user, persona: "analyst")))
    }
    let vectors = try await store.writer.read { database in
      let user = try database.name("zacharias-7f3a")
      return try database.rows(
        """
        SELECT numbers FROM vectors WHERE number >> 32 IN (
          SELECT number FROM vector_cells WHERE user = ?1)
        UNION ALL SELECT centroid FROM vector_cells WHERE user = ?1
        """, .integer(user)
      ) { $0.bytes(0) }
    }
    #expect(vectors.count > 60 && vectors.allSatisfy { $0.count >= 64 })
    let kept = try await content(of: "bob", in: store)
    let forgotten = try await store.forgetUser("zacharias-7f3a")
    #expect(forgotten.turns == 60 && forgotten.facts == 30 && forgotten.runs == 30)
    for word in Self.distinctive { #expect(files(mention: word) == [], "\(word)") }
    func beginning(_ bytes: some Sequence<UInt8>) -> UInt64 {
      bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
    let beginnings = Set(vectors.map { beginning($0) })
    var (last, found) = (UInt64(0), 0)
    for byte in ["rasa.db", "rasa.db-wal"].flatMap({ RawFile.read(folder.file($0)) }) {
      last = last << 8 | UInt64(byte)
      if beginnings.contains(last) { found += 1 }
    }
    #expect(found == 0)
    #expect(try await content(of: "bob", in: store) == kept)
    #expect(try await store.hasUnfinishedDeletions() == false)
    let check = try await store.writer.read {
      try $0.first("PRAGMA integrity_check") { $0.text(0) }
    }
    #expect(check == "ok")
    await store.close()
  }

  /// The first transaction is committed, and the process ends somewhere later.
  @Test(arguments: ["items", "lines", "bodies"])
  func `of a user is deleted by the next deletion, when the first was broken off`(table: String)
    async throws
  {
    var slices = DeletionSlices()
    slices.items = 7
    slices.lines = 5
    slices.bodies = 3
    let store = SQLiteStore(
      path: folder.file("rasa.db"), time: time.source, owner: "me", lease: .seconds(3600),
      options: DatabaseWriter.Options(), slices: slices)
    try await keepWords(
      of: "zacharias-7f3a", in: store,
      "Gerbilfanciers gerbilfanciers love Quetzalcoatlus, 砂鼠愛好家 8172635.4455 "
        + String(repeating: "at length ", count: 9))
    try await store.writer.write { database in
      try database.execute(
        """
        CREATE TRIGGER breaks BEFORE DELETE ON \(table)
        WHEN (SELECT count(*) FROM \(table)) < 20 BEGIN SELECT RAISE(ABORT, 'broken off'); END
        """)
    }
    await #expect(throws: Failure.self) { try await store.forgetUser("zacharias-7f3a") }
    #expect(try await store.hasUnfinishedDeletions())
    try await store.writer.write { try $0.execute("DROP TRIGGER breaks") }
    await store.close()
    let next = self.store("next")
    // Somebody who takes that name meanwhile keeps what is new.
    let new = NewFact(
      user: "zacharias-7f3a", persona: "analyst", text: "new", run: "new", time: time.now,
      trust: .person)
    _ = try await next.add([new])
    _ = try await next.pruneRuns(endedBefore: Timestamp(milliseconds: 0))
    for word in Self.distinctive.dropLast() { #expect(files(mention: word) == [], "\(word)") }
    #expect(try await next.hasUnfinishedDeletions() == false)
    #expect(try await next.all().map(\.text) == ["new"])
    await next.close()
  }

  @Test func `is called unfinished until the files have been gone through`() async throws {
    var slices = DeletionSlices()
    slices.patience = .zero
    let store = SQLiteStore(
      path: folder.file("rasa.db"), time: time.source, owner: "me", lease: .seconds(3600),
      options: DatabaseWriter.Options(), slices: slices)
    _ = try await store.add([fact("MARK")])
    let reader = try Database(path: folder.file("rasa.db"))
    try reader.execute("BEGIN; SELECT count(*) FROM items")
    let failure = await #expect(throws: Failure.self) { try await store.forgetItems([1]) }
    #expect(failure?.message.hasPrefix("it is forgotten, but its text may still stand") == true)
    #expect(failure?.suggestion.contains("`rasa runs prune` then finishes the job") == true)
    #expect(try await store.hasUnfinishedDeletions())
    try reader.execute("COMMIT")
    _ = try await store.pruneRuns(endedBefore: Timestamp(milliseconds: 0))
    #expect(try await store.hasUnfinishedDeletions() == false)
    #expect(files(mention: "MARK") == [])
  }

  // MARK: Looking

  /// Every column that can hold text is one that is erased, and has something to erase, or one of names.
  private func expectMarks(in store: SQLiteStore) async throws {
    let found = try await store.writer.read { database in
      let columns = try database.rows(
        """
        SELECT tables.name || '.' || columns.name, tables.name, columns.name
        FROM sqlite_schema AS tables JOIN pragma_table_info(tables.name) AS columns
        WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%'
          AND columns.type IN ('TEXT', 'BLOB', 'ANY')
        """
      ) { (name: $0.text(0), table: $0.text(1), column: $0.text(2)) }
      return try columns.map { found in
        let marked = try database.first(
          """
          SELECT 1 FROM \(found.table)
          WHERE instr(CAST(\(found.column) AS BLOB), CAST('MARK-' AS BLOB)) > 0 LIMIT 1
          """
        ) { _ in true }
        return (name: found.name, isMarked: marked ?? false)
      }
    }
    #expect(Set(found.map(\.name)) == Self.columns.union(Self.others))
    #expect(Set(found.filter(\.isMarked).map(\.name)) == Self.columns)
    for kind in Kind.allCases { #expect(files(mention: kind.rawValue) != []) }
  }

  private func content(of user: String, in store: SQLiteStore) async throws -> [String] {
    var content: [String] = []
    for run in try await store.runs(RunFilter(user: user, limit: 99)) {
      content.append("\(run.record)")
      content += try await store.entries(of: run.record.id).map { "\($0)" }
      let asked = try await store.approvals(
        ApprovalFilter(onlyPending: false, run: run.record.id), limit: 9)
      content += asked.map { "\($0)" }
    }
    for session in try await store.sessions(of: user, limit: 99) {
      content += try await store.turns(of: session.id, limit: 99).map { "\($0)" }
      content += try await store.notes(of: session.id, limit: 99).map { "\($0)" }
    }
    let owner = FactOwner(user: user)
    content += try await store.facts(of: owner, limit: 999).map { "\($0)" }
    content += try await store.facts(of: owner, about: "kept", limit: 999).map { "\($0)" }
    return content
  }

  private func files(mention text: String) -> [String] {
    ["rasa.db", "rasa.db-wal", "rasa.db-shm", "rasa.db-turn"].filter {
      RawFile.read(folder.file($0)).contains(text)
    }
  }
}

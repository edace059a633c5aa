import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// `rasa memory …`: turns, notes and facts.
struct MemoryCommands {
  let composition: CompositionRoot
  let rasa: Rasa
  let console: Console
  let print: Printer

  private var time: TimeSource { composition.time }
  private var today: LocalDay { time.localDay(time.now()) }

  func run(_ command: ParsedCommand) async throws {
    switch command.path[1] {
    case "list": try await list(command)
    case "show": try await show(try Self.numbers(in: command.arguments)[0])
    case "search": try await search(command)
    case "add": try await add(command)
    case "edit": try await edit(command)
    case "embed": try await embed(command)
    case "forget": try await forget(command)
    case "export": try await export(command)
    case "import": try await importFile(command)
    default: try await stats(command)
    }
    guard ["list", "search", "stats"].contains(command.path[1]) else { return }
    if try await rasa.hasUnfinishedDeletions() {
      console.warn(
        "something that was forgotten is still being erased, or erasing it was interrupted: it can no longer be found, "
          + "but parts of it may remain in the files. `rasa runs prune` finishes the job.")
    }
  }

  // MARK: Vectors

  private func embed(_ command: ParsedCommand) async throws {
    let outcome = try await rasa.embedMemories(
      persona: command.text("persona") ?? "", user: command.text("user"),
      model: command.text("model"),
      maxCost: command.money("max-cost").flatMap { Rasa.Dollars($0.decimalText) })
    guard let outcome else {
      throw Failure(
        .configuration, "no model is named that makes vectors",
        suggestion: "add `--model ollama:nomic-embed-text`, or `memory: {embeddings: …}` to the "
          + "persona's file or to config.yaml")
    }
    let document: Value = [
      "model": .string(outcome.model), "made": .int(Int64(outcome.made)),
      "without": .int(Int64(outcome.without)), "cost_usd": .string(outcome.cost.decimalText),
      "complete": .bool(outcome.isComplete),
      "problem": outcome.problem.map { .string($0) } ?? .null,
    ]
    var text = "\(outcome.made) vectors by \(outcome.model), \(outcome.cost)"
    if outcome.without > 0 { text += "; it makes none of \(outcome.without)" }
    if outcome.made == 0, outcome.isComplete, outcome.without == 0 {
      text = "everything has its vector"
    }
    if print.isJSON { try print(document) } else { try print(text: text + "\n") }
    guard let problem = outcome.problem else { return }
    throw Failure(
      .provider, "not everything has its vector yet: \(problem)",
      suggestion: outcome.suggestion ?? "run it again later")
  }

  // MARK: Reading

  private func list(_ command: ParsedCommand) async throws {
    let memories = try await rasa.memories(
      persona: command.text("persona"), user: command.text("user"),
      session: command.text("session"), kinds: kinds(command) ?? [.fact],
      run: command.text("run"), includingPast: command.flag("past"),
      asOf: command.day("as-of", from: today).map { time.end(of: $0).milliseconds },
      limit: command.integer("limit") ?? 50)
    try print(table(memories, whenEmpty: "no memories"))
  }

  private func table(_ memories: [Rasa.Memory], whenEmpty: String) -> Table {
    Table(
      columns: ["ID", "KIND", "PERSONA", "FROM", "WHEN", "MEMORY"],
      rows: memories.map { memory in
        [
          String(memory.id), memory.kind.rawValue, memory.persona, memory.speaker ?? memory.source,
          moment(memory.time), memory.text + ending(of: memory),
        ]
      },
      values: memories.map(\.json.value), whenEmpty: whenEmpty)
  }

  /// Since when and until when it holds, as far as that is not obvious.
  private func ending(of memory: Rasa.Memory) -> String {
    var parts: [String] = []
    if let since = memory.since { parts.append("since \(day(since))") }
    if let until = memory.until {
      parts.append(
        "until \(lastDay(before: until))" + (memory.supersededBy.map { ", then \($0)" } ?? ""))
    }
    if let expires = memory.expires, !memory.holds(at: time.now().milliseconds),
      expires <= time.now().milliseconds
    {
      parts.append("expired \(day(expires))")
    }
    return parts.isEmpty ? "" : " (\(parts.joined(separator: "; ")))"
  }

  private func show(_ id: Int64) async throws {
    let memory = try await rasa.memory(id)
    if print.isJSON { return try print(memory.json) }
    try print(text: description(of: memory) + "\n" + memory.text.indented(by: 2) + "\n")
  }

  /// One line about where a memory comes from.
  private func description(of memory: Rasa.Memory) -> String {
    var parts = [
      "\(memory.id)", memory.kind == .fact ? memory.factKind ?? "fact" : memory.kind.rawValue,
    ]
    parts.append("from \(memory.speaker ?? "a \(memory.source)")")
    parts.append(moment(memory.time))
    parts.append(memory.persona)
    if let session = memory.session { parts.append("session \(session)") }
    if memory.run != "by-hand" { parts.append("run \(memory.run)") }
    return parts.joined(separator: print.glyphs.own(" · ")) + ending(of: memory)
  }

  private func search(_ command: ParsedCommand) async throws {
    let found = try await rasa.searchMemories(
      command.arguments.joined(separator: " "), persona: command.text("persona"),
      user: command.text("user"), session: command.text("session"),
      kinds: kinds(command) ?? Set(Rasa.Memory.Kind.allCases),
      asOf: command.day("as-of", from: today).map { time.end(of: $0).milliseconds },
      limit: command.integer("limit") ?? 50)
    guard command.flag("explain") || print.isJSON else {
      return try print(table(found.map(\.memory), whenEmpty: "nothing fits"))
    }
    if print.isJSON {
      return try print(
        .array(
          found.map { found in
            var value = found.memory.json.value.object ?? ValueObject()
            value["score"] = .double(found.score)
            if command.flag("explain") {
              value["shares"] = .array(
                found.shares.map { share in
                  var object: ValueObject = [
                    "reason": .string(share.reason), "value": .double(share.value),
                  ]
                  if !share.words.isEmpty {
                    object["words"] = .array(share.words.map { .string($0) })
                  }
                  return .object(object)
                })
            }
            return .object(value)
          }))
    }
    guard !found.isEmpty else { return try print(text: "nothing fits\n") }
    for found in found {
      let shares = found.shares.map { share in
        "\(share.reason) \(number(share.value))"
          + (share.words.isEmpty ? "" : " (\(share.words.joined(separator: ", ")))")
      }
      try print(
        text: "\(number(found.score))  \(description(of: found.memory))\n"
          + found.memory.text.indented(by: 2) + "\n"
          + "  = \(shares.joined(separator: " + "))\n\n")
    }
  }

  private func stats(_ command: ParsedCommand) async throws {
    let counts = try await rasa.memoryCounts(
      persona: command.text("persona"), user: command.text("user"))
    if print.isJSON {
      return try print(
        [
          "turns": .int(Int64(counts.turns)), "notes": .int(Int64(counts.notes)),
          "facts": .int(Int64(counts.facts)), "past_facts": .int(Int64(counts.past)),
          "text_bytes": .int(counts.bytes),
          "vectors": .object(
            ValueObject(
              counts.vectors.sorted { $0.key < $1.key }.map { ($0.key, .int(Int64($0.value))) })),
        ] as Value)
    }
    var lines = [
      "sides of turns  \(counts.turns)", "working notes   \(counts.notes)",
      "facts           \(counts.facts)"
        + (counts.past > 0 ? ", of which \(counts.past) hold no more" : ""),
      "text            \(byteCountText(Int(clamping: counts.bytes)))",
    ]
    for (model, count) in counts.vectors.sorted(by: { $0.key < $1.key }) {
      lines.append("vectors         \(count), by \(model)")
    }
    try print(text: lines.joined(separator: "\n") + "\n")
  }

  // MARK: Changing

  private func add(_ command: ParsedCommand) async throws {
    let remembered = try await rasa.remember(
      try text(command.arguments), persona: command.text("persona") ?? "",
      user: command.text("user"), scope: command.choice("scope", of: Rasa.Memory.Scope.self),
      kind: command.text("fact-kind") ?? "fact",
      since: command.day("since", from: today).map { time.beginning(of: $0).milliseconds },
      until: command.day("until", from: today).map { time.beginning(of: $0).milliseconds })
    try await report(remembered)
  }

  private func edit(_ command: ParsedCommand) async throws {
    let id = try Self.numbers(in: Array(command.arguments.prefix(1)))[0]
    let remembered = try await rasa.correct(
      memory: id, to: try text(Array(command.arguments.dropFirst())))
    try await report(remembered)
  }

  private func report(_ remembered: Rasa.Remembered) async throws {
    if print.isJSON {
      let memory = try await rasa.memory(remembered.id)
      var value = memory.json.value.object ?? ValueObject()
      value["is_new"] = .bool(remembered.isNew)
      value["closes"] = .array(remembered.closes.map { .int($0) })
      return try print(.object(value))
    }
    var text =
      remembered.isNew
      ? "remembered as \(remembered.id)\n" : "known already, as \(remembered.id)\n"
    for id in remembered.closes {
      let closed = try await rasa.memory(id)
      let held = closed.until.flatMap { $0 > time.now().milliseconds ? lastDay(before: $0) : nil }
      text += held.map { "holds until \($0): " } ?? "no longer holds: "
      text += "\(id) \(quoted(closed.text))\n"
    }
    try print(text: text)
  }

  /// The numbers of memories as they are written: apart, or with commas between them.
  static func numbers(in words: [String]) throws(Failure) -> [Int64] {
    var numbers: [Int64] = []
    for word in words.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
      guard let number = Int64(word), number > 0 else {
        throw Failure(
          .usage, "\(quoted(String(word))) is not the ID of a memory",
          suggestion:
            "`rasa memory list` shows them with their IDs, as in `rasa memory forget 12 15`")
      }
      if !numbers.contains(number) { numbers.append(number) }
    }
    return numbers
  }

  private func forget(_ command: ParsedCommand) async throws {
    let user = command.text("user")
    if let run = command.text("run") {
      return try report(
        try await rasa.forgetMemories(kinds: Set(Rasa.Memory.Kind.allCases), run: run))
    }
    if command.flag("all") {
      return try report(
        try await rasa.forgetMemories(
          persona: command.text("persona"), user: rasa.user(user),
          kinds: kinds(command) ?? [.fact]))
    }
    if command.arguments.isEmpty, let user {
      if !command.flag("yes") {
        try await composition.console.confirm(
          "Everything of the user \(user) is going to be deleted.",
          more:
            "Conversations, memories, runs and their journals; what was spent stays in the books.",
          prompt: "Delete it? [y/N] ")
      }
      return try report(try await rasa.forget(user: user))
    }
    try report(try await rasa.forget(memories: try Self.numbers(in: command.arguments)))
  }

  private func report(_ forgotten: Rasa.Forgotten) throws {
    let total = forgotten.turns + forgotten.notes + forgotten.facts
    if print.isJSON {
      return try print(
        [
          "forgotten": .int(Int64(total)), "turns": .int(Int64(forgotten.turns)),
          "notes": .int(Int64(forgotten.notes)), "facts": .int(Int64(forgotten.facts)),
          "runs": .int(Int64(forgotten.runs)),
        ] as Value)
    }
    var parts: [String] = []
    func add(_ count: Int, _ one: String, _ many: String) {
      if count > 0 { parts.append("\(count) \(count == 1 ? one : many)") }
    }
    add(forgotten.facts, "fact", "facts")
    add(forgotten.notes, "note", "notes")
    add(forgotten.turns, "side of a turn", "sides of turns")
    add(forgotten.runs, "run", "runs")
    try print(text: "forgot \(parts.isEmpty ? "nothing" : listed(parts, "and"))\n")
  }

  // MARK: Files

  private func export(_ command: ParsedCommand) async throws {
    let path = command.text("output")
    guard let path, path != "-" else {
      try await rasa.exportMemories(
        user: rasa.user(command.text("user")), persona: command.text("persona"),
        kinds: kinds(command) ?? Set(Rasa.Memory.Kind.allCases)
      ) { try print.output.write($0) }
      return
    }
    var text: [UInt8] = []
    let count = try await rasa.exportMemories(
      user: rasa.user(command.text("user")), persona: command.text("persona"),
      kinds: kinds(command) ?? Set(Rasa.Memory.Kind.allCases)
    ) { text += Array($0.utf8) }
    try FileSystem.write(text, to: path, mode: 0o600, followingLinks: true)
    try composition.note("wrote \(count) \(count == 1 ? "memory" : "memories") to \(path)\n")
  }

  private func importFile(_ command: ParsedCommand) async throws {
    let path = command.arguments[0]
    let bytes =
      path == "-"
      ? Array(try InputReader(composition: composition).standardInput().utf8)
      : try FileSystem.read(path, limit: Rasa.largestMemoryFile)
    let imported = try await rasa.importMemories(
      bytes, file: path == "-" ? "standard input" : path, user: command.text("user"),
      takingPart: command.flag("partial"))
    if print.isJSON {
      return try print(
        [
          "added": .int(Int64(imported.added)), "known": .int(Int64(imported.known)),
          "partial": .bool(imported.isPartial),
        ] as Value)
    }
    try print(
      text: "imported \(imported.added), \(imported.known) were known"
        + (imported.isPartial ? "; the file is broken after these" : "") + "\n")
  }

  // MARK: Words

  private func kinds(_ command: ParsedCommand) -> Set<Rasa.Memory.Kind>? {
    let words = command.texts("kind").flatMap { $0.split(separator: ",") }
    let kinds = Set(words.compactMap { Rasa.Memory.Kind(rawValue: String($0)) })
    return kinds.isEmpty ? nil : kinds
  }

  /// The text of the command line, or standard input for `-`.
  private func text(_ words: [String]) throws -> String {
    words == ["-"]
      ? try InputReader(composition: composition).standardInput() : words.joined(separator: " ")
  }

  private func moment(_ milliseconds: Int64) -> String {
    momentText(Timestamp(milliseconds: milliseconds), time)
  }

  private func day(_ milliseconds: Int64) -> String {
    time.localDay(Timestamp(milliseconds: milliseconds)).description
  }

  /// The last day on which something holds that ends then.
  private func lastDay(before milliseconds: Int64) -> String {
    day(milliseconds == .min ? milliseconds : milliseconds - 1)
  }

  /// A number with two digits behind the point.
  private func number(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
    let hundredths = Int((value * 100).rounded())
    let sign = hundredths < 0 ? "-" : ""
    let digits = abs(hundredths) % 100
    return "\(sign)\(abs(hundredths) / 100).\(digits < 10 ? "0" : "")\(digits)"
  }
}

import RasaCore
import RasaEngine
import RasaKit
import RasaStore
import RasaSystem
import RasaTerminal

extension RunsCommands {
  func events(_ word: String, since: Int, follows: Bool) async throws {
    let found = try await archive.find(word)
    if !follows {
      _ = try await writeLines(of: found.id, after: since)
      return
    }
    let commands = self
    let errors = house.errors
    let ended = try await interruptible { _ in
      try await commands.follow(found.id, after: since)
    }
    try errors.write("rasa: \(ended)\n")
  }

  /// How long a line that has been written may stay unseen.
  private static let interval = Duration.milliseconds(200)

  /// Prints what comes until nothing more comes; returns why.
  private func follow(_ run: Identifier, after since: Int) async throws -> String {
    var last = since
    while true {
      // How it stands is looked at first: what was written before is then printed with certainty.
      guard let listing = try await store.run(run.text) else { return "\(run) has been deleted" }
      last = try await writeLines(of: run, after: last)
      if !(listing.record.status == .running && listing.isAlive) {
        let found = try await archive.found(listing)
        return "\(run): \(found.condition.text(waiting: listing.waiting))"
      }
      try await house.time.sleep(Self.interval)
    }
  }

  /// Prints the lines after that one, and returns the number of the last.
  private func writeLines(of run: Identifier, after since: Int) async throws -> Int {
    let reading = try await store.journal(of: run, after: since)
    var text = ""
    for (index, entry) in reading.entries.enumerated() {
      text += line(entry, sequence: since + index + 1) + "\n"
    }
    if !text.isEmpty { try print.output.write(text) }
    if let damage = reading.damage { throw damage }
    return since + reading.entries.count
  }

  private func line(_ entry: JournalEntry, sequence: Int) -> String {
    if print.isJSON { return entry.document(sequence: sequence).json(.compact) }
    let number = style.dim(String(sequence).leftPadded(to: 4))
    let kind = print.others.line(entry.kind).padded(to: 18)
    let key = entry.key.map { style.cyan(print.others.line($0)) + "  " } ?? ""
    let columns = max(24, print.width - 35 - (entry.key?.count ?? -2))
    let body = entry.body.isNull ? "" : print.others.opening(entry.body.json(), to: columns)
    return "\(number)  \(clockText(entry.time))  \(kind)\(key)\(body)"
  }
}

extension JournalEntry {
  /// The line as a document: its place, and what it says in a member of its own, for that may have
  /// members of any name.
  func document(sequence: Int) -> Value {
    var object: ValueObject = [
      "sequence": .int(Int64(sequence)), "at_ms": .int(time.milliseconds),
      "kind": .string(kind),
    ]
    if let key { object["key"] = .string(key) }
    if !body.isNull { object["body"] = body }
    return .object(object)
  }
}

/// The time of day in UTC to the millisecond: what tells lines of one run apart.
private func clockText(_ moment: Timestamp) -> String {
  let day: Int64 = 86_400_000
  let ofDay = (moment.milliseconds % day + day) % day
  func digits(_ number: Int64, _ count: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, count - text.count)) + text
  }
  return digits(ofDay / 3_600_000, 2) + ":" + digits(ofDay / 60_000 % 60, 2) + ":"
    + digits(ofDay / 1000 % 60, 2) + "." + digits(ofDay % 1000, 3)
}

extension String {
  fileprivate func leftPadded(to width: Int) -> String {
    String(repeating: " ", count: max(0, width - count)) + self
  }
}

import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

extension RunsCommands {
  func events(_ word: String, since: Int, follows: Bool) async throws {
    let id = try await rasa.run(withID: word).id
    if !follows {
      _ = try await writeLines(of: id, after: since)
      return
    }
    let commands = self
    let errors = composition.errors
    let ended = try await interruptible { _ in
      try await commands.follow(id, after: since)
    }
    try errors.write("rasa: \(ended)\n")
  }

  /// How long a line that has been written may stay unseen.
  private static let interval = Duration.milliseconds(200)

  /// Prints lines as they come until no more will come; returns why.
  private func follow(_ id: String, after since: Int) async throws -> String {
    var last = since
    while true {
      do {
        // The status is read first: what was written before is then printed with certainty.
        let run = try await rasa.run(withID: id)
        last = try await writeLines(of: id, after: last)
        guard run.status == .running else { return "\(id): \(run.statusText)" }
      } catch let error as RasaError where error.code == .usage {
        return "\(id) has been deleted"
      }
      try await composition.time.sleep(Self.interval)
    }
  }

  /// Prints the lines after that one, and returns the number of the last.
  private func writeLines(of id: String, after since: Int) async throws -> Int {
    let (lines, damage) = try await rasa.journal(ofRun: id, after: since)
    let text = lines.map { line(of: $0) + "\n" }.joined()
    if !text.isEmpty { try print.output.write(text) }
    if let damage { throw damage }
    return since + lines.count
  }

  private func line(of line: Rasa.JournalLine) -> String {
    if print.isJSON { return line.json.value.json(.compact) }
    let number = style.dim(String(line.sequence).leftPadded(to: 4))
    let kind = print.others.line(line.kind).padded(to: 18)
    let key = line.key.map { style.cyan(print.others.line($0)) + "  " } ?? ""
    let columns = max(24, print.width - 35 - (line.key?.count ?? -2))
    let body =
      line.body.isNull ? "" : print.others.opening(line.body.value.json(), to: columns)
    return "\(number)  \(clockText(Timestamp(milliseconds: line.time)))  \(kind)\(key)\(body)"
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

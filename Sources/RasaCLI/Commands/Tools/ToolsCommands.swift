import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// `rasa tools list|show|check|approve`.
struct ToolsCommands {
  let rasa: Rasa
  let console: Console
  let time: TimeSource
  let print: Printer

  func run(_ command: ParsedCommand) async throws {
    let persona = command.text("persona")
    switch command.path[1] {
    case "list": try await list(persona)
    case "show": try await show(command.arguments[0], persona)
    case "check":
      try await TrustQuestion(rasa: rasa, console: console).settle(startingTools: true)
      try await check(command.arguments, persona)
    case "login":
      try await TrustQuestion(rasa: rasa, console: console).settle(startingTools: true)
      let console = console
      try await rasa.login(toolServer: command.arguments[0], ofPersona: persona) { line in
        try? console.note("\(printable(line))\n")
      }
      try report(command.arguments[0], isLoggedIn: true, "logged in to \(command.arguments[0])")
    case "logout":
      let name = command.arguments[0]
      let wasThere = try await rasa.logout(toolServer: name, ofPersona: persona)
      try report(
        name, isLoggedIn: false,
        wasThere ? "logged out of \(name)" : "there was no login to \(name)")
    default:
      try await TrustQuestion(rasa: rasa, console: console).settle(startingTools: true)
      try await approve(command, persona)
    }
  }

  private func report(_ name: String, isLoggedIn: Bool, _ line: String) throws {
    if print.isJSON {
      return try print(["name": .string(name), "logged_in": .bool(isLoggedIn)] as Value)
    }
    try print(text: line + "\n")
  }

  // MARK: Lists

  private func list(_ persona: String?) async throws {
    let tools = try await rasa.tools(ofPersona: persona)
    try print(
      Table(
        columns: ["TOOL", "KIND", "SIDE EFFECTS", "STATUS", "FROM", "DESCRIPTION"],
        rows: tools.map { tool in
          [
            tool.name, tool.kind, tool.sideEffects ?? "unknown", Self.status(tool),
            tool.shadows.isEmpty
              ? tool.origin : "\(tool.origin) (instead of \(tool.shadows.joined(separator: ", ")))",
            tool.description,
          ]
        }, values: tools.map(\.document),
        whenEmpty:
          "no tools; declare some under `tools:` of a persona or of \(rasa.folders.configuration)/config.yaml, "
          + "or in .mcp.json"))
  }

  private static func status(_ tool: Rasa.ToolSummary) -> String {
    guard let count = tool.toolCount else { return "\(tool.status)" }
    return "\(tool.status), \(count == 1 ? "1 tool" : "\(count) tools")"
  }

  // MARK: One of them

  private func show(_ name: String, _ persona: String?) async throws {
    let details = try await rasa.details(ofTool: name, ofPersona: persona)
    if print.isJSON {
      return try print(details.document)
    }
    let summary = details.summary
    var rows: [(String, String)] = [
      ("name", summary.name), ("kind", summary.kind), ("status", Self.status(summary)),
    ]
    if !summary.description.isEmpty { rows.append(("description", summary.description)) }
    rows.append(("side effects", summary.sideEffects ?? "unknown, which counts as yes"))
    rows += details.access.map { ($0.label, $0.text) }
    rows.append(("from", summary.origin + (summary.line.map { ":\($0)" } ?? "")))
    if let at = details.approvedAt, let by = details.approvedBy {
      rows.append(("approved", "by \(by), \(momentText(Timestamp(milliseconds: at), time))"))
    }
    rows += details.changes.map { ("changed", $0) }
    var text = rows.map { "\(($0.0 + ":").padded(to: 14))\($0.1)\n" }.joined()
    if let instructions = details.instructions {
      text += "\nIt tells models about itself, which rasa does not pass on:\n"
      text += instructions.indented(by: 2) + "\n"
    }
    for tool in details.tools { text += "\n" + Self.text(of: tool) }
    if !details.leftOut.isEmpty { text += "\n" + Self.text(of: details.leftOut) }
    if details.tools.isEmpty, summary.kind == "mcp" {
      text += "\nIt has never run here: `rasa tools approve \(summary.name)` starts it.\n"
    }
    try print(text: text)
  }

  private static func text(of tool: Rasa.OfferedTool) -> String {
    var text = "\(tool.name)  (side effects: \(tool.sideEffects))\n"
    if let title = tool.title, title != tool.description { text += "  title: \(title)\n" }
    if !tool.description.isEmpty { text += tool.description.indented(by: 2) + "\n" }
    text += tool.parameters.prettyText.indented(by: 2) + "\n"
    if let output = tool.output { text += "  returns\n" + output.prettyText.indented(by: 2) + "\n" }
    if let annotations = tool.annotations {
      text += "  its own annotations, which rasa does not rely on\n"
      text += annotations.prettyText.indented(by: 2) + "\n"
    }
    return text
  }

  private static func text(of tools: [Rasa.LeftOutTool]) -> String {
    tools.map { "left out: \($0.name.isEmpty ? "a tool without a name" : $0.name): \($0.reason)\n" }
      .joined()
  }

  private static func document(_ tools: [Rasa.LeftOutTool]) -> Value {
    .array(tools.map { ["name": .string($0.name), "reason": .string($0.reason)] })
  }

  // MARK: Starting servers

  private func check(_ names: [String], _ persona: String?) async throws {
    let checks = try await rasa.checkTools(names, ofPersona: persona)
    try print(
      Table(
        columns: ["TOOL", "STATUS", "TIME", "FOUND"],
        rows: checks.map { check in
          let leftOut = check.leftOut.map { "; leaves out \($0.name): \($0.reason)" }.joined()
          return [check.name, "\(check.status)", "\(check.took) ms", check.text + leftOut]
        },
        values: checks.map { check in
          [
            "name": .string(check.name), "status": .string("\(check.status)"),
            "text": .string(check.text), "took_ms": .int(check.took),
            "title": check.title.map { .string($0) } ?? .null,
            "version": check.version.map { .string($0) } ?? .null,
            "protocol": check.revision.map { .string($0) } ?? .null,
            "tools": check.toolCount.map { .int(Int64($0)) } ?? .null,
            "left_out": .array(check.leftOut.map(\.document)),
            "suggestion": .string(check.problem?.suggestion ?? ""),
            "details": .array((check.problem?.details ?? []).map { .string($0) }),
          ]
        }, whenEmpty: "no tools are declared"))
    let broken = checks.filter { $0.status == .broken }
    guard let first = broken.first?.problem?.failure else { return }
    var failure = first
    if broken.count > 1 {
      failure = Failure(
        first.kind, "\(broken.count) of \(checks.count) cannot be used",
        details: broken.compactMap { check in
          check.problem.map {
            "\(check.name): \($0.message)" + ($0.suggestion.isEmpty ? "" : " → \($0.suggestion)")
          }
        })
    }
    if failure.kind == .run { failure.kind = .provider }
    throw failure
  }

  private func approve(_ command: ParsedCommand, _ persona: String?) async throws {
    let name = command.arguments[0]
    let given = Rasa.ToolAccess(
      network: command.texts("network"), read: command.texts("read"),
      write: command.texts("write"))
    let isGiven = given != Rasa.ToolAccess()
    let details = try await rasa.details(ofTool: name, ofPersona: persona)
    let server = details.summary.name
    var reviewed: Rasa.ToolReview?
    if details.summary.kind == "mcp", !command.flag("yes") {
      try console.errors.write(ServerCard.text(details, adding: isGiven ? given : nil, on: console))
      // What may start already is looked at before the question, what may not after it.
      let mayStart = details.approvedAt != nil
      if mayStart {
        reviewed = try await rasa.review(toolServer: name, ofPersona: persona)
        try show(reviewed)
      }
      try await console.confirm(
        "The server `\(server)` will be \(mayStart ? "" : "started and ")approved.",
        more: "Runs may use it from then on, until it changes.",
        prompt: "Approve it? [y]es, [N]o › ")
      if !mayStart {
        reviewed = try await rasa.review(
          toolServer: name, ofPersona: persona, access: isGiven ? given : nil)
        if reviewed?.changes.isEmpty == false {
          try show(reviewed)
          try await console.confirm(
            "The server `\(server)` offers something else than the one that was approved before.",
            more: "", prompt: "Approve that? [y]es, [N]o › ")
        }
      }
    }
    let approval = try await rasa.approve(
      toolServer: name, ofPersona: persona, access: isGiven ? given : nil, reviewed: reviewed)
    if print.isJSON { return try print(approval.json) }
    var text = ""
    // What was shown before the answer need not be read twice.
    if reviewed == nil { for line in approval.changes ?? [] { text += "  \(line)\n" } }
    let count = approval.tools.count == 1 ? "1 tool" : "\(approval.tools.count) tools"
    text += "approved \(approval.name) with \(count)\n"
    for tool in approval.tools { text += "  \(tool.name)\n" }
    text += Self.text(of: approval.leftOut)
    try print(text: text)
  }

  /// What differs from what was approved, before somebody says yes to it.
  private func show(_ review: Rasa.ToolReview?) throws {
    guard let review else { return }
    if review.changes.isEmpty {
      return try console.errors.write("  What it offers is what was approved.\n")
    }
    try console.errors.write("  Since it was approved, this has changed:\n")
    for line in review.changes {
      try console.errors.write("    \(TerminalText.line(line))\n")
    }
  }
}

/// What a person is shown before a server is started for the first time.
enum ServerCard {
  /// Names, commands and addresses are somebody else's text.
  static func text(
    _ details: Rasa.ToolDetails, adding access: Rasa.ToolAccess?, on console: Console
  ) -> String {
    let style = console.terminal.style(of: .error)
    var text =
      style.bold(TerminalText.line("\(details.summary.name) from \(details.summary.origin)")) + "\n"
    var rows = details.access.map { ($0.label, $0.text) }
    if let access {
      if !access.network.isEmpty {
        rows.append(("and network", access.network.joined(separator: ", ")))
      }
      if !access.read.isEmpty { rows.append(("and reads", access.read.joined(separator: ", "))) }
      if !access.write.isEmpty { rows.append(("and writes", access.write.joined(separator: ", "))) }
    }
    for (label, value) in rows {
      text += "  \((label + ":").padded(to: 14))\(TerminalText.line(value))\n"
    }
    for line in details.changes where details.approvedAt == nil {
      text += "  \("changed:".padded(to: 14))\(TerminalText.line(line))\n"
    }
    return text
  }
}

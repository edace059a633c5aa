import RasaCore

/// The help about one command: what it does, examples, how it is written, and then the details.
package struct HelpPage: Sendable {
  /// The commands from the program down to the one that the page is about.
  private let chain: [CommandSpec]

  init(_ chain: [CommandSpec]) { self.chain = chain }

  /// The names that lead to the command, as in `["personas", "show"]`.
  package var path: [String] { chain.dropFirst().map(\.name) }

  private var command: CommandSpec { chain[chain.count - 1] }
  private var line: String { chain.map(\.name).joined(separator: " ") }

  /// The page as plain text, for a terminal of that many columns.
  package func text(width: Int) -> String {
    var layout = TextLayout(width: width)
    layout.paragraph("\(command.summary).", indent: 0)
    addExamples(to: &layout)
    layout.heading("Usage")
    layout.command("\(line)\(command.usage)", indent: 2)
    for (heading, commands) in inOrder(command.subcommands, by: \.heading) {
      layout.heading(heading)
      layout.rows(
        commands.map { ($0.name + $0.argumentUsage, $0.summary) },
        labelWidth: TextLayout.labelWidth(
          of: command.subcommands.map { $0.name + $0.argumentUsage }))
    }
    addOptions(to: &layout)
    for note in command.notes {
      layout.heading(note.title)
      layout.paragraph(note.text, indent: 2)
      layout.rows(note.rows)
    }
    if !command.subcommands.isEmpty {
      let target = (["rasa", "help"] + path + ["COMMAND"]).joined(separator: " ")
      layout.heading("`\(target)` shows the help of one command.")
    }
    return layout.text
  }

  private func addExamples(to layout: inout TextLayout) {
    guard !command.examples.isEmpty else { return }
    layout.heading("Examples")
    for example in command.examples {
      layout.paragraph("\(example.purpose):", indent: 2)
      layout.command(example.line, indent: 4)
    }
  }

  private func addOptions(to layout: inout TextLayout) {
    let arguments = command.arguments.map { (label: $0.name, text: $0.help) }
    var options = command.options.filter { !$0.isHidden }
    options.append(.help.under(options.last?.heading ?? OptionSpec.help.heading))
    let labelWidth = TextLayout.labelWidth(of: arguments.map(\.label) + options.map(\.label))
    if !arguments.isEmpty {
      layout.heading("Arguments")
      layout.rows(arguments, labelWidth: labelWidth)
    }
    for (heading, options) in inOrder(options, by: \.heading) {
      layout.heading(heading)
      layout.rows(options.map { ($0.label, $0.description) }, labelWidth: labelWidth)
    }
  }

  /// What shares a heading, each heading where it comes first.
  private func inOrder<Item>(
    _ items: [Item], by heading: (Item) -> String
  ) -> [(heading: String, items: [Item])] {
    var groups: [(heading: String, items: [Item])] = []
    for item in items {
      if let index = groups.firstIndex(where: { $0.heading == heading(item) }) {
        groups[index].items.append(item)
      } else {
        groups.append((heading(item), [item]))
      }
    }
    return groups
  }
}

extension CommandSpec {
  /// What follows the command's name on a usage line.
  fileprivate var usage: String {
    let required = options.filter(\.isRequired).map { " \($0.spelling) \($0.placeholder ?? "")" }
    let hasMore = options.contains { !$0.isRequired && !$0.isHidden }
    let rest = subcommands.isEmpty ? argumentUsage : " COMMAND"
    return required.joined() + (hasMore ? " [options]" : "") + rest
  }

  fileprivate var argumentUsage: String {
    arguments.map { argument in
      let name = argument.name + (argument.repeats ? "…" : "")
      return argument.isOptional ? " [\(name)]" : " \(name)"
    }.joined()
  }
}

extension OptionSpec {
  fileprivate var label: String {
    let start = short.map { "-\($0), " } ?? "    "
    let value = placeholder.map { " \($0)" } ?? ""
    return start + (isNegatable ? "--[no-]\(name)" : spelling) + value
  }

  /// The help text with what the declaration knows besides.
  fileprivate var description: String {
    let choices = offeredChoices.count > 1 ? ": \(listed(offeredChoices, "or"))" : ""
    var remarks: [String] = []
    if isRequired {
      let others = listed(excusedBy.map { "`--\($0)`" }, "or")
      remarks.append(excusedBy.isEmpty ? "required" : "required, unless \(others) is given")
    }
    if repeats { remarks.append("may be repeated") }
    switch defaultsTo {
    case .value("true"): remarks.append("default: on")
    case .value(let text), .described(let text): remarks.append("default: \(text)")
    case nil: break
    }
    return help + choices + (remarks.isEmpty ? "" : " (\(remarks.joined(separator: "; ")))")
  }
}

import RasaCore

/// What standard output carries: text for people, or JSON for programs.
enum ReplyForm: Sendable {
  case text
  /// One document at the end.
  case document
  /// One document a line; the last one says how it ended.
  case lines
  /// Such lines, each with its `type`, as a run shows itself.
  case typedLines

  init(_ command: ParsedCommand) {
    func isSet(_ flag: String) -> Bool { command.declares(flag) && command.flag(flag) }
    if command.declares("output-format") {
      switch command.choice("output-format", of: OutputFormat.self) ?? .text {
      case .text: self = .text
      case .json: self = .document
      case .streamJSON: self = .typedLines
      }
    } else if isSet("json") {
      self =
        isSet("follow") || isSet("watch") || command.path == ["runs", "events"] ? .lines : .document
    } else if command.declares("format"), command.text("format") == "json" {
      self = .document
    } else {
      self = .text
    }
  }

  /// What a command line asks for that cannot be read: whoever wrote `--json` waits for JSON.
  init(unread words: [String]) {
    self = .text
    let words = words.prefix { $0 != "--" }
    for (index, word) in words.enumerated() {
      switch word {
      case "--json", "--output-format=json": self = .document
      case "--output-format=stream-json": self = .typedLines
      case "--output-format" where index + 1 < words.count:
        switch words[index + 1] {
        case "json": self = .document
        case "stream-json": self = .typedLines
        default: break
        }
      default: break
      }
    }
  }

  /// What a program is told instead of an answer; nil for people, who are told elsewhere.
  func text(of failure: Failure, exitCode: Int32) -> String? {
    var document = failure.document(exitCode: exitCode)
    switch self {
    case .text: return nil
    case .document: return Value.object(document).json(.pretty) + "\n"
    case .lines: break
    case .typedLines: document["type"] = "result"
    }
    return Value.object(document).json(.compact) + "\n"
  }
}

import RasaCore
import RasaTerminal

/// What a line that was typed into a chat is: a question, or a command to rasa itself.
enum ChatLine: Equatable {
  case question(String)
  case command(ChatCommand, argument: String)
  /// Looks like a command and is none; it is never sent.
  case unknown(String)

  /// A command begins with a slash and is one word: `/etc/hosts is what?` is a question. A second
  /// slash, or a space before it, sends a line that begins with one.
  init(_ line: String) {
    guard line.utf8.first == UInt8(ascii: "/") else {
      let rest = line.drop { $0 == " " }
      let isEscaped = rest.utf8.first == UInt8(ascii: "/")
      self = .question(isEscaped ? String(rest) : line)
      return
    }
    let behind = line.utf8.dropFirst()
    if behind.first == UInt8(ascii: "/") {
      self = .question(String(line.dropFirst()))
      return
    }
    let word = String(Substring(behind.prefix { $0 > 0x20 }))
    if word.utf8.contains(UInt8(ascii: "/")) {
      self = .question(line)
      return
    }
    let argument = String(Substring(behind.dropFirst(word.utf8.count))).trimmedByScalars
    guard let command = ChatCommand.all.first(where: { $0.names.contains(word.lowercased()) })
    else {
      self = .unknown(word)
      return
    }
    self = .command(command, argument: String(argument))
  }
}

/// A command of a chat. All of them are in one table, for `/help`, completion and suggestions.
struct ChatCommand: Sendable, Equatable {
  enum Action: Sendable { case help, cost, model, retry, edit, attach, save, session, quit }

  var action: Action
  /// Without the slash, the one that is shown first.
  var names: [String]
  var argument = ""
  var summary: String

  static let all = [
    ChatCommand(action: .help, names: ["help", "?"], summary: "Show these commands"),
    ChatCommand(
      action: .cost, names: ["cost"],
      summary: "The cost of this conversation and of today, and the limits"),
    ChatCommand(
      action: .model, names: ["model"], argument: "[NAME]",
      summary: "Show the model; with a name, use that one from now on (`default` undoes it)"),
    ChatCommand(action: .retry, names: ["retry"], summary: "Ask the last question again"),
    ChatCommand(
      action: .edit, names: ["edit"],
      summary: "Change the last question in your editor, and ask it"),
    ChatCommand(
      action: .attach, names: ["attach"], argument: "FILE",
      summary: "Attach an image, a PDF or a text to the next question"),
    ChatCommand(
      action: .save, names: ["save"], argument: "FILE",
      summary: "Write the conversation to a Markdown file (`--force FILE` replaces one)"),
    ChatCommand(
      action: .session, names: ["session"], argument: "[NAME]",
      summary: "Show the conversation; with a name, switch to that one"),
    ChatCommand(action: .quit, names: ["quit", "exit"], summary: "End the chat, as Ctrl-D does"),
  ]

  /// All names, each with its slash, for completion.
  static var words: [String] { all.flatMap(\.names).filter { $0 != "?" }.map { "/\($0)" } }

  /// The commands in the columns of a window.
  static func help(columns: Int) -> String {
    let labels = all.map { command in
      "/\(command.names[0])" + (command.argument.isEmpty ? "" : " \(command.argument)")
    }
    let width = labels.map(\.utf8.count).max() ?? 0
    var text = ""
    let hasRoom = columns >= width + 32
    for (label, command) in zip(labels, all) {
      let margin = hasRoom ? width + 2 : 2
      let lines = rows(of: command.summary, columns: max(min(columns, 100) - margin - 1, 16))
      if !hasRoom { text += label + "\n" }
      for (place, line) in lines.enumerated() {
        let first = hasRoom && place == 0 ? label : ""
        text += first + String(repeating: " ", count: margin - first.utf8.count) + line + "\n"
      }
    }
    return text
      + "Ctrl-C stops an answer. `//` sends a line that starts with a slash; Alt-Enter starts a new line.\n"
  }

  static func unknown(_ word: String) -> String {
    let nearest = nearestName(to: word.lowercased(), among: all.flatMap(\.names))
    let hint = nearest.map { "did you mean /\($0)? " } ?? ""
    return
      "there is no command /\(word); nothing was sent. \(hint)/help lists them, and a line that "
      + "starts with // is sent with one slash\n"
  }
}

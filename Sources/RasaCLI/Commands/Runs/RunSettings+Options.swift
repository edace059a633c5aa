import RasaCore
import RasaKit
import RasaSystem

extension RunSettings {
  /// How a run that exists is resumed, as the options of the command say.
  init(goingOnBy command: ParsedCommand) {
    self.init(subject: .persona(""), input: "")
    options.user = command.text("user")
    if command.declares("session") { options.session = command.text("session") }
    if command.declares("pinned") { options.usesPinnedFiles = command.flag("pinned") }
    approval = command.choice("approval", of: ApprovalMode.self) ?? .ask
    format = command.choice("output-format", of: OutputFormat.self) ?? .text
    streams = command.flag("stream")
    isVerbose = command.flag("verbose")
    isQuiet = command.flag("quiet")
    isPlain = command.flag("plain")
    setModelAndMoney(command)
  }

  /// What the options about models and money say, which all commands that ask models share.
  mutating func setModelAndMoney(_ command: ParsedCommand) {
    options.ignoresRunLimit = command.flag("force")
    options.ignoresBudget = command.flag("allow-budget-exceed")
    options.allowsPremium = command.flag("premium")
    options.model = command.text("model")
    options.profile = command.choice("profile", of: Rasa.Profile.self)
    options.maxCost = command.money("max-cost").flatMap { Rasa.Dollars($0.decimalText) }
    options.mockDelay = .milliseconds(8)
    explainsSelection = command.flag("explain-selection")
    if command.declares("max-seconds") { options.maxSeconds = command.integer("max-seconds") }
    if command.declares("strict") { isStrict = command.flag("strict") }
    if command.declares("show-reasoning") { showsReasoning = command.flag("show-reasoning") }
  }
}

/// The text of a file, or of standard input when it is `-`, without the line end that ends it.
func readText(_ path: String) throws(Failure) -> String {
  let longest = 64_000_000
  let name = path == "-" ? "standard input" : path
  let bytes =
    path == "-"
    ? try FileSystem.readToEnd(0, limit: longest, name: name)
    : try FileSystem.read(path, limit: longest)
  guard let text = String(validating: bytes, as: UTF8.self) else {
    throw Failure(
      .usage, "the text in \(name) is not UTF-8",
      suggestion: "convert it first, as with `iconv -t UTF-8`")
  }
  return String(text.withoutFinalLineFeed)
}

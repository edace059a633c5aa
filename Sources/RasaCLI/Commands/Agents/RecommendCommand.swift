import RasaKit

/// `rasa agents recommend`: which agents fit a task.
struct RecommendCommand {
  let rasa: Rasa
  let console: Console
  let input: InputReader
  let print: Printer

  func run(_ command: ParsedCommand) async throws {
    let task = try input.input(command.input)
    var options = Rasa.RecommendOptions()
    options.profile = command.choice("profile", of: Rasa.Profile.self)
    options.maxCost = command.text("max-cost").flatMap { Rasa.Dollars($0) }
    options.limit = command.integer("limit") ?? 5
    options.includesUnfit = command.flag("all")
    options.embeddings =
      switch command.text("embeddings") {
      case nil: .configured
      case "off": .none
      case let name?: .model(name)
      }
    let console = console
    options.notify = { console.notice($0) }
    let found = try await recommendations(for: task, options)
    if print.isJSON { return try print(found.document) }
    let report = RecommendationReport(width: print.width, explains: command.flag("explain"))
    try print(text: report.text(of: found))
  }

  /// Words alone take no time that somebody could interrupt.
  private func recommendations(
    for task: String, _ options: Rasa.RecommendOptions
  ) async throws -> Rasa.Recommendations {
    let asks =
      switch options.embeddings {
      case .none: false
      case .configured: try await rasa.embeddingsModel() != nil
      default: true
      }
    guard asks else { return try await rasa.recommendations(for: task, options: options) }
    let rasa = rasa
    return try await TrustQuestion(rasa: rasa, console: console).during { settle in
      var options = options
      options.beforeAsking = settle
      return try await interruptible { [options] _ in
        try await rasa.recommendations(for: task, options: options)
      }
    }
  }
}

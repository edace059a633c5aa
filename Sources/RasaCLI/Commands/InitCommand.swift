import RasaKit

/// `rasa init`: a first persona and operator to change.
struct InitCommand {
  let rasa: Rasa
  let print: Printer

  func run(name: String, isUserWide: Bool, overwrites: Bool) async throws {
    let files = try await rasa.createStarter(
      named: name, isUserWide: isUserWide, replacing: overwrites)
    try print(text: files.map { "wrote \($0)\n" }.joined())
    try print(text: "now try: rasa run --persona \(name) --input \"What should I read first?\"\n")
  }
}

import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

extension RunsCommands {
  func compare(_ first: String, _ second: String) async throws {
    let comparison = try await rasa.compare(first, second)
    if print.isJSON {
      try print(Value(comparison.json))
    } else {
      let text = ComparisonText(
        comparison: comparison, style: style, width: print.width, others: print.others)
      try print.output.write(text.lines.joined(separator: "\n") + "\n")
    }
    // What could be read has been compared; what could not is still an error.
    if let damage = comparison.left.damage ?? comparison.right.damage { throw damage }
  }
}

import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// How commands other than `run` say what they found.
struct Printer: Sendable {
  let output: Output
  let isJSON: Bool
  /// The columns of the terminal that shows it; `unlimited` where none does.
  let width: Int

  var glyphs = Glyphs.unicode

  /// Nobody looks at a file or a pipe through a window: nothing is cut or wrapped for it.
  static let unlimited = 1 << 30

  /// How text that others wrote goes to the output.
  var others: UntrustedText { UntrustedText(isOnTerminal: output.isTerminal) }

  func callAsFunction(_ listing: Table) throws {
    if isJSON {
      try output.write(Value.array(listing.values).json(.pretty) + "\n")
    } else {
      try callAsFunction(text: listing.cleaned(others).text(width: width, glyphs: glyphs))
    }
  }

  func callAsFunction(_ value: Value) throws { try output.write(value.json(.pretty) + "\n") }

  func callAsFunction(_ json: Rasa.JSON) throws { try output.write(json.prettyText + "\n") }

  /// What has been made fit for the output already.
  func callAsFunction(asItStands text: String) throws { try output.write(text) }

  func callAsFunction(text: String) throws { try output.write(others.whole(text)) }
}

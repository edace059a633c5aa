import RasaCore
import RasaSystem
import RasaTerminal

/// How commands other than `run` say what they found.
struct Printer: Sendable {
  let output: Output
  let isJSON: Bool
  let width: Int

  func callAsFunction(_ listing: Listing) throws {
    if isJSON {
      try output.write(Value.array(listing.values).json(.pretty) + "\n")
    } else {
      try callAsFunction(text: listing.text(width: width))
    }
  }

  func callAsFunction(_ value: Value) throws { try output.write(value.json(.pretty) + "\n") }

  func callAsFunction(text: String) throws { try output.write(printable(text)) }
}

package import RasaCore
import RasaSystem

/// Sizes that variables set.
extension CompositionRoot {
  /// The longest input in bytes: `RASA_MAX_INPUT`, such as `32M`.
  package func longestInput() throws(Failure) -> Int {
    try size(in: "RASA_MAX_INPUT", usual: 16_000_000, largest: Self.longestInputEver)
  }

  /// `RASA_MAX_ATTACHMENT` says how large an image or PDF may be, `RASA_MAX_INPUT` how large a text.
  func attachmentReader() throws(Failure) -> AttachmentReader {
    AttachmentReader(
      limit: try size(
        in: "RASA_MAX_ATTACHMENT", usual: AttachmentReader.usualLimit,
        largest: AttachmentReader.largestLimit),
      textLimit: try longestInput())
  }

  /// A number of bytes that a variable holds, such as `32M`.
  private func size(
    in variable: String, usual: Int, largest: Int
  ) throws(Failure) -> Int {
    guard let text = environment[variable] else { return usual }
    let units: [Character: Int] = ["k": 1000, "K": 1000, "M": 1_000_000]
    let unit = text.last.flatMap { units[$0] }
    let digits = unit == nil ? text[...] : text.dropLast()
    guard let count = Int(digits), count > 0,
      case let (bytes, overflow) = count.multipliedReportingOverflow(by: unit ?? 1), !overflow,
      bytes <= largest
    else {
      throw Failure(
        .usage, "`\(variable)` must be a size up to \(largest / 1_000_000)M, not \(quoted(text))",
        suggestion: "write it as `\(variable)=\(min(32, largest / 1_000_000))M`, in bytes, k or M")
    }
    return bytes
  }

  private static let longestInputEver = 64_000_000

  package static func tooLarge(_ what: String, _ limit: Int) -> Failure {
    Failure(
      .usage, "\(what) is larger than \(byteCountText(limit))",
      suggestion: limit < longestInputEver
        ? "raise `RASA_MAX_INPUT`, up to 64M, or send a part of it"
        : "send a part of it")
  }
}

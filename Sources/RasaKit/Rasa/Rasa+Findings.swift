import RasaCore

extension Rasa {
  /// What is odd about a file, or about a folder of files, and stops nothing.
  public struct FileWarning: Sendable, Hashable, Codable, CustomStringConvertible {
    /// What is odd, as one sentence without a full stop.
    public var message: String
    /// The file that it is about.
    public var file: String?
    /// The line in that file, counted from 1; nil where it is about the whole file.
    public var line: Int?
    /// The column in that line, counted in characters from 1.
    public var column: Int?

    init(_ warning: Warning, _ redaction: Redaction? = nil) {
      message = redaction?(warning.message) ?? warning.message
      file = warning.location?.file
      line = warning.location.flatMap { $0.line > 0 ? $0.line : nil }
      column = warning.location.flatMap { $0.line > 0 ? $0.column : nil }
    }

    /// The message behind its place, as in `agents/writer.md:3:1: …`.
    public var description: String { warning.description }
    /// The warning as the JSON documents of the program `rasa` have it.
    public var json: JSON { JSON(warning.value) }

    private var warning: Warning {
      Warning(
        message,
        at: file.map { SourceLocation(file: $0, line: line ?? 0, column: column ?? 0) })
    }
  }
}

extension RasaError {
  /// One error that tells of all of these, of the first one's code; nil where there is none.
  public init?(allOf errors: [RasaError]) {
    guard let failure = Failure(allOf: errors.map(\.failure)) else { return nil }
    self.init(failure)
  }
}

extension Rasa.JSON {
  /// The value as JSON text on several lines, indented.
  public var prettyText: String { value.json(.pretty) }

  /// A truth value.
  public init(_ flag: Bool) { self.init(RasaCore.Value.bool(flag)) }
  /// A whole number.
  public init(_ number: Int) { self.init(RasaCore.Value.int(Int64(number))) }
  /// A number.
  public init(_ number: Double) { self.init(RasaCore.Value.double(number)) }
  /// A text, or `null`.
  public init(_ text: String?) { self.init(text.map { RasaCore.Value.string($0) } ?? .null) }
  /// An array.
  public init(_ elements: [Rasa.JSON]) { self.init(RasaCore.Value.array(elements.map(\.value))) }
}

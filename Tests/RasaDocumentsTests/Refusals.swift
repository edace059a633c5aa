import RasaCore
import Testing

/// What a person needs to correct a document: the place, the mistake in words, and a suggestion.
func expectRefusal(
  _ failure: Failure?, at file: String, _ line: Int, _ column: Int, _ words: String,
  sourceLocation: Testing.SourceLocation = #_sourceLocation
) {
  #expect(
    failure?.location == RasaCore.SourceLocation(file: file, line: line, column: column),
    sourceLocation: sourceLocation)
  #expect(
    failure?.message.contains(words) == true, "\(failure?.message ?? "")",
    sourceLocation: sourceLocation)
  #expect(failure?.suggestion.isEmpty == false, sourceLocation: sourceLocation)
  #expect(failure?.kind == .configuration, sourceLocation: sourceLocation)
}

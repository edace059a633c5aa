import RasaCore
import RasaDocuments

extension DocumentReader {
  /// A condition, written as text or as a bare `true`.
  mutating func condition(_ node: DocumentNode?, _ what: String) -> Guard? {
    guard let node else { return nil }
    guard case .scalar(let value) = node.content else {
      fail(node, what, mustBe: "a condition such as `critique.verdict == \"pass\"`")
      return nil
    }
    let source = value.string ?? node.rawText ?? value.json()
    do {
      return try Guard.compile(source, at: start(of: node))
    } catch {
      fail(error)
      return nil
    }
  }

  mutating func template(_ node: DocumentNode?, _ what: String) -> Template? {
    guard let node, let source = text(node, what) else { return nil }
    return template(source, at: start(of: node))
  }

  mutating func template(_ source: String, at location: SourceLocation) -> Template? {
    do {
      return try Template.compile(source, at: location)
    } catch {
      fail(error)
      return nil
    }
  }

  /// Where the first character of a scalar's text stands: after the quote, or in the line below the
  /// `|` of a block, behind its indentation.
  private func start(of node: DocumentNode) -> SourceLocation {
    var location = node.location
    guard location.file == text.file, location.column > 0 else { return location }
    let line = text.excerpt(line: location.line).unicodeScalars
    switch line.dropFirst(location.column - 1).first {
    case "'", "\"": location.column += 1
    case "|", ">":
      let following = (1...Self.blankLinesLookedThrough).lazy
        .map { text.excerpt(line: location.line + $0).unicodeScalars }
        .first { line in line.contains { $0 != " " } }
      location.line += 1
      location.column = (following?.prefix { $0 == " " }.count ?? 0) + 1
    default: break
    }
    return location
  }

  private static let blankLinesLookedThrough = 100
}

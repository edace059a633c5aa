package import RasaCore

/// A condition over the state. Total: evaluating it never fails.
///
/// | what | meaning |
/// |---|---|
/// | `critique.verdict` | the value at a path; a missing one is null |
/// | `12` `0.5` `'text'` `"text"` `true` `false` `null` `[a, 'b']` | literals and lists |
/// | `==` `!=` | equality of any two values; whole and broken numbers compare as numbers |
/// | `<` `<=` `>` `>=` | order of two numbers or two texts; false when one side is null |
/// | `x in y`, `y contains x` | an element of a list, a member of an object, a part of a text (there `A` and `a` are the same letter); also `not in` |
/// | `+ - * / %` | numbers; null when one side is null |
/// | `and` `or` `not` | over truth: null, false, zero, and empty text, lists and objects are false |
///
/// From loose to tight: `or`, `and`, `not`, comparisons (which do not chain), `+ -`, `* / %`,
/// minus. A type error, an overflow or a division by zero makes the whole guard false.
package struct Guard: Sendable {
  package let source: String
  package let location: SourceLocation?
  /// Every path that it reads.
  package let reads: [StatePath]
  let root: Expression
  /// Where each of the paths appears first, in bytes.
  private let offsets: [Int]

  /// Reads the text; an error says where in the line. `location` is where the text starts.
  package static func compile(
    _ source: String, at location: SourceLocation? = nil
  ) throws(Failure) -> Guard {
    let bytes = Array(source.utf8)
    var parser = ExpressionParser(bytes)
    do {
      let root = try parser.parse()
      return Guard(
        source: source, location: location, reads: parser.reads, root: root,
        offsets: parser.readOffsets)
    } catch {
      throw Self.failure(error, bytes, location)
    }
  }

  /// The first occurrence of a path.
  package func location(of path: StatePath) -> SourceLocation? {
    guard let location, let index = reads.firstIndex(of: path) else { return nil }
    return location.advanced(over: source.utf8.prefix(offsets[index]))
  }

  /// Type errors of the guard, as far as the declared types show them (nil = unknown).
  package func problems(types: (StatePath) -> ValueType?) -> [Failure] {
    let bytes = Array(source.utf8)
    return root.problems(types: types).map { Self.failure($0, bytes, location) }
  }

  /// Whether the condition holds. A missing path is null; a type error makes it false, with a
  /// warning for the journal.
  package func evaluate(_ read: (StatePath) -> Value) -> (holds: Bool, warning: String?) {
    do {
      return (try root.value(read).isTrue, nil)
    } catch {
      let place = Self.failure(error, Array(source.utf8), location).location
      let prefix = place.map { "\($0): " } ?? ""
      return (false, "\(prefix)\(error.message) in `\(source)`, which counts as false")
    }
  }

  private static func failure(
    _ error: ExpressionError, _ bytes: [UInt8], _ location: SourceLocation?
  ) -> Failure {
    let start = location ?? SourceLocation(file: "condition", line: 1, column: 1)
    return Failure(
      .configuration, error.message, suggestion: error.suggestion,
      at: start.advanced(over: bytes.prefix(error.offset)))
  }
}

extension Guard: Hashable {
  package static func == (left: Guard, right: Guard) -> Bool { left.source == right.source }
  package func hash(into hasher: inout Hasher) { hasher.combine(source) }
}

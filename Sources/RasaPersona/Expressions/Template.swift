package import RasaCore

/// Text with placeholders: `{{ path }}` for a value, and in the prompt of an agent `{{file:path}}`,
/// `{{file:path:code}}` and `{{file:path:markdown}}` for a file. In rasa's own texts, the part
/// between `{{#path}}` and `{{/path}}` is omitted if the path has no value.
///
/// It is rendered in one pass: inserted text is never scanned again, and the time is linear in the
/// text. `\{{` stands for two literal braces.
package struct Template: Sendable {
  /// The author of the text.
  package enum Author: Sendable, Hashable {
    /// A persona's: unknown syntax between two braces is an error.
    case persona
    /// An agent's, perhaps for another tool, whose prompts contain `{{#each items}}` or `${{ x }}`:
    /// unknown syntax is text, with a warning.
    case agent
  }

  /// A file that is inserted.
  package struct File: Sendable, Hashable {
    package enum Form: String, Sendable, Hashable, CaseIterable {
      case text
      /// In a fence that is longer than any in the file, with the language of its extension.
      case code
      /// Without its front matter.
      case markdown
    }

    /// As written: relative, and never outside the folder that is searched.
    package var path: String
    package var form: Form
    package var location: SourceLocation?
  }

  package let location: SourceLocation?
  /// Every path, in order of first occurrence, without duplicates.
  package private(set) var paths: [StatePath]
  /// Every file, in order of occurrence, with duplicates.
  package let files: [File]
  /// Warnings about text that looks like a placeholder.
  package let warnings: [Warning]

  let bytes: [UInt8]
  var segments: [Segment]
  /// The first occurrence of each path, in bytes.
  private(set) var offsets: [Int]
  /// The content of each file, once it was read.
  var insertions: [[UInt8]] = []

  enum Segment: Hashable {
    /// A part of the text.
    case text(Range<Int>)
    /// The number of a path, and the placeholder as written.
    case path(Int, Range<Int>)
    /// The number of a file.
    case file(Int)
    /// A section starts that is rendered only if the path with that number has a value; otherwise
    /// rendering continues at the segment `end`.
    case section(Int, end: Int)
  }

  /// A rendered text is cut at this length: no model reads more, and a text that inserts itself
  /// repeatedly would use up all memory.
  package static let longestText = 64 << 20

  init(_ parsed: TemplateParser, at location: SourceLocation?) {
    self.location = location
    paths = parsed.paths
    files = parsed.files
    warnings = parsed.warnings
    bytes = parsed.bytes
    segments = parsed.segments
    offsets = parsed.offsets
  }

  /// Reads the text; an error says where. `location` is where the text starts.
  package static func compile(
    _ source: String, by author: Author = .persona, at location: SourceLocation? = nil
  ) throws(Failure) -> Template {
    var parser = TemplateParser(Array(source.utf8), by: author, at: location)
    try parser.parse()
    return Template(parser, at: location)
  }

  package var source: String { String(decoding: bytes, as: UTF8.self) }

  /// The path if the whole text is a single placeholder.
  package var onlyPath: StatePath? {
    guard segments.count == 1, case .path(let index, _) = segments[0] else { return nil }
    return paths[index]
  }

  /// The first occurrence of a path.
  package func location(of path: StatePath) -> SourceLocation? {
    guard let location, let index = paths.firstIndex(of: path) else { return nil }
    return location.advanced(over: bytes.prefix(offsets[index]))
  }

  /// The same text with other names for its paths, such as `task` for `input`. Locations are
  /// unchanged.
  package func renaming(_ name: (StatePath) -> StatePath) -> Template {
    var renamed = self
    renamed.paths = []
    renamed.offsets = []
    var numbers: [StatePath: Int] = [:]
    let translation = zip(paths, offsets).map { path, offset in
      let path = name(path)
      if let number = numbers[path] { return number }
      numbers[path] = renamed.paths.count
      renamed.paths.append(path)
      renamed.offsets.append(offset)
      return renamed.paths.count - 1
    }
    renamed.segments = segments.map { segment in
      switch segment {
      case .path(let index, let place): .path(translation[index], place)
      case .section(let index, let end): .section(translation[index], end: end)
      case .text, .file: segment
      }
    }
    return renamed
  }
}

extension Template: Hashable {
  package static func == (left: Template, right: Template) -> Bool {
    left.bytes == right.bytes && left.paths == right.paths && left.segments == right.segments
      && left.insertions == right.insertions
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}

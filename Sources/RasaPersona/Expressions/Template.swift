package import RasaCore

/// Text with placeholders: `{{ path }}` for a value, and in the prompt of an agent `{{file:path}}`,
/// `{{file:path:code}}` and `{{file:path:markdown}}` for a file. In a text of ours, what stands
/// between `{{#path}}` and `{{/path}}` is left out where the path has no value.
///
/// One pass: what is inserted is never scanned again, and the time is linear in the text. `\{{`
/// stands for two braces that are meant as such.
package struct Template: Sendable {
  /// Whose text it is.
  package enum Author: Sendable, Hashable {
    /// Ours: what has no meaning between two braces is an error.
    case persona
    /// Anybody's, perhaps for another tool, whose prompts show `{{#each items}}` or `${{ x }}`: what
    /// has no meaning here is text, with a warning.
    case agent
  }

  /// A file that is inserted.
  package struct File: Sendable, Hashable {
    package enum Form: String, Sendable, Hashable, CaseIterable {
      case text
      /// In a fence that is longer than any in the file, with the language that its name tells.
      case code
      /// Without its front matter.
      case markdown
    }

    /// As it is written: relative, and never out of where it is looked for.
    package var path: String
    package var form: Form
    package var location: SourceLocation?
  }

  package let location: SourceLocation?
  /// Every path that is inserted, in order of appearance, without repeats.
  package private(set) var paths: [StatePath]
  /// Every file that is inserted, in order of appearance, with repeats.
  package let files: [File]
  /// What is text although it looks like more.
  package let warnings: [Warning]

  let bytes: [UInt8]
  var segments: [Segment]
  /// Where each of the paths appears first, in bytes.
  private(set) var offsets: [Int]
  /// What stands for each of the files, once they are read.
  var insertions: [[UInt8]] = []

  enum Segment: Hashable {
    /// A part of the text.
    case text(Range<Int>)
    /// The number of a path, and the placeholder as it is written.
    case path(Int, Range<Int>)
    /// The number of a file.
    case file(Int)
    /// A section begins that stands only where the path of that number has a value; else the text
    /// goes on at the segment `end`.
    case section(Int, end: Int)
  }

  /// A rendered text is cut here: no model reads as much, and a text that inserts itself often
  /// enough would use up all memory.
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

  /// The path when the whole text is one placeholder and nothing else.
  package var onlyPath: StatePath? {
    guard segments.count == 1, case .path(let index, _) = segments[0] else { return nil }
    return paths[index]
  }

  /// Where a path is inserted first.
  package func location(of path: StatePath) -> SourceLocation? {
    guard let location, let index = paths.firstIndex(of: path) else { return nil }
    return location.advanced(over: bytes.prefix(offsets[index]))
  }

  /// The same text with other names for what it inserts: `task` for `input`, perhaps. Places stay.
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

package import RasaCore
import RasaDocuments

extension Template {
  /// The template with its files inserted. Each file is read once; all errors are reported in one
  /// failure. The content of a file is plain text, whatever it looks like.
  package func inserting(
    _ read: (String) throws(Failure) -> [UInt8]
  ) throws(Failure) -> Template {
    guard !files.isEmpty else { return self }
    var contents: [String: [UInt8]?] = [:]
    var failures: [Failure] = []
    var insertions: [[UInt8]] = []
    var total = 0
    for (file, place) in zip(files, places) {
      do throws(Failure) {
        let bytes: [UInt8]
        if let known = contents[file.path] {
          // Unreadable files were already reported.
          guard let known else { continue }
          bytes = known
        } else {
          contents[file.path] = .some(nil)
          bytes = try Self.text(try read(Self.inside(file.path)), file.path)
          contents[file.path] = bytes
        }
        let insertion = try Self.insertion(of: bytes, as: file, place)
        total += insertion.count
        if total > Self.longestText {
          throw Failure(
            .configuration, "the files that the prompt inserts exceed 64 MB in total",
            suggestion: "insert fewer or smaller ones")
        }
        insertions.append(insertion)
      } catch {
        var failure = error
        if failure.location == nil || failure.location?.file == file.path {
          failure.location = file.location
          failure.excerpt = nil
        }
        failures.append(failure)
        if total > Self.longestText { break }
      }
    }
    if let failure = Self.one(of: failures) { throw failure }
    var complete = self
    complete.insertions = insertions
    return complete
  }

  /// All failures as one: the first, or one that lists each with its location.
  private static func one(of failures: [Failure]) -> Failure? {
    guard let first = failures.first, failures.count > 1 else { return failures.first }
    return Failure(
      first.kind, "\(failures.count) files that the prompt inserts cannot be read",
      suggestion: first.suggestion, at: first.location,
      details: failures.map { failure in
        (failure.location.map { "\($0): " } ?? "") + failure.message
      })
  }

  private static func inside(_ path: String) throws(Failure) -> String {
    func refusal(_ message: String) -> Failure {
      Failure(
        .configuration, "`\(path)` cannot be inserted: \(message)",
        suggestion: "use a path relative to the folder of the prompt or of the project")
    }
    if path.hasBytePrefix("/") || path.hasBytePrefix("~") {
      throw refusal("its path is not relative")
    }
    if path.utf8.contains(0) { throw refusal("its path is not valid") }
    var depth = 0
    for part in path.split(atByte: "/", omittingEmpty: true) {
      if part == "." { continue }
      depth += part == ".." ? -1 : 1
      if depth < 0 { throw refusal("its path leads out of the folder") }
    }
    return path
  }

  private static func text(_ bytes: [UInt8], _ path: String) throws(Failure) -> [UInt8] {
    do {
      _ = try UTF8Span(validating: bytes.span)
    } catch {
      throw Failure(
        .configuration, "`\(path)` cannot be inserted: it is not UTF-8",
        suggestion: "save it as UTF-8 text")
    }
    return bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
  }
}

// MARK: Forms

extension Template {
  /// What comes before and after a placeholder.
  private typealias Place = (startsLine: Bool, endsLine: Bool)

  private var places: [Place] {
    var places: [Place] = []
    for (index, segment) in segments.enumerated() {
      guard case .file = segment else { continue }
      var place = Place(startsLine: index == 0, endsLine: index == segments.count - 1)
      if index > 0, case .text(let before) = segments[index - 1] {
        place.startsLine = before.last.map { bytes[$0] == 0x0A } ?? false
      }
      if index + 1 < segments.count, case .text(let after) = segments[index + 1] {
        place.endsLine = after.first.map { bytes[$0] == 0x0A || bytes[$0] == 0x0D } ?? false
      }
      places.append(place)
    }
    return places
  }

  private static func insertion(
    of bytes: [UInt8], as file: File, _ place: Place
  ) throws(Failure) -> [UInt8] {
    switch file.form {
    case .text: return bytes
    case .markdown:
      let body = try FrontMatter.read(
        bytes, file: file.path, limits: DocumentLimits(bytes: 10 << 20)
      ).body.utf8.drop { $0 == 0x0A || $0 == 0x0D }
      return body.last == 0x0A ? Array(body) : Array(body) + [0x0A]
    case .code:
      let fence = [UInt8](repeating: UInt8(ascii: "`"), count: max(3, longestFence(bytes) + 1))
      var text: [UInt8] = place.startsLine ? [] : [0x0A]
      text += fence + Array(language(of: file.path).utf8) + [0x0A] + bytes
      if let last = bytes.last, last != 0x0A { text.append(0x0A) }
      text += fence
      if !place.endsLine { text.append(0x0A) }
      return text
    }
  }

  private static func longestFence(_ bytes: [UInt8]) -> Int {
    var longest = 0
    var current = 0
    for byte in bytes {
      current = byte == UInt8(ascii: "`") ? current + 1 : 0
      longest = max(longest, current)
    }
    return longest
  }

  /// The language name for a fence: the usual name for the file's extension, otherwise the
  /// extension itself if it is a word.
  private static func language(of path: String) -> String {
    let name = path.split(atByte: "/", omittingEmpty: true).last ?? ""
    if let known = languages[name.lowercased()] { return known }
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
    let ending = name[name.index(after: dot)...].lowercased()
    if let known = languages[ending] { return known }
    let isWord = ending.utf8.allSatisfy { byte in
      (byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")) || PathSyntax.isDigit(byte)
    }
    return isWord && ending.utf8.count <= 12 ? ending : ""
  }

  private static let languages = [
    "rs": "rust", "py": "python", "js": "javascript", "mjs": "javascript", "cjs": "javascript",
    "ts": "typescript", "rb": "ruby", "kt": "kotlin", "kts": "kotlin", "cs": "csharp",
    "h": "c", "hpp": "cpp", "cc": "cpp", "cxx": "cpp", "m": "objectivec", "sh": "bash",
    "bash": "bash", "zsh": "zsh", "md": "markdown", "yml": "yaml", "hs": "haskell",
    "ex": "elixir", "exs": "elixir", "erl": "erlang", "pl": "perl", "ps1": "powershell",
    "tf": "hcl", "txt": "text", "htm": "html", "dockerfile": "dockerfile", "makefile": "makefile",
  ]
}

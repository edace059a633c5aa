package import RasaCore

extension Template {
  /// The text with every placeholder replaced by what `read` gives (null gives nothing, an object
  /// gives JSON). It is asked once for each path.
  package func render(_ read: (StatePath) -> Value) -> String {
    var values: [String?] = Array(repeating: nil, count: paths.count)
    var rendered: [UInt8] = []
    rendered.reserveCapacity(min(bytes.count + bytes.count / 4, Self.longestText))
    for segment in segments {
      switch segment {
      case .text(let range): rendered += bytes[range]
      case .file(let number):
        if number < insertions.count { rendered += insertions[number] }
      case .path(let number):
        if let value = values[number] {
          rendered += value.utf8
        } else {
          let value = read(paths[number]).promptText
          rendered += value.utf8
          values[number] = value
        }
      }
      if rendered.count > Self.longestText { break }
    }
    return String(decoding: rendered.prefix(Self.longestText), as: UTF8.self)
  }

  /// The text with a value for every name: what `read` gives, else the declared default. A name that
  /// has neither is empty, or, when that is to be strict, an error that lists every such name.
  package func render(
    strict: Bool, defaults: ValueObject = ValueObject(), _ read: (StatePath) -> Value
  ) throws(Failure) -> String {
    let defaults = Value.object(defaults)
    let values = paths.map { path in
      let value = read(path)
      if !value.isNull { return value }
      let nested = defaults[path]
      return nested.isNull ? defaults[path.description] : nested
    }
    if strict {
      let missing = paths.indices.filter { values[$0].isNull }
      if !missing.isEmpty { throw failure(missing: missing) }
    }
    var next = values.makeIterator()
    // Paths are asked for in the order of their first appearance, which is their own.
    return render { _ in next.next() ?? .null }
  }

  private func failure(missing: [Int]) -> Failure {
    let named = missing.prefix(Self.mostNamed)
    var names = named.map { "`\(paths[$0])`" }.joined(separator: ", ")
    if missing.count > named.count { names += " and \(missing.count - named.count) more" }
    var details: [String] = []
    var first: SourceLocation?
    if var place = location {
      var offset = 0
      for index in named {
        place = place.advanced(
          over: bytes[offset..<offsets[index]], fromColumn: location?.column ?? 1)
        offset = offsets[index]
        first = first ?? place
        details.append("\(place): `\(paths[index])`")
      }
    }
    return Failure(
      .configuration, "nothing gives \(names) a value",
      mend: "give \(missing.count == 1 ? "it" : "each of them") a value, or a default in the file",
      at: first, details: details.count > 1 ? details : [])
  }

  private static let mostNamed = 100
}

/// The names that an entry may stand under, from the most to the least exact.
struct CatalogueNames: Sendable, Hashable {
  /// As it was asked for, then without its date and what surrounds it.
  var all: [String]
  /// Without the size or form that open models have behind a colon; only an entry of an open model
  /// counts here, because others have another price with such a suffix.
  var family: String?

  init(_ model: String) {
    let name = model.lowercased()
    all = [name]
    if let plain = Self.withoutDate(name) { all.append(plain) }
    if let last = all.last, let colon = last.firstIndex(of: ":"), colon != last.startIndex {
      family = String(last[..<colon])
    }
  }

  /// How a name may be spelled in a list of names: in small letters, then also without what tools put
  /// behind it in brackets and with hyphens for blanks.
  static func forms(of model: String) -> [String] {
    let name = model.lowercased()
    var plain = name[...]
    if let bracket = plain.firstIndex(where: { $0 == "(" || $0 == "[" }) {
      plain = plain[..<bracket]
    }
    let words = plain.split { $0 == " " || $0 == "\t" || $0 == "_" }
    let joined = words.joined(separator: "-")
    return joined.isEmpty || joined == name ? [name] : [name, joined]
  }

  /// `gpt-4o-2024-08-06` and `claude-sonnet-4-5-20250929` without their dates, `x@date` and
  /// `models/x` without what surrounds them; nil when there is nothing to leave out.
  static func withoutDate(_ model: String) -> String? {
    var name = model[...]
    if let slash = name.lastIndex(of: "/") { name = name[name.index(after: slash)...] }
    if let at = name.firstIndex(of: "@") { name = name[..<at] }
    for length in [10, 8] {
      let date = name.suffix(length)
      guard name.count > length + 1, name.dropLast(length).last == "-",
        date.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }),
        date.utf8.count(where: { $0 != UInt8(ascii: "-") }) == 8
      else { continue }
      name = name.dropLast(length + 1)
      break
    }
    return name.count == model.count ? nil : String(name)
  }
}

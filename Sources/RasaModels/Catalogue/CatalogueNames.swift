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

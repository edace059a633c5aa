/// What an agent is found by: kebab-case, such as `api-design-agent`.
package enum AgentID {
  package static let longest = 64

  /// Lower-case words of letters and digits, joined by single hyphens.
  package static func isValid(_ text: String) -> Bool {
    guard text.utf8.count <= longest else { return false }
    return text.utf8.split(separator: hyphen, omittingEmptySubsequences: false).allSatisfy {
      !$0.isEmpty && $0.allSatisfy(isWordByte)
    }
  }

  /// The id that a name stands for: `Architecture Agent`, `architecture_agent` and
  /// `ArchitectureAgent` all mean `architecture-agent`. Nil when nothing of the name can be kept.
  package static func make(of name: String) -> String? {
    var id: [UInt8] = []
    var previous: UInt8 = 0
    for byte in name.utf8 {
      let isUpper = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
      let lower = isUpper ? byte + 0x20 : byte
      if isWordByte(lower) {
        let begins = isUpper && previous >= UInt8(ascii: "a") && previous <= UInt8(ascii: "z")
        if begins, id.last != hyphen { id.append(hyphen) }
        id.append(lower)
      } else if byte != UInt8(ascii: "'"), !id.isEmpty, id.last != hyphen {
        id.append(hyphen)
      }
      previous = byte
    }
    id = Array(id.prefix(longest))
    if id.last == hyphen { id.removeLast() }
    return id.isEmpty ? nil : String(decoding: id, as: UTF8.self)
  }

  private static let hyphen = UInt8(ascii: "-")

  private static func isWordByte(_ byte: UInt8) -> Bool {
    (byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z"))
      || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
  }
}

/// The name of a run, a session or a hold: sorts by the time it was made, safe in a file name.
package struct Identifier: Sendable, Hashable, CustomStringConvertible {
  package let text: String
  package init(_ text: String) { self.text = text }
  package var description: String { text }

  /// 48 bits of time and 64 bits of chance in Crockford's base 32.
  package static func make(prefix: String, at time: Timestamp, random: UInt64) -> Identifier {
    let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz")
    func digits(_ value: UInt64, _ count: Int) -> String {
      String((0..<count).reversed().map { alphabet[Int((value >> (UInt64($0) * 5)) & 31)] })
    }
    let milliseconds = UInt64(clamping: time.milliseconds)
    return Identifier("\(prefix)\(digits(milliseconds, 10))\(digits(random, 13))")
  }
}

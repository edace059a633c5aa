import RasaCore
import RasaLearning
import RasaSQLite

/// The uses of nodes in a row of `performance`: for each its kind (with 8 added where it failed), the number of its
/// name among the words, milliseconds, tokens, trillionths of a dollar, and where it failed the number of the error.
/// Numbers are written in groups of seven bits, the lowest first.
extension Database {
  func bytes(of nodes: [NodeUse]) throws -> [UInt8] {
    var bytes: [UInt8] = []
    func add(_ number: Int64) {
      var rest = UInt64(max(0, number))
      while rest >= 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
      }
      bytes.append(UInt8(truncatingIfNeeded: rest))
    }
    for node in nodes {
      add(Int64(node.kind.rawValue + (node.error == nil ? 0 : 8)))
      add(try word(node.name))
      add(node.milliseconds)
      add(node.tokens)
      add(node.cost.picoDollars)
      if let error = node.error { add(try word(error)) }
    }
    return bytes
  }

  /// What cannot be read is left out.
  func nodes(in bytes: [UInt8]) throws -> [NodeUse] {
    var place = 0
    func number() -> Int64? {
      var (number, shift) = (UInt64(0), UInt64(0))
      while place < bytes.count, shift < 63 {
        let byte = bytes[place]
        place += 1
        number |= UInt64(byte & 0x7F) << shift
        if byte < 0x80 { return Int64(number) }
        shift += 7
      }
      return nil
    }
    var nodes: [NodeUse] = []
    while place < bytes.count {
      guard let first = number(), let kind = NodeUse.Kind(rawValue: Int(first & 7)),
        let name = number(), let milliseconds = number(), let tokens = number(),
        let cost = number()
      else { return nodes }
      var node = NodeUse(kind, try text(ofWord: name) ?? "?")
      node.milliseconds = milliseconds
      node.tokens = tokens
      node.cost = Money(picoDollars: cost)
      if first & 8 != 0 {
        guard let error = number() else { return nodes }
        node.error = try text(ofWord: error) ?? "?"
      }
      nodes.append(node)
    }
    return nodes
  }
}

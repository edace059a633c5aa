import RasaCore
import RasaDocuments

/// The bytes of a request and where its members stand, so that one value can be replaced and not a byte besides.
struct ForwardedBody: Sendable {
  private let bytes: [UInt8]
  /// In their order; a name that comes twice is here twice.
  private let members: [(name: String, value: Range<Int>)]
  /// Behind the brace that opens the document.
  private let start: Int

  init(_ bytes: [UInt8]) throws(Failure) {
    self.bytes = bytes
    var members: [(name: String, value: Range<Int>)] = []
    var reader = try JSONReader(bytes, named: "the request")
    start = (bytes.firstIndex(of: UInt8(ascii: "{")) ?? -1) + 1
    if try reader.enterObject() {
      while let name = try reader.nextKey() { members.append((name, try reader.skipRange())) }
    }
    self.members = members
  }

  /// The bytes with the model's name replaced, and with the wish for the count of tokens.
  ///
  /// - Parameter model: nil leaves the name as it is.
  func bytes(model: String?, askingForUsage: Bool) -> [UInt8] {
    var changes: [(place: Range<Int>, new: [UInt8])] = []
    if let model {
      for member in members where member.name == "model" {
        changes.append((member.value, Value.string(model).jsonBytes()))
      }
    }
    if askingForUsage {
      let options = members.filter { $0.name == "stream_options" }
      for member in options { changes.append((member.value, usageOptions(member.value))) }
      if options.isEmpty {
        let member = Array(#""stream_options":{"include_usage":true}"#.utf8)
        changes.append((start..<start, member + (members.isEmpty ? [] : [UInt8(ascii: ",")])))
      }
    }
    guard !changes.isEmpty else { return bytes }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + 64)
    var copied = 0
    for change in changes.sorted(by: { $0.place.lowerBound < $1.place.lowerBound }) {
      result += bytes[copied..<change.place.lowerBound]
      result += change.new
      copied = change.place.upperBound
    }
    return result + bytes[copied...]
  }

  private func usageOptions(_ place: Range<Int>) -> [UInt8] {
    var options = (try? JSON.parse(Array(bytes[place])))?.object ?? ValueObject()
    options["include_usage"] = true
    return Value.object(options).jsonBytes()
  }
}

import CResources

/// The files that ship inside the binary: `personas/…`, `operators/…`, `agents/…`, `models/…`.
package enum EmbeddedFiles {
  /// Their names, in no particular order.
  package static var names: [String] {
    var names: [String] = []
    forEach { name, _ in names.append(name()) }
    return names
  }

  /// The bytes of one file; nil if none has that name.
  package static func bytes(of name: String) -> [UInt8]? {
    var found: [UInt8]? = nil
    forEach { candidate, bytes in
      if found == nil, candidate() == name { found = bytes() }
    }
    return found
  }

  /// Names and bytes are made on demand: looking up one file copies only that file.
  private static func forEach(_ body: (_ name: () -> String, _ bytes: () -> [UInt8]) -> Void) {
    var index = 0
    while let entry = unsafe rasa_resource_at(index), let name = unsafe entry.pointee.name,
      let bytes = unsafe entry.pointee.bytes
    {
      let size = unsafe entry.pointee.size
      body(
        { unsafe String(cString: name) },
        { unsafe Array(UnsafeBufferPointer(start: bytes, count: size)) })
      index += 1
    }
  }
}

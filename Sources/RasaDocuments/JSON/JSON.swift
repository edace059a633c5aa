package import RasaCore

/// Strict JSON (RFC 8259) in and out of values.
///
/// Whole numbers become integers where they fit 64 bits and doubles elsewhere; of members with the
/// same name the last one counts; half a surrogate pair becomes U+FFFD, because models that stream
/// cut emoji in two. Text that is not UTF-8 is refused.
package enum JSON {
  /// Reads one document. `name` is the file, or what stands for it in an error's location.
  package static func parse(
    _ bytes: ArraySlice<UInt8>, named name: String = "JSON", limits: JSONLimits = JSONLimits()
  ) throws(Failure) -> Value {
    var reader = try JSONReader(bytes, named: name, limits: limits)
    let value = try reader.value()
    try reader.finish()
    return value
  }

  package static func parse(
    _ bytes: [UInt8], named name: String = "JSON", limits: JSONLimits = JSONLimits()
  ) throws(Failure) -> Value {
    try parse(bytes[...], named: name, limits: limits)
  }

  package static func parse(
    _ text: String, named name: String = "JSON", limits: JSONLimits = JSONLimits()
  ) throws(Failure) -> Value {
    try parse(Array(text.utf8)[...], named: name, limits: limits)
  }
}

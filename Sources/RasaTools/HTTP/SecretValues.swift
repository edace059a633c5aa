import RasaCore
import RasaSystem

/// Takes the values of variables out of what a server answers and out of errors, in each form in which they were
/// sent.
struct SecretValues: Sendable {
  private let redaction: Redaction

  init(_ variables: [String], _ environment: Environment) {
    var forms: [String: String] = [:]
    for name in variables {
      guard let value = environment[name] else { continue }
      forms[name] = value
      forms["\(name) in a URL"] = percentEncoded(value)
      forms["\(name) in base64"] = Base64.encode(Array(value.utf8))
    }
    redaction = Redaction(forms, named: Set(forms.keys))
  }

  func hide(_ text: String) -> String { redaction(text) }
  func hide(_ failure: Failure) -> Failure { redaction(failure) }

  func hide(_ value: Value) -> Value {
    switch value {
    case .string(let text): .string(redaction(text))
    case .array(let elements): .array(elements.map { hide($0) })
    case .object(let object):
      .object(ValueObject(object.map { (redaction($0.key), hide($0.value)) }))
    default: value
    }
  }
}

/// Everything but the letters, digits and four signs that never need it (RFC 3986, 2.3).
func percentEncoded(_ text: String) -> String {
  let digits = Array("0123456789ABCDEF".utf8)
  var bytes: [UInt8] = []
  for byte in text.utf8 {
    if isWordByte(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
      || byte == UInt8(ascii: "~")
    {
      bytes.append(byte)
    } else {
      bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
  }
  return String(decoding: bytes, as: UTF8.self)
}

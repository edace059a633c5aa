import RasaCore
import RasaPersona

/// Addresses and headers as the dialects want them.
extension ProviderSettings {
  /// The address of a place below the interface's version. Addresses are given with or without the
  /// version, as people copy them.
  func address(of path: String) -> String {
    let version: String
    switch dialect {
    case .openAI, .ollama: version = ""
    case .anthropic: version = "/v1"
    case .gemini: version = "/v1beta"
    }
    let named = baseURL.split(separator: "/").last ?? ""
    let hasVersion = named.first == "v" && named.dropFirst().first?.isNumber == true
    var address = baseURL + (hasVersion ? "" : version) + path
    for (name, value) in query {
      address += address.contains("?") ? "&" : "?"
      address += Self.escaped(name) + "=" + Self.escaped(value)
    }
    return address
  }

  /// The headers of a request, the user's own last. The user's take the place of ours of that name.
  func headers(idempotencyKey: String?) -> [(name: String, value: String)] {
    var headers: [(name: String, value: String)] = [
      ("Content-Type", "application/json"), ("Accept", "text/event-stream, application/json"),
    ]
    if dialect == .anthropic { headers.append(("anthropic-version", AnthropicMessages.version)) }
    if let key { headers.append(keyHeader(key)) }
    // Servers that know it answer a repeated request from what they have, and bill it once.
    if let idempotencyKey { headers.append(("Idempotency-Key", idempotencyKey)) }
    let own = Set(extraHeaders.map { $0.name.lowercased() })
    return headers.filter { !own.contains($0.name.lowercased()) } + extraHeaders
  }

  private func keyHeader(_ key: Secret) -> (name: String, value: String) {
    let usual =
      switch dialect {
      case .openAI, .ollama: "Authorization"
      case .anthropic: "x-api-key"
      case .gemini: "x-goog-api-key"
      }
    let name = keyHeader?.nonEmpty ?? usual
    let isAuthorization = name.lowercased() == "authorization"
    return (name, isAuthorization ? "Bearer \(key.value)" : key.value)
  }

  private static func escaped(_ text: String) -> String {
    text.utf8.map { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"):
        String(Unicode.Scalar(byte))
      default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }.joined()
  }
}

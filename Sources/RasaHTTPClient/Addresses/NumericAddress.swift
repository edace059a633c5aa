import Glibc

/// A numeric address of a host: 4 or 16 bytes.
struct NumericAddress: Hashable, Sendable {
  var bytes: [UInt8]

  init(bytes: [UInt8]) { self.bytes = bytes }

  /// An address of IPv4 within one of IPv6 is that address.
  init?(_ text: some StringProtocol) {
    guard let address = NumericAddress(exact: text) else { return nil }
    let isMapped =
      address.bytes.count == 16
      && address.bytes[..<12].elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF])
    bytes = isMapped ? Array(address.bytes[12...]) : address.bytes
  }

  /// As it is written: only in the usual notations, and an address of IPv6 stays one.
  init?(exact text: some StringProtocol) {
    let text = String(text.prefix { $0 != "%" })
    var bytes = [UInt8](repeating: 0, count: 16)
    if unsafe inet_pton(AF_INET, text, &bytes) == 1 {
      self.bytes = Array(bytes[..<4])
    } else if unsafe inet_pton(AF_INET6, text, &bytes) == 1 {
      self.bytes = bytes
    } else {
      return nil
    }
  }

  /// Of this machine; what listens on every address is reached there, too.
  var isLoopback: Bool {
    if bytes.count == 4 { return bytes[0] == 127 || bytes == [0, 0, 0, 0] }
    return bytes[..<15].allSatisfy { $0 == 0 } && bytes[15] <= 1
  }

  func isIn(_ network: NumericAddress, bits: Int) -> Bool {
    guard network.bytes.count == bytes.count, (0...bytes.count * 8).contains(bits) else {
      return false
    }
    let whole = bits / 8
    guard bytes[..<whole].elementsEqual(network.bytes[..<whole]) else { return false }
    guard bits % 8 != 0 else { return true }
    let mask = ~UInt8(0) << UInt8(8 - bits % 8)
    return bytes[whole] & mask == network.bytes[whole] & mask
  }

  var text: String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let family = bytes.count == 4 ? AF_INET : AF_INET6
    guard unsafe inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return "?" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

// MARK: - Of the public internet or not

extension NumericAddress {
  private struct Network {
    let address: NumericAddress
    let bits: Int
    let what: String

    init(_ text: String, _ bits: Int, _ what: String) {
      address = NumericAddress(exact: text) ?? NumericAddress(bytes: [])
      self.bits = bits
      self.what = what
    }
  }

  /// The registries of special addresses of IANA.
  private static let restricted4 = [
    Network("0.0.0.0", 8, "an unspecified address"),
    Network("10.0.0.0", 8, "a private address"),
    Network("100.64.0.0", 10, "an address of a carrier's own network"),
    Network("127.0.0.0", 8, "a loopback address"),
    Network("169.254.0.0", 16, "a link-local address"),
    Network("172.16.0.0", 12, "a private address"),
    Network("192.0.0.0", 24, "a reserved address"),
    Network("192.0.2.0", 24, "an address for documentation"),
    Network("192.88.99.0", 24, "a reserved address"),
    Network("192.168.0.0", 16, "a private address"),
    Network("198.18.0.0", 15, "an address for benchmarks"),
    Network("198.51.100.0", 24, "an address for documentation"),
    Network("203.0.113.0", 24, "an address for documentation"),
    Network("224.0.0.0", 4, "a multicast address"),
    Network("240.0.0.0", 4, "a reserved address"),
  ]

  private static let restricted6 = [
    Network("::", 128, "an unspecified address"),
    Network("::1", 128, "a loopback address"),
    Network("::ffff:0:0", 96, "an IPv4 address in the form of an IPv6 address"),
    Network("::", 96, "an IPv4 address in the form of an IPv6 address"),
    Network("64:ff9b:1::", 48, "an address of a local translation to IPv4"),
    Network("fc00::", 7, "a private address"),
    Network("fe80::", 10, "a link-local address"),
    Network("fec0::", 10, "a private address"),
    Network("ff00::", 8, "a multicast address"),
    Network("2001::", 32, "an address of a tunnel (Teredo)"),
    Network("2001::", 23, "a reserved address"),
    Network("2001:db8::", 32, "an address for documentation"),
    Network("2002::", 16, "an address of a tunnel (6to4)"),
    Network("3fff::", 20, "an address for documentation"),
  ]

  private static let global = Network("2000::", 3, "")
  private static let translated = Network("64:ff9b::", 96, "")

  /// What makes it an address that strangers must not choose; nil for one of the public internet.
  var restriction: String? {
    if bytes.count == 4 {
      return Self.restricted4.first { isIn($0.address, bits: $0.bits) }?.what
    }
    // Networks without IPv4 reach the IPv4 internet so; what counts is the address inside.
    if isIn(Self.translated.address, bits: Self.translated.bits) {
      return NumericAddress(bytes: Array(bytes[12...])).restriction.map {
        "\($0) in the form of an IPv6 address"
      }
    }
    if let known = Self.restricted6.first(where: { isIn($0.address, bits: $0.bits) }) {
      return known.what
    }
    return isIn(Self.global.address, bits: Self.global.bits) ? nil : "a reserved address"
  }
}

// MARK: - Names

extension NumericAddress {
  /// Blocks.
  static func resolve(_ host: String) -> [NumericAddress] {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard unsafe getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
    defer { unsafe freeaddrinfo(list) }
    var addresses: [NumericAddress] = []
    var next = unsafe list
    while let entry = unsafe next {
      if let address = unsafe NumericAddress(entry.pointee.ai_addr) { addresses.append(address) }
      unsafe next = entry.pointee.ai_next
    }
    return addresses
  }

  /// Nil for an address of another family.
  init?(_ address: UnsafePointer<sockaddr>?) {
    guard let address = unsafe address else { return nil }
    switch Int32(unsafe address.pointee.sa_family) {
    case AF_INET:
      bytes = unsafe address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { pointer in
        unsafe withUnsafeBytes(of: pointer.pointee.sin_addr) { unsafe Array($0) }
      }
    case AF_INET6:
      bytes = unsafe address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { pointer in
        unsafe withUnsafeBytes(of: pointer.pointee.sin6_addr) { unsafe Array($0) }
      }
    default: return nil
    }
  }
}

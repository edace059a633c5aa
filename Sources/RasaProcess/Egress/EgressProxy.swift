import CSystem
import Glibc
package import RasaCore
import RasaSystem

/// The only way out of a sandbox that reaches hosts by name: a proxy on a thread of its own, which accepts on a
/// socket from inside the sandbox, checks names before and addresses after they are resolved, and connects to exactly
/// the address it has checked, or to the user's own proxy.
package final class EgressProxy: Sendable {
  /// The port inside.
  package static let port = 3128

  private let loop: EgressLoop
  private let theirEnd: Int32

  package init(
    _ rules: EgressRules, limits: EgressLimits = EgressLimits(), _ network: EgressNetwork
  ) throws(Failure) {
    var own: Int32 = -1
    var theirs: Int32 = -1
    let code = unsafe rasa_socket_pair(&own, &theirs)
    let wake = code == 0 ? eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK)) : -1
    guard wake >= 0 else {
      if code == 0 {
        close(own)
        close(theirs)
      }
      throw Failure(
        .run,
        "cannot open a way out of a sandbox: \(ProgramLookup.text(of: code == 0 ? errno : code))",
        suggestion: "raise the limit (ulimit -n) or run fewer things at once")
    }
    theirEnd = theirs
    loop = EgressLoop(rules, limits: limits, way: own, wake: wake, network)
    guard startThreadIfPossible({ [loop] in loop.run() }) else {
      close(own)
      throw Failure(
        .run, "the system has no thread left for a sandbox's way out",
        suggestion: "run fewer things at once (ulimit -u)")
    }
  }

  deinit {
    close(theirEnd)
    loop.stop()
  }

  /// What the first program in the sandbox inherits, to send its socket over.
  package var descriptor: Int32 { theirEnd }

  /// What was refused so far, in words.
  package var remarks: [String] { loop.remarks }

  /// The addresses of a name by the system's own means, in its order.
  package static func systemAddresses(_ name: String) -> [IPAddress] {
    var hints = unsafe addrinfo()
    unsafe hints.ai_family = AF_UNSPEC
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard unsafe getaddrinfo(name, nil, &hints, &list) == 0 else { return [] }
    defer { unsafe freeaddrinfo(list) }
    var addresses: [IPAddress] = []
    var next = unsafe list
    while let entry = unsafe next, addresses.count < 16 {
      if let address = unsafe IPAddress(entry.pointee.ai_addr, entry.pointee.ai_addrlen) {
        addresses.append(address)
      }
      unsafe next = entry.pointee.ai_next
    }
    return addresses
  }
}

/// What one sandbox may use of the proxy.
package struct EgressLimits: Sendable {
  package var connections = 64
  /// Seconds until a connection is there, from its first byte.
  package var start = 20.0
  /// Seconds without a byte in either direction.
  package var idle = 300.0
  package init() {}
}

extension IPAddress {
  fileprivate init?(_ address: UnsafePointer<sockaddr>?, _ length: socklen_t) {
    guard let address = unsafe address else { return nil }
    switch Int32(unsafe address.pointee.sa_family) {
    case AF_INET:
      var four = unsafe UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self).sin_addr
      self.init(bytes: unsafe withUnsafeBytes(of: &four) { unsafe Array($0) })
    case AF_INET6:
      var six = unsafe UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self).sin6_addr
      self.init(bytes: unsafe withUnsafeBytes(of: &six) { unsafe Array($0) })
    default: return nil
    }
  }

  /// A socket on its way to this address, and whether it is there already; nil if it cannot get there.
  func connect(port: Int) -> Int32? {
    let socket = Glibc.socket(
      isVersion6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard socket >= 0 else { return nil }
    _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
    _ = fcntl(socket, F_SETFL, O_NONBLOCK)
    var result: Int32
    if isVersion6 {
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = in_port_t(port).bigEndian
      unsafe withUnsafeMutableBytes(of: &address.sin6_addr) { unsafe $0.copyBytes(from: bytes) }
      result = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
        }
      }
    } else {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = in_port_t(port).bigEndian
      unsafe withUnsafeMutableBytes(of: &address.sin_addr) { unsafe $0.copyBytes(from: bytes) }
      result = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
    }
    if result == 0 || errno == EINPROGRESS { return socket }
    close(socket)
    return nil
  }
}

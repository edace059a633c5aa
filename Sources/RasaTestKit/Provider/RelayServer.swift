import CSystem
import CTestTLS
import Glibc
package import RasaCore
import RasaSystem

/// Stands between a client and a plain server: terminates TLS, acts as a proxy, or listens on IPv6
/// only.
package final class RelayServer: Sendable {
  package enum Front: Sendable {
    /// Forwards every byte.
    case plain
    case tls(TestIdentity)
    /// A proxy that connects to one server, whatever host is requested.
    case proxy(Proxy)
  }

  package enum Proxy: Sendable {
    case open
    /// Requires these credentials, as `user:password`, by this method.
    case locked(String, method: String = "Basic")
    /// Answers with this, and hangs up.
    case answers(String)
    /// Never answers.
    case silent
  }

  package let port: UInt16
  private let listener: ListeningSocket
  private let log: Locked<[String]>

  /// - Parameter server: the port of the plain server on 127.0.0.1.
  package init(_ front: Front, to server: UInt16, overIPv6: Bool = false) throws(Failure) {
    let (descriptor, port) = try overIPv6 ? listenOnIPv6Loopback() : listenOnLoopback(0)
    let listener = ListeningSocket(descriptor: descriptor)
    let log = Locked<[String]>([])
    self.listener = listener
    self.port = port
    self.log = log
    startThread {
      blockSignalsOfThisThread()
      while true {
        waitUntilReady([(listener.descriptor, POLLIN)], until: .max)
        let client = CSystem.accept(listener.descriptor, nil, nil)
        if client < 0, errno == EAGAIN || errno == EINTR { continue }
        guard client >= 0 else { return }
        startThread {
          blockSignalsOfThisThread()
          serve(client, front, server, log)
          CSystem.close(client)
        }
      }
    }
  }

  deinit { shutdown(listener.descriptor, Int32(SHUT_RDWR)) }

  /// The requests to a proxy, one line each: the first line of the request, and its credentials.
  package var asked: [String] { log.withLock { $0 } }
}

private final class ListeningSocket: Sendable {
  let descriptor: Int32
  init(descriptor: Int32) { self.descriptor = descriptor }
  deinit { close(descriptor) }
}

private let patience: Int32 = 20_000

private func serve(
  _ client: Int32, _ front: RelayServer.Front, _ port: UInt16, _ log: Locked<[String]>
) {
  var identity: TestIdentity?
  switch front {
  case .plain: break
  case .tls(let shown): identity = shown
  case .proxy(let kind):
    guard let head = readHead(client) else { return }
    let lines = head.split(separator: "\r\n").map(String.init)
    let credentials = lines.first { $0.lowercased().hasPrefix("proxy-authorization:") }
    log.withLock {
      $0.append(([lines.first ?? ""] + [credentials].compactMap(\.self)).joined(separator: " | "))
    }
    switch kind {
    case .silent:
      waitUntilReady([(client, POLLIN)], until: monotonicNanoseconds() &+ 20_000_000_000)
      return
    case .answers(let text): return say(text, to: client)
    case .locked(let password, let method):
      let wanted = "proxy-authorization: basic \(base64(Array(password.utf8)))".lowercased()
      guard credentials?.lowercased() == wanted else {
        return say(
          "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: \(method) realm=\"x\"\r\n"
            + "Content-Length: 0\r\n\r\n", to: client)
      }
      say("HTTP/1.1 200 Connection established\r\n\r\n", to: client)
    case .open: say("HTTP/1.1 200 Connection established\r\n\r\n", to: client)
    }
  }
  let server = connectToLoopback(port)
  guard server >= 0 else { return }
  defer { CSystem.close(server) }
  _ = unsafe rasa_test_relay(identity?.handle, client, server, patience)
}

/// Up to the blank line; no client of a proxy writes more before it is answered.
private func readHead(_ client: Int32) -> String? {
  var bytes: [UInt8] = []
  let deadline = monotonicNanoseconds() &+ 20_000_000_000
  while !bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) {
    guard bytes.count < 65_536, monotonicNanoseconds() < deadline else { return nil }
    waitUntilReady([(client, POLLIN)], until: deadline)
    guard readSome(from: client, into: &bytes) == .some else { return nil }
  }
  return String(decoding: bytes, as: UTF8.self)
}

private func say(_ text: String, to client: Int32) {
  _ = writeSome(Array(text.utf8)[...], to: client)
}

private func connectToLoopback(_ port: UInt16) -> Int32 {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = port.bigEndian
  address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
  let isConnected = unsafe withUnsafePointer(to: &address) { pointer in
    unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
      unsafe connect(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
    }
  }
  guard isConnected else {
    close(descriptor)
    return -1
  }
  return descriptor
}

/// A listening, non-blocking socket on ::1, unreachable by IPv4.
private func listenOnIPv6Loopback() throws(Failure) -> (descriptor: Int32, port: UInt16) {
  let kind = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
  let descriptor = socket(AF_INET6, Int32(kind), 0)
  var address = sockaddr_in6()
  address.sin6_family = sa_family_t(AF_INET6)
  address.sin6_addr = in6addr_loopback
  var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
  let isListening = unsafe withUnsafeMutablePointer(to: &address) { pointer in
    unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
      unsafe bind(descriptor, generic, length) == 0 && listen(descriptor, 64) == 0
        && getsockname(descriptor, generic, &length) == 0
    }
  }
  guard isListening else {
    close(descriptor)
    throw Failure(.run, "cannot listen on ::1")
  }
  return (descriptor, UInt16(bigEndian: address.sin6_port))
}

private func base64(_ bytes: [UInt8]) -> String {
  let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  var text = ""
  var rest = bytes[...]
  while !rest.isEmpty {
    let part = Array(rest.prefix(3))
    rest = rest.dropFirst(3)
    let padded = part + [UInt8](repeating: 0, count: 3 - part.count)
    let number = padded.reduce(0) { $0 << 8 | Int($1) }
    for place in 0..<4 {
      text.append(place > part.count ? "=" : letters[number >> (18 - 6 * place) & 63])
    }
  }
  return text
}

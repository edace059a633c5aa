import CSystem
import Glibc
package import RasaCore
import RasaSystem

/// A server that answers the first request of each connection with the next of its answers, byte
/// for byte, and hangs up or waits for its peer to: for responses that no proper server would send.
package final class RawServer: Sendable {
  package let port: UInt16
  private let listener: Listener
  private let requests = Locked<[String]>([])

  package convenience init(_ answers: [String], keepsOpen: Bool = false) throws(Failure) {
    try self.init(bytes: answers.map { Array($0.utf8) }, keepsOpen: keepsOpen)
  }

  package init(bytes answers: [[UInt8]], keepsOpen: Bool = false) throws(Failure) {
    let (descriptor, port) = try listenOnLoopback(0)
    let listener = Listener(descriptor: descriptor)
    self.listener = listener
    self.port = port
    let requests = requests
    startThread {
      blockSignalsOfThisThread()
      for answer in answers {
        waitUntilReady([(listener.descriptor, POLLIN)], until: .max)
        let connection = CSystem.accept(listener.descriptor, nil, nil)
        guard connection >= 0 else { break }
        _ = fcntl(connection, F_SETFL, O_NONBLOCK)
        serve(connection, answer, keepsOpen: keepsOpen) { text in
          requests.withLock { $0.append(text) }
        }
        CSystem.close(connection)
      }
    }
  }

  deinit { shutdown(listener.descriptor, Int32(SHUT_RDWR)) }

  /// What has been received, one text for each connection.
  package var received: [String] { requests.withLock { $0 } }

  package var baseURL: String { "http://127.0.0.1:\(port)" }
}

/// Closed when neither the server nor its thread needs it: a descriptor that is closed too early
/// may soon be reused.
private final class Listener: Sendable {
  let descriptor: Int32
  init(descriptor: Int32) { self.descriptor = descriptor }
  deinit { close(descriptor) }
}

private func serve(
  _ connection: Int32, _ answer: [UInt8], keepsOpen: Bool, note: (String) -> Void
) {
  let deadline = monotonicNanoseconds() &+ 20_000_000_000
  var reader = RequestReader()
  var text: [UInt8] = []
  while monotonicNanoseconds() < deadline {
    var bytes: [UInt8] = []
    waitUntilReady([(connection, POLLIN)], until: deadline)
    if readSome(from: connection, into: &bytes) == .end { return }
    reader.append(bytes)
    text += bytes
    // Anything that is not a request (a TLS or SOCKS greeting, say) is answered all the same.
    if (try? reader.next()) != nil || (bytes.first ?? 65) < 32 { break }
  }
  note(String(decoding: text, as: UTF8.self))
  var rest = answer[...]
  while !rest.isEmpty, let count = writeSome(rest, to: connection) {
    rest = rest.dropFirst(count)
    if count == 0 { waitUntilReady([(connection, POLLOUT)], until: deadline) }
  }
  while keepsOpen, monotonicNanoseconds() < deadline {
    var bytes: [UInt8] = []
    waitUntilReady([(connection, POLLIN)], until: deadline)
    if readSome(from: connection, into: &bytes) == .end { return }
  }
}

/// A listening, non-blocking socket on 127.0.0.1; port 0 chooses a free one.
func listenOnLoopback(_ port: UInt16) throws(Failure) -> (descriptor: Int32, port: UInt16) {
  let bound = try bindOnLoopback(port)
  guard listen(bound.descriptor, 4096) == 0 else {
    close(bound.descriptor)
    throw Failure(.run, "cannot listen on port \(port) of 127.0.0.1")
  }
  return bound
}

func bindOnLoopback(_ port: UInt16) throws(Failure) -> (descriptor: Int32, port: UInt16) {
  let kind = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
  let descriptor = socket(AF_INET, Int32(kind), 0)
  var yes: Int32 = 1
  unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = port.bigEndian
  address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
  var length = socklen_t(MemoryLayout<sockaddr_in>.size)
  let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
    unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
      unsafe bind(descriptor, generic, length) == 0
        && getsockname(descriptor, generic, &length) == 0
    }
  }
  guard isBound else {
    close(descriptor)
    throw Failure(.run, "cannot listen on port \(port) of 127.0.0.1")
  }
  return (descriptor, UInt16(bigEndian: address.sin_port))
}

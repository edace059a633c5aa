import CSystem
import Glibc
package import RasaCore
import RasaSystem

/// One connection to a server on this machine, byte for byte: for requests that no proper client would send.
package final class RawClient: Sendable {
  private let descriptor: Int32
  private let received = Locked<[UInt8]>([])

  package init(port: UInt16) throws(Failure) {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let descriptor = descriptor
    let isConnected = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        unsafe connect(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isConnected else { throw Failure(.run, "cannot connect to port \(port) of 127.0.0.1") }
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
  }

  deinit { CSystem.close(descriptor) }

  /// False if the server has closed the connection.
  @discardableResult
  package func send(_ text: String) async -> Bool { await send(Array(text.utf8)) }

  /// - Parameter most: how many bytes are sent at once. They follow each other however busy the machine is: a server takes
  ///   a client that pauses for a slow one.
  @discardableResult
  package func send(_ bytes: [UInt8], atOnce most: Int = .max) async -> Bool {
    let descriptor = descriptor
    return await onOwnThread {
      let deadline = monotonicNanoseconds() &+ 20_000_000_000
      var rest = bytes[...]
      while !rest.isEmpty, monotonicNanoseconds() < deadline {
        let count = unsafe rest.prefix(most).withUnsafeBytes {
          unsafe CSystem.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if count > 0 {
          rest = rest.dropFirst(count)
        } else if errno == EAGAIN {
          waitUntilReady([(descriptor, POLLOUT)], until: deadline)
        } else if errno != EINTR {
          return false
        }
      }
      return rest.isEmpty
    }
  }

  /// All that has been received, as soon as it fulfils the condition or the server has closed the connection.
  @discardableResult
  package func receive(until isEnough: (@Sendable (String) -> Bool)? = nil) async
    -> String
  {
    let (descriptor, received) = (descriptor, received)
    return await onOwnThread {
      let deadline = monotonicNanoseconds() &+ 20_000_000_000
      while monotonicNanoseconds() < deadline {
        if let isEnough {
          let text = received.withLock { String(decoding: $0, as: UTF8.self) }
          if isEnough(text) { return text }
        }
        waitUntilReady([(descriptor, POLLIN)], until: deadline)
        var bytes: [UInt8] = []
        let result = readSome(from: descriptor, into: &bytes)
        received.withLock { $0 += bytes }
        if result == .end { break }
      }
      return received.withLock { String(decoding: $0, as: UTF8.self) }
    }
  }

  /// Nothing more will be sent; the answer may still come.
  package func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Hangs up.
  package func close() { shutdown(descriptor, Int32(SHUT_RDWR)) }
}

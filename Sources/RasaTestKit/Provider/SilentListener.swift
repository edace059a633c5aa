import CSystem
import Glibc
package import RasaCore
import RasaSystem

/// A port that accepts connections but never answers, such as a TLS handshake that never completes.
package final class SilentListener: Sendable {
  package let port: UInt16
  private let descriptor: Int32

  package init() throws(Failure) { (descriptor, port) = try listenOnLoopback(0) }

  deinit { close(descriptor) }

  /// Returns when a client has connected.
  package func waitForConnection() async {
    let descriptor = descriptor
    await withCheckedContinuation { continuation in
      startThread {
        blockSignalsOfThisThread()
        waitUntilReady([(descriptor, POLLIN)], until: monotonicNanoseconds() &+ 20_000_000_000)
        continuation.resume()
      }
    }
  }
}

/// A port that refuses every connection. It stays bound, so that no server of another test gets it meanwhile.
package final class RefusingPort: Sendable {
  package let port: UInt16
  private let descriptor: Int32

  package init() throws(Failure) { (descriptor, port) = try bindOnLoopback(0) }

  deinit { close(descriptor) }
}

import CSystem
import Glibc
package import RasaCore
import RasaSystem

/// A port that takes connections and never says a word: whoever speaks TLS there is never answered.
package final class SilentListener: Sendable {
  package let port: UInt16
  private let descriptor: Int32

  package init() throws(Failure) { (descriptor, port) = try listenOnLoopback(0) }

  deinit { close(descriptor) }

  /// Returns when somebody has connected.
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

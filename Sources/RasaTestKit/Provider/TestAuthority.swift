import CTestTLS
import Glibc

/// A CA that only clients with its file trust.
@safe package final class TestAuthority: Sendable {
  fileprivate nonisolated(unsafe) let handle: OpaquePointer

  package init(_ name: String = "made-up test CA") {
    unsafe handle = rasa_test_authority_make(name)
  }

  deinit { unsafe rasa_test_authority_free(handle) }

  /// Its certificate in PEM.
  package var pem: [UInt8] { certificate(isDER: false) }
  package var der: [UInt8] { certificate(isDER: true) }

  private func certificate(isDER: Bool) -> [UInt8] {
    var length = 0
    guard let bytes = unsafe rasa_test_authority_certificate(handle, isDER ? 1 : 0, &length) else {
      return []
    }
    defer { unsafe free(bytes) }
    return unsafe Array(UnsafeRawBufferPointer(start: bytes, count: length))
  }
}

/// A server certificate with its key.
@safe package final class TestIdentity: Sendable {
  nonisolated(unsafe) let handle: OpaquePointer

  /// Right for 127.0.0.1 and for today; each argument makes it wrong in one way.
  ///
  /// - Parameters:
  ///   - authority: who signs it; nil for itself.
  ///   - host: `IP:127.0.0.1` or `DNS:example.org`.
  ///   - days: from when to when it is valid, in days from now.
  package init(
    by authority: TestAuthority?, for host: String = "IP:127.0.0.1",
    days: ClosedRange<Int> = -1...1
  ) {
    unsafe handle = rasa_test_identity_make(
      authority?.handle, host, days.lowerBound * 86_400, days.upperBound * 86_400)
  }

  deinit { unsafe rasa_test_identity_free(handle) }
}

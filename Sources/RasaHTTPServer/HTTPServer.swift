import CMicroHTTP
import CSystem
import Glibc
package import RasaCore
import RasaSystem

/// An HTTP server on this machine, over libmicrohttpd on one thread of its own.
///
/// Requests are complete and checked when the handler gets them. libmicrohttpd is loaded when the first server starts.
package final class HTTPServer: Sendable {
  package typealias Handler = @Sendable (ServerRequest) async -> ServerResponse

  package struct Limits: Sendable, Hashable {
    package var connections = 1_024
    package var connectionsPerAddress = 1_024
    /// Of a request's body, in bytes.
    package var body = 1_000_000
    /// Of a request's target and headers together, about.
    package var head = 32_768
    package var target = 8_192
    package var headers = 100
    /// How long a head may take from its connection or its first line on.
    package var headTime = Duration.seconds(10)
    package var bodyTime = Duration.seconds(30)
    /// How long a connection may be kept without a request.
    package var idleTime = Duration.seconds(60)
    /// How long a client may take nothing of its response.
    package var sendTime = Duration.seconds(30)
    package init() {}
  }

  package struct Configuration: Sendable {
    package enum Address: Sendable, Hashable { case loopback, loopback6, all }
    package var address = Address.loopback
    /// 0 for one that is free.
    package var port: UInt16 = 0
    /// Names that requests may give as their host, beside those of this machine; for `all`, only these, or any if there are none.
    package var hosts: [String] = []
    package var limits = Limits()
    /// Nil for a server without encryption.
    package var tls: TLS?
    package init() {}

    /// In PEM.
    package struct TLS: Sendable, Hashable {
      package var certificate: String
      package var key: String
      package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
      }
    }
  }

  package let port: UInt16
  private let mailbox: ServerMailbox

  /// Binds, and returns when requests are taken.
  ///
  /// - Throws: if the library is not installed, or the port is not to be had.
  package static func start(
    _ configuration: Configuration = Configuration(), handler: @escaping Handler
  ) throws(Failure) -> HTTPServer {
    guard rasa_mhd_load() == 0 else {
      let problem = unsafe rasa_mhd_problem().map { unsafe String(cString: $0) } ?? ""
      throw Failure(
        .configuration, "no server can be started: libmicrohttpd cannot be loaded (\(problem))",
        suggestion: "install it: apt install libmicrohttpd12")
    }
    let (listener, port) = try listen(configuration)
    let mailbox = ServerMailbox()
    guard
      ServerLoop.startThread(
        listener: listener, port: port, configuration: configuration, mailbox: mailbox,
        handler: handler)
    else {
      Glibc.close(listener)
      throw Failure(.run, "the server could not start its thread")
    }
    return HTTPServer(port: port, mailbox: mailbox)
  }

  private init(port: UInt16, mailbox: ServerMailbox) {
    self.port = port
    self.mailbox = mailbox
  }

  /// Takes no more connections, lets what has been asked be answered within that time, and returns when everything is
  /// closed.
  package func stop(grace: Duration = .seconds(5)) async {
    await mailbox.stop(at: monotonicNanoseconds() &+ grace.inNanoseconds)
  }

  deinit { mailbox.requestStop(at: 0) }

  private static func listen(_ configuration: Configuration) throws(Failure) -> (Int32, UInt16) {
    let isSix = configuration.address == .loopback6
    let kind = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
    let descriptor = socket(isSix ? AF_INET6 : AF_INET, Int32(kind), 0)
    guard descriptor >= 0 else {
      throw Failure(.run, systemError: errno, cannot: "open", "a socket")
    }
    var yes: Int32 = 1
    unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var four = sockaddr_in()
    four.sin_family = sa_family_t(AF_INET)
    four.sin_port = configuration.port.bigEndian
    four.sin_addr.s_addr = (configuration.address == .all ? UInt32(0) : 0x7F00_0001).bigEndian
    var six = sockaddr_in6()
    six.sin6_family = sa_family_t(AF_INET6)
    six.sin6_port = configuration.port.bigEndian
    six.sin6_addr = in6addr_loopback
    func open<Address>(_ address: inout Address) -> Int32 {
      var length = socklen_t(MemoryLayout<Address>.size)
      return unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
          let isOpen =
            unsafe Glibc.bind(descriptor, generic, length) == 0
            && Glibc.listen(descriptor, 1_024) == 0
            && getsockname(descriptor, generic, &length) == 0
          return isOpen ? 0 : errno
        }
      }
    }
    let error = isSix ? open(&six) : open(&four)
    guard error == 0 else {
      Glibc.close(descriptor)
      throw Failure(
        .run, systemError: error, cannot: "listen on", "port \(configuration.port)")
    }
    return (descriptor, UInt16(bigEndian: isSix ? six.sin6_port : four.sin_port))
  }
}

extension HTTPServer.Configuration {
  /// The names that a request may give as its host; nil for any.
  var acceptedHosts: [String]? {
    let own = hosts.map { $0.lowercased() }
    switch address {
    case .loopback, .loopback6: return ["localhost", "127.0.0.1", "[::1]"] + own
    case .all: return own.isEmpty ? nil : own
    }
  }
}

extension Duration {
  var inNanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    return UInt64(clamping: seconds) &* 1_000_000_000
      &+ UInt64(clamping: attoseconds / 1_000_000_000)
  }
}

func monotonicNanoseconds() -> UInt64 {
  var time = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

import Glibc

func isRoot() -> Bool { getuid() == 0 }

func ownProcess() -> Int32 { getpid() }

func link(to target: String, at path: String) -> Bool { unsafe symlink(target, path) == 0 }

/// A Unix socket without a file, which everything in the same network namespace reaches.
final class AbstractListener {
  let name: String
  private let descriptor: Int32

  init() throws {
    name = "rasa-test-\(getpid())-\(UInt32.random(in: .min ... .max))"
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = [0] + Array(name.utf8)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
    let isListening = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, length) == 0 && listen(descriptor, 4) == 0
      }
    }
    guard isListening else { throw SystemProblem(code: errno) }
  }

  deinit { close(descriptor) }
}

struct SystemProblem: Error { var code: Int32 }

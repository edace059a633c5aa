import Glibc

/// A file descriptor with one owner, closed when the owner is done.
package struct Descriptor: ~Copyable, Sendable {
  package let number: Int32

  package init(owning number: Int32) { self.number = number }

  deinit { close(number) }
}

/// The error number of the system call that just failed.
func lastError() -> Int32 { errno }

/// Writes all bytes, however many calls it takes; the error number, or 0.
func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32 {
  var offset = 0
  while offset < bytes.count {
    let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[offset...])
    let count = unsafe write(descriptor, rest.baseAddress, rest.count)
    if count >= 0 {
      offset += count
      continue
    }
    switch errno {
    case EINTR: continue
    case EAGAIN:
      // Another process that shares the descriptor made it non-blocking: wait until it takes more.
      var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      if unsafe poll(&wanted, 1, -1) < 0, errno != EINTR { return errno }
    case let code: return code
    }
  }
  return 0
}

/// Reads up to a buffer's length; the bytes read (none at the end), or the error number.
func readAvailable(
  from descriptor: Int32, into buffer: inout [UInt8]
) -> (count: Int, error: Int32) {
  while true {
    let count = unsafe buffer.withUnsafeMutableBytes {
      unsafe read(descriptor, $0.baseAddress, $0.count)
    }
    if count >= 0 { return (count, 0) }
    switch errno {
    case EINTR: continue
    case EAGAIN:
      var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      if unsafe poll(&wanted, 1, -1) < 0, errno != EINTR { return (0, errno) }
    case let code: return (0, code)
    }
  }
}

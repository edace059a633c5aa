import CSystem
import Glibc

enum ReadResult { case some, end, nothingYet }

/// Appends what a non-blocking descriptor has to read.
func readSome(from descriptor: Int32, into bytes: inout [UInt8]) -> ReadResult {
  var buffer = [UInt8](repeating: 0, count: 64 * 1024)
  while true {
    let count = unsafe CSystem.read(descriptor, &buffer, buffer.count)
    if count > 0 {
      bytes += buffer[..<count]
      return .some
    }
    if count == 0 { return .end }
    switch errno {
    case EINTR: continue
    case EAGAIN: return .nothingYet
    // A pseudo-terminal reports a closed other side as an I/O error.
    default: return .end
    }
  }
}

/// The number of bytes that a non-blocking descriptor took; nil if the other side is closed.
func writeSome(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Int? {
  while true {
    let count = unsafe bytes.withUnsafeBytes { bytes in
      unsafe CSystem.write(descriptor, bytes.baseAddress, bytes.count)
    }
    if count >= 0 { return count }
    switch errno {
    case EINTR: continue
    case EAGAIN: return 0
    default: return nil
    }
  }
}

/// Waits until one of the descriptors is ready for the requested operation.
func waitUntilReady(_ descriptors: [(Int32, Int32)], until deadline: UInt64) {
  var list = descriptors.map { pollfd(fd: $0.0, events: Int16($0.1), revents: 0) }
  let now = monotonicNanoseconds()
  let rest = deadline > now ? (deadline - now) / 1_000_000 + 1 : 0
  unsafe poll(&list, nfds_t(list.count), Int32(clamping: rest))
}

/// Writing to a closed pipe must be an error, not the end of the test.
func blockSignalsOfThisThread() {
  var all = sigset_t()
  unsafe sigfillset(&all)
  unsafe pthread_sigmask(SIG_SETMASK, &all, nil)
}

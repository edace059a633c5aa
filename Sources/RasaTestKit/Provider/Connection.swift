import CSystem
import Glibc

/// One accepted socket: the request that is coming in and the answer that is going out.
final class Connection {
  enum Sending { case all, blocked, failed }

  let descriptor: Int32
  /// Counted from 0; tells this connection from a later one with the same descriptor.
  let serial: Int
  var reader = RequestReader()
  var playback: Playback?
  var requestIndex = -1
  /// What to do when the output has gone out.
  var progress = Playback.Progress.more
  var output: [UInt8] = []
  private var sent = 0
  var isWatchingOutput = false

  init(descriptor: Int32, serial: Int) {
    self.descriptor = descriptor
    self.serial = serial
  }

  /// Gives the output to the socket; also tells how many bytes it took.
  func send() -> (Sending, bytes: Int) {
    let before = sent
    while sent < output.count {
      let count = unsafe output.withUnsafeBytes { bytes in
        unsafe CSystem.send(
          descriptor, bytes.baseAddress?.advanced(by: sent), bytes.count - sent,
          Int32(MSG_NOSIGNAL))
      }
      if count >= 0 {
        sent += count
      } else if errno == EAGAIN {
        return (.blocked, sent - before)
      } else if errno != EINTR {
        return (.failed, sent - before)
      }
    }
    let count = sent - before
    output.removeAll(keepingCapacity: true)
    sent = 0
    return (.all, count)
  }

  /// Reads what is there; false when the peer has closed its side.
  func receive(into buffer: UnsafeMutableRawBufferPointer) -> Bool {
    while true {
      let count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
      if count > 0 {
        unsafe reader.append(buffer[..<count])
      } else if count < 0, errno == EINTR {
        continue
      } else {
        return count < 0 && errno == EAGAIN
      }
    }
  }

  func close(reset: Bool = false) {
    if reset {
      var linger = CSystem.linger(l_onoff: 1, l_linger: 0)
      unsafe setsockopt(
        descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    }
    CSystem.close(descriptor)
  }
}
